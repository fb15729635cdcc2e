"""Where runbooks are looked for."""

from pathlib import Path

import pytest

from orchestrator.library import Library, Origin, RunbookNotFoundError


def shelf(path: Path, *names: str) -> Path:
    for name in names:
        file = path / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"name: {name}\n")
    return path


def test_library_same_name_everywhere_takes_the_given_folder_first(tmp_path: Path) -> None:
    folder, home = shelf(tmp_path / "a", "check"), shelf(tmp_path / "b", "check", "mine")
    library = Library(folder, home)
    assert library.find("check").origin is Origin.FOLDER
    assert library.find("mine").origin is Origin.HOME
    assert Library(None, home).find("check").origin is Origin.HOME
    assert Library().find("check").origin is Origin.SHIPPED


def test_library_path_given_is_read_from_there(tmp_path: Path) -> None:
    path = shelf(tmp_path, "check") / "check.yaml"
    found = Library().find(str(path))
    assert (found.name, found.origin, found.file) == ("check", Origin.PATH, str(path))
    assert found.data == b"name: check\n"


def test_library_shipped_runbooks_all_load() -> None:
    assert {found.load().name for found in Library().list()} >= {"check", "restart", "reonboard"}


def test_library_name_in_a_subfolder_is_found_and_listed(tmp_path: Path) -> None:
    home = shelf(tmp_path, "oms/extra")
    library = Library(None, home)
    assert library.find("oms/extra").origin is Origin.HOME
    assert "oms/extra" in [found.name for found in library.list()]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("chek", "did you mean 'check'"),
        ("Check", "neither a runbook's name nor a path"),
        ("a/../../etc/passwd", "neither a runbook's name nor a path"),
        ("./absent.yaml", "No such file"),
    ],
)
def test_library_not_found_says_what_to_do(wanted: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RunbookNotFoundError, match=message):
        Library(None, tmp_path / "absent").find(wanted)


def test_library_directory_given_as_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunbookNotFoundError, match="Is a directory"):
        Library().find(str(tmp_path))
