"""The observation glob: what fits, as an order writes it."""

from pathlib import Path

import pytest

from contract.probe import Glob
from tests.unit.worker.privilege import forbidden
from worker.observations.glob import expand, observe_glob
from worker.observations.observation import ObservationError
from worker.root import Root

UUID = "0b6cc3ac-5f0c-4b6c-9d1a-8d2f6f3b7a11"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    """A host whose own directory has a name that looks like a pattern."""
    root = tmp_path / "host[1]*"
    for name in (UUID, "scom", "LAD", ".hidden"):
        (root / "etc" / name / "certs").mkdir(parents=True)
        (root / "etc" / name / "certs/oms.crt").touch()
    (root / "etc/link").symlink_to("nowhere")
    return Root(root)


def test_observe_what_fits_gives_names_and_paths_without_the_prefix(root: Root) -> None:
    assert observe_glob(Glob(path="/etc/*/certs"), root) == {
        "exists": True,
        "count": 3,
        "names": ["certs", "certs", "certs"],
        "paths": [f"/etc/{UUID}/certs", "/etc/LAD/certs", "/etc/scom/certs"],
        "size": 0,
    }


def test_observe_size_is_that_of_the_regular_files_alone(root: Root) -> None:
    """Neither a directory nor what a link leads to counts."""
    for name in ("one", "two"):
        root.locate(f"/etc/scom/{name}").write_bytes(b"12345")
    root.locate("/etc/scom/three").symlink_to("one")
    found = observe_glob(Glob(path="/etc/scom/*"), root)
    assert (found["count"], found["size"]) == (4, 10)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/etc/[a-z]*", ["/etc/link", "/etc/scom"]),
        ("/etc/.*", ["/etc/.hidden"]),
        ("/etc/sco?", ["/etc/scom"]),
        ("/etc/scom", ["/etc/scom"]),
        ("/e*/scom/*/*.crt", ["/etc/scom/certs/oms.crt"]),
        ("/etc/link/*", []),
        ("/etc/scom/certs/oms.crt/*", []),
        ("/none/*", []),
        ("/../../etc/LAD", ["/etc/LAD"]),
        ("/", ["/"]),
    ],
)
def test_expand_any_pattern_fits_as_a_shell_would(
    root: Root, pattern: str, found: list[str]
) -> None:
    assert expand(pattern, root) == found


def test_observe_names_are_filtered_by_uuid_or_expression(root: Root) -> None:
    by_uuid = observe_glob(Glob(path="/etc/*", name="uuid"), root)
    assert by_uuid["names"] == [UUID]
    assert observe_glob(Glob(path="/etc/*", name="[a-z]+"), root)["names"] == ["link", "scom"]
    assert observe_glob(Glob(path="/etc/*", name="sco"), root) == {
        "exists": False,
        "count": 0,
        "names": [],
        "paths": [],
        "size": 0,
    }


def test_observe_by_no_expression_is_unknown(root: Root) -> None:
    with pytest.raises(ObservationError, match="not a regular expression"):
        observe_glob(Glob(path="/etc/*", name="("), root)


def test_observe_a_directory_that_may_not_be_listed_is_unknown(root: Root) -> None:
    """Not seen is not absent."""
    with forbidden(root.path / "etc"), pytest.raises(ObservationError, match="permission denied"):
        observe_glob(Glob(path="/etc/*"), root)


def test_expand_on_the_whole_machine_gives_real_paths(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert expand(f"{tmp_path}/*", Root()) == [f"{tmp_path}/a"]
