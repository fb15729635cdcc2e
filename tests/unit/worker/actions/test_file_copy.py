"""`file.copy`: files that belong together change together, and stay what they were."""

import errno
import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from contract.action import CopiedFile, FileCopy
from tests.life import live
from tests.unit.worker.disk import full_disk
from tests.unit.worker.privilege import forbidden
from worker.actions.action import ActionResult, Context
from worker.actions.draft import draft
from worker.actions.file_copy import LARGEST, copy_files
from worker.actions.scrub import scrub, scrub_paths
from worker.root import Root
from worker.safe_path import find

NOBODY = 65534


def copy(root: Path, *pairs: tuple[str, str], make_directory: bool = False) -> ActionResult:
    files = [CopiedFile(path=path, to=to) for path, to in pairs]
    arguments = FileCopy(files=files, make_directory=make_directory)
    return copy_files(arguments, Context(Root(root), timedelta(seconds=5)))


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A new pair in one directory, an old one in another."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        for kind, mode in (("crt", 0o644), ("key", 0o640)):
            (tmp_path / name / kind).write_text(f"{name} {kind}")
            (tmp_path / name / kind).chmod(mode)
    return tmp_path


BOTH = (("/new/crt", "/old/crt"), ("/new/key", "/old/key"))


def read(root: Path, *names: str) -> list[str]:
    return [(root / name).read_text() for name in names]


def left_overs(root: Path) -> list[Path]:
    return list(root.rglob(".*.denrei"))


def test_copied_files_have_content_and_mode_of_the_others(pair: Path) -> None:
    (pair / "old/key").chmod(0o666)
    result = copy(pair, *BOTH)
    assert result.ok
    assert result.summary == f"copied to {pair}/old/crt, {pair}/old/key"
    assert read(pair, "old/crt", "old/key", "new/crt") == ["new crt", "new key", "new crt"]
    assert stat.S_IMODE((pair / "old/key").stat().st_mode) == 0o640
    assert left_overs(pair) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_copied_file_belongs_to_whom_the_other_does(pair: Path) -> None:
    """PostgreSQL refuses a key that is not its own."""
    os.chown(pair / "new/key", NOBODY, NOBODY)
    assert copy(pair, *BOTH).ok
    assert (pair / "old/key").stat().st_uid == NOBODY


def test_copy_done_twice_is_as_done_once(pair: Path) -> None:
    assert [copy(pair, *BOTH).ok for _ in range(2)] == [True, True]
    assert read(pair, "old/crt", "old/key") == ["new crt", "new key"]


def test_copy_makes_directories_for_us_alone_if_asked_to(pair: Path) -> None:
    kept = ("/new/key", "/kept/deep/key")
    result = copy(pair, kept)
    assert (result.ok, "no such file" in result.summary) == (False, True)
    assert copy(pair, kept, make_directory=True).ok
    for name in ("kept", "kept/deep"):
        assert stat.S_IMODE((pair / name).stat().st_mode) == 0o700
    assert read(pair, "kept/deep/key") == ["new key"]


def test_copy_leaves_the_mode_of_a_directory_that_is_there(pair: Path) -> None:
    (pair / "old").chmod(0o755)
    assert copy(pair, *BOTH, make_directory=True).ok
    assert stat.S_IMODE((pair / "old").stat().st_mode) == 0o755


@pytest.mark.parametrize("missing", ["crt", "key"])
def test_missing_file_keeps_all_of_them_from_being_copied(pair: Path, missing: str) -> None:
    (pair / "new" / missing).unlink()
    result = copy(pair, *BOTH)
    assert (result.ok, f"{missing}: it is not there" in result.summary) == (False, True)
    assert read(pair, "old/crt", "old/key") == ["old crt", "old key"]


def test_full_disk_keeps_all_of_them_from_being_copied(pair: Path) -> None:
    (pair / "new/key").write_text("k" * 100)
    with full_disk(50):
        result = copy(pair, *BOTH)
    assert (result.ok, "old/key: file too large" in result.summary) == (False, True)
    assert read(pair, "old/crt", "old/key") == ["old crt", "old key"]
    assert left_overs(pair) == []


def test_directory_that_is_closed_keeps_all_of_them_from_being_copied(pair: Path) -> None:
    (pair / "closed").mkdir()
    with forbidden(pair / "closed"):
        result = copy(pair, BOTH[0], ("/new/key", "/closed/key"))
    assert (result.ok, "permission denied" in result.summary) == (False, True)
    assert read(pair, "old/crt") == ["old crt"]


@pytest.mark.parametrize("place", ["directory", "fifo"])
def test_copy_replaces_files_only(pair: Path, place: str) -> None:
    path = pair / "place"
    make = Path.mkdir if place == "directory" else os.mkfifo
    make(path)
    for files in (("/new/key", "/place"), ("/place", "/old/key")):
        result = copy(pair, files)
        assert (result.ok, "no regular file" in result.summary) == (False, True)


