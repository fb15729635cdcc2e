"""Paths: where they lead, and that nobody but root and the worker's user has a say in it."""

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from contract.action import CopiedFile, FileCopy, FileRemove, FileWrite
from contract.probe import File
from tests.swapper import NOBODY, lay, swapping
from worker.actions.action import Context
from worker.actions.table import ACTIONS
from worker.observations.content import read_content
from worker.observations.file import observe_file
from worker.observations.observation import ObservationError
from worker.root import Root
from worker.safe_path import check_ours, check_program, find
from worker.spot import UntrustedPathError
from worker.step_open import step_open

SWAPS = 20_000

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody else to fear")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_text("content")
    return tmp_path


def give_away(path: Path) -> None:
    os.chown(path, NOBODY, NOBODY, follow_symlinks=False)


def read(path: Path, *, follow: bool = True) -> str:
    with find(path, follow=follow) as spot, os.fdopen(spot.open(os.O_RDONLY)) as file:
        return file.read()


def test_find_leads_to_a_file(here: Path) -> None:
    assert read(here / "a/b/file") == "content"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("a/b/file", "link"),
        ("a", "link/b/file"),
        ("{here}/a/b", "link/file"),
        ("a/b/../b/./file", "link"),
        ("{here}/../{name}/a/b/file", "link"),
    ],
)
def test_find_follows_our_links_wherever_they_stand(here: Path, target: str, path: str) -> None:
    (here / "link").symlink_to(target.format(here=here, name=here.name))
    assert read(here / path) == "content"
    with find(here / path) as spot:
        assert spot.path == here / "a/b/file"


def test_find_of_the_link_itself_does_not_follow_it(here: Path) -> None:
    (here / "link").symlink_to("a/b/file")
    with find(here / "link", follow=False) as spot:
        assert spot.path == here / "link"
        with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
            spot.open(os.O_RDONLY)


def test_find_of_links_in_a_circle_ends(here: Path) -> None:
    (here / "one").symlink_to("two")
    (here / "two").symlink_to("one")
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        find(here / "one")


def test_find_of_what_is_missing_names_the_place_where_it_would_be(here: Path) -> None:
    (here / "link").symlink_to("a/new")
    with find(here / "link") as spot:
        assert spot.path == here / "a/new"
        os.close(spot.create())
    assert (here / "a/new").is_file()
    with pytest.raises(FileNotFoundError, match="none"):
        find(here / "none/file")
    with pytest.raises(NotADirectoryError):
        find(here / "a/b/file/x")


def test_find_makes_missing_directories_when_asked_to(here: Path) -> None:
    with find(here / "x/y/z", make=0o700) as spot:
        assert spot.path == here / "x/y/z"
    assert (here / "x/y").stat().st_mode & 0o777 == 0o700


def test_find_of_the_root_is_the_root() -> None:
    with find(Path("/")) as spot:
        assert spot.path == Path("/")


def test_find_follows_no_magic_link(here: Path) -> None:
    """What /proc shows as a link to a file may lead out of every directory there is."""
    with (here / "a/b/file").open() as file:
        with pytest.raises(UntrustedPathError, match="magic link"):
            find(Path(f"/proc/self/fd/{file.fileno()}"))
        with pytest.raises(UntrustedPathError, match="magic link"):
            find(Path("/proc/self/cwd/file"))


def test_find_lets_no_descriptor_go_astray(here: Path) -> None:
    (here / "link").symlink_to("a/b/../b")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("link/file", "none/x", "a/b/file/x"):
        with suppress(OSError):
            find(here / path).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "a\0b"])
def test_step_takes_one_component_and_nothing_else(here: Path, name: str) -> None:
    with find(here / "a") as spot, pytest.raises(OSError, match="no single component"):
        step_open(spot.directory, name, os.O_PATH)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_directory_that_others_may_write_is_not_ours(here: Path, mode: int) -> None:
    (here / "a").chmod(mode)
    if os.geteuid() and mode == 0o770:
        pytest.skip("a group of the user's own may write")
    with pytest.raises(UntrustedPathError, match=rf"chmod go-w {here}/a:"):
        check_ours(here / "a/b/file")
    (here / "a").chmod(0o1777)  # as /tmp: nobody may take away what is ours
    check_ours(here / "a/b/file")


def test_file_that_others_may_write_is_not_ours(here: Path) -> None:
    (here / "a/b/file").chmod(0o666)
    with pytest.raises(UntrustedPathError, match="can be written by others"):
        check_ours(here / "a/b/file")


@as_root
@pytest.mark.parametrize("place", ["a", "a/b", "a/b/file"])
def test_what_belongs_to_somebody_else_is_not_ours(here: Path, place: str) -> None:
    give_away(here / place)
    with pytest.raises(UntrustedPathError, match=f"{here}/{place} belongs to user {NOBODY}"):
        check_ours(here / "a/b/file")
    with pytest.raises(UntrustedPathError):
        check_program(here / "a/b/file")


@as_root
def test_program_by_a_link_of_somebody_else_is_not_run(here: Path) -> None:
    (here / "link").symlink_to("a/b/file")
    check_program(here / "link")
    give_away(here / "link")
    with pytest.raises(UntrustedPathError, match="is a link of user"):
        check_program(here / "link")


def test_program_that_is_missing_is_for_its_start_to_tell(here: Path) -> None:
    check_program(here / "none/at/all")
    check_program(here / "a/b/file/x")


@as_root
def test_file_of_somebody_else_is_read_by_his_directory_and_his_link(here: Path) -> None:
    """The OMS agent's certificate is its own, in directories of its own."""
    (here / "a/link").symlink_to("b/file")
    for place in ("a", "a/b", "a/b/file", "a/link"):
        give_away(here / place)
    assert read(here / "a/b/file") == read(here / "a/link") == "content"


@as_root
def test_file_of_root_is_not_read_by_a_link_of_somebody_else(here: Path) -> None:
    """Else he could let root read him what he may not."""
    (here / "link").symlink_to("a/b/file")
    give_away(here / "link")
    with pytest.raises(UntrustedPathError, match="link of somebody else"):
        read(here / "link")
    with pytest.raises(ObservationError, match="link of somebody else"):
        read_content(here / "link", 100)


@as_root
def test_file_of_root_is_not_even_seen_by_a_link_of_somebody_else(here: Path) -> None:
    """Nor is a state believed to hold because such a file is there."""
    (here / "link").symlink_to("a/b")
    arguments, asked = File(path="/link/file"), frozenset({"exists"})
    assert observe_file(arguments, Root(here), asked)["exists"]
    give_away(here / "link")
    with pytest.raises(ObservationError, match="link of somebody else"):
        observe_file(arguments, Root(here), asked)


@as_root
def test_nothing_is_written_or_removed_by_a_link_of_somebody_else(here: Path) -> None:
    (here / "link").symlink_to("a")
    give_away(here / "link")
    context = Context(Root(here), timedelta(seconds=5))
    for kind, arguments in (
        ("file.write", FileWrite(path="/link/new", content="x")),
        ("file.remove", FileRemove(path="/link/b/file")),
        ("file.copy", FileCopy(files=[CopiedFile(path="/a/b/file", to="/link/new")])),
    ):
        result = ACTIONS[kind](arguments, context)
        assert (result.ok, "link of somebody else" in result.summary) == (False, True)
    assert read(here / "a/b/file") == "content"
    assert not (here / "a/new").exists()


@pytest.fixture
def outcomes() -> Iterator[set[str]]:
    """What was seen; at the end both sides of the race must have been."""
    seen: set[str] = set()
    yield seen
    assert len(seen) > 1, "there was no race"


@as_root
def test_read_while_a_directory_is_swapped_for_a_link_never_reads_what_is_roots(
    tmp_path: Path, outcomes: set[str]
) -> None:
    trap = lay(tmp_path)
    with swapping(trap) as race:
        while race.swaps < SWAPS or len(outcomes) < 2:
            try:
                outcomes.add(str(read_content(trap.way / "file", 100)))
            except ObservationError as error:
                outcomes.add("refused" if "somebody else" in str(error) else str(error))
    assert outcomes == {"b'his'", "refused"}


@as_root
def test_write_while_a_directory_is_swapped_for_a_link_never_writes_into_what_is_roots(
    tmp_path: Path, outcomes: set[str]
) -> None:
    trap = lay(tmp_path)
    context = Context(Root(), timedelta(seconds=5))
    with swapping(trap) as race:
        while race.swaps < SWAPS or len(outcomes) < 2:
            path = str(trap.way / "new")
            for kind, arguments in (
                ("file.write", FileWrite(path=path, content="x")),
                ("file.remove", FileRemove(path=str(trap.way / "file"))),
            ):
                result = ACTIONS[kind](arguments, context)
                outcomes.add(f"{kind} {result.ok}")
    assert sorted(path.name for path in trap.secret.iterdir()) == ["file", "other"]


@as_root
def test_race_is_real_the_kernels_own_way_is_led_astray(tmp_path: Path, outcomes: set[str]) -> None:
    """Without the walk root reads it: so the two laws above are worth something."""
    trap = lay(tmp_path)
    with swapping(trap):
        while len(outcomes) < 2:
            outcomes.add((trap.way / "file").read_text())
    assert outcomes == {"his", "secret"}