def test_copy_of_something_huge_is_refused(pair: Path) -> None:
    with (pair / "new/key").open("wb") as out:
        out.truncate(LARGEST + 1)
    assert "larger than 16 MiB" in copy(pair, *BOTH).summary


def test_copy_through_a_link_leaves_the_link(pair: Path) -> None:
    """Such as certbot's: a file in their place, and it renews no more."""
    (pair / "live").mkdir()
    (pair / "live/key").symlink_to("../old/key")
    (pair / "live/hop").symlink_to(pair / "live")
    assert copy(pair, ("/new/key", "/live/hop/key")).ok
    assert (pair / "live/key").readlink() == Path("../old/key")
    assert read(pair, "old/key") == ["new key"]
    assert left_overs(pair) == []


def test_copy_to_a_link_that_leads_to_nothing_makes_the_file(pair: Path) -> None:
    (pair / "link").symlink_to("old/more")
    assert copy(pair, ("/new/key", "/link")).ok
    assert read(pair, "old/more") == ["new key"]


def test_copy_to_links_in_a_circle_is_refused(pair: Path) -> None:
    (pair / "a").symlink_to("b")
    (pair / "b").symlink_to("a")
    result = copy(pair, ("/new/key", "/a"))
    assert (result.ok, "too many levels of symbolic links" in result.summary) == (False, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has links of somebody else")
@pytest.mark.parametrize("link", ["link", "way"])
def test_copy_follows_no_link_of_somebody_who_may_not_write_there(pair: Path, link: str) -> None:
    """Else whoever owns a directory of certificates leads root's copy to /etc/shadow."""
    (pair / "link").symlink_to("old/key")
    (pair / "way").symlink_to("old")
    os.chown(pair / link, NOBODY, NOBODY, follow_symlinks=False)
    place = {"link": "/link", "way": "/way/key"}[link]
    result = copy(pair, ("/new/key", place))
    assert (result.ok, "the link of somebody else" in result.summary) == (False, True)
    assert read(pair, "old/key") == ["old key"]
    os.chown(pair / "old", NOBODY, NOBODY)  # now it is his own directory that it leads to
    assert copy(pair, ("/new/key", place)).ok


def test_two_copies_for_one_place_must_be_the_same(pair: Path) -> None:
    """A combined file is its own key: then the pair is one file."""
    result = copy(pair, ("/new/crt", "/old/crt"), ("/new/key", "/old/crt"))
    assert (result.ok, "two different files" in result.summary) == (False, True)
    assert copy(pair, ("/new/crt", "/old/crt"), ("/new/crt", "/old/crt")).ok
    assert read(pair, "old/crt") == ["new crt"]


def test_copy_that_was_killed_leaves_drafts_that_recovery_finds(pair: Path) -> None:
    (pair / "live").symlink_to("old")
    arguments = FileCopy(files=[CopiedFile(path="/new/key", to="/live/key")])
    (pair / "old/.key.denrei").write_text("ne")
    assert scrub_paths(arguments, Root(pair)) == [draft(pair / "old/key")]
    assert scrub(scrub_paths(arguments, Root(pair))) == []
    assert left_overs(pair) == []


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["a", "b", "d/a", "../b", "/c", "."])),
        max_size=4,
    ),
    st.sampled_from(["a", "a/b", "d/c", "d/../a"]),
)
def test_a_path_leads_where_the_kernel_leads_it(
    tmp_path_factory: pytest.TempPathFactory, links: list[tuple[str, str]], path: str
) -> None:
    root = tmp_path_factory.mktemp("links").resolve()
    (root / "d").mkdir()
    for name, target in links:
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"{root}{target}" if target.startswith("/") else target)
    try:
        (root / path).stat()
    except OSError as error:
        assume(error.errno != errno.ELOOP)
    try:
        with find(root / path) as spot:
            found = spot.path
    except (FileNotFoundError, NotADirectoryError):
        reject()
    assert found == (root / path).resolve()


def test_copy_cut_off_between_two_renames_is_completed_when_done_again(pair: Path) -> None:
    """The kernel ends it at its second rename: then the pair is torn, and whole when repeated."""

    def torn() -> None:
        rename, done = os.rename, 0

        def once(*arguments: object, **options: object) -> None:
            nonlocal done
            done += 1
            if done > 1:
                os.kill(os.getpid(), 9)
            rename(*arguments, **options)  # type: ignore[arg-type]

        os.rename = once
        copy(pair, *BOTH)

    assert not live(torn)
    assert read(pair, "old/crt", "old/key") == ["new crt", "old key"]
    assert copy(pair, *BOTH).ok
    assert read(pair, "old/crt", "old/key") == ["new crt", "new key"]
    assert left_overs(pair) == []
