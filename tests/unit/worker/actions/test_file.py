"""The actions file.write and file.remove: whole or not at all, and never through a link."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from contract.action import FileRemove, FileWrite
from tests.unit.worker.privilege import forbidden
from worker.actions.action import ActionResult, Context
from worker.actions.file_remove import remove_file
from worker.actions.file_write import write_file
from worker.actions.scrub import scrub, scrub_paths
from worker.root import Root


def write(root: Path, path: str = "/f", content: str = "é\n", **more: str) -> ActionResult:
    arguments = FileWrite(path=path, content=content, **more)
    return write_file(arguments, Context(Root(root), timedelta(seconds=5)))


def remove(root: Path, path: str = "/f") -> ActionResult:
    return remove_file(FileRemove(path=path), Context(Root(root), timedelta(seconds=5)))


def test_write_a_new_file_has_content_and_mode(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        result = write(tmp_path, mode="0664")
    finally:
        os.umask(before)
    assert result == ActionResult(ok=True, summary=f"wrote {tmp_path}/f")
    assert (tmp_path / "f").read_bytes() == b"\xc3\xa9\n"
    assert (tmp_path / "f").stat().st_mode & 0o7777 == 0o664
    assert os.listdir(tmp_path) == ["f"]  # noqa: PTH208 - the names alone


def test_write_over_a_file_never_shows_half_of_it(tmp_path: Path) -> None:
    """A reader that has the old file open keeps it; the name goes to the new one at once."""
    file = tmp_path / "f"
    file.write_text("old")
    with file.open() as reader:
        assert write(tmp_path, content="new").ok
        assert reader.read() == "old"
    assert file.read_text() == "new"


def test_write_at_a_link_replaces_the_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "f").symlink_to("target")
    (tmp_path / ".f.denrei").symlink_to("target")
    assert write(tmp_path).ok
    assert not (tmp_path / "f").is_symlink()
    assert (tmp_path / "target").read_text() == "precious"


def test_write_with_an_owner_under_a_prefix_means_the_roots_owner(tmp_path: Path) -> None:
    assert write(tmp_path, owner="omsagent", group="omiusers").ok
    assert (tmp_path / "f").stat().st_uid == tmp_path.stat().st_uid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_write_over_a_file_keeps_its_owner_unless_told(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.touch()
    os.chown(file, 1, 2)
    assert write(tmp_path).ok
    assert (file.stat().st_uid, file.stat().st_gid) == (1, 2)
    assert write_file(
        FileWrite(path=str(file), content="", owner="3", mode="4755"),
        Context(Root(), timedelta(seconds=5)),
    ).ok
    assert (file.stat().st_uid, file.stat().st_gid) == (3, 2)


def test_write_what_can_not_be_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    assert "no such file or directory" in write(tmp_path, "/none/f").summary
    assert "is a directory" in write(tmp_path, "/dir").summary.replace("there is", "is")
    assert "name too long" in write(tmp_path, "/" + "x" * 255).summary
    unknown = FileWrite(path=str(tmp_path / "f"), content="", owner="nobody-at-all")
    result = write_file(unknown, Context(Root(), timedelta(seconds=5)))
    assert (result.ok, "no user named" in result.summary) == (False, True)
    with forbidden(tmp_path / "dir"):
        assert "permission denied" in write(tmp_path, "/dir/f").summary
    assert os.listdir(tmp_path) == ["dir"]  # noqa: PTH208 - the names alone


def test_write_that_was_killed_leaves_a_draft_that_recovery_finds(tmp_path: Path) -> None:
    arguments = FileWrite(path="/etc/f", content="secret")
    assert scrub_paths(arguments, Root(tmp_path)) == [tmp_path / "etc/.f.denrei"]
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/.f.denrei").write_text("sec")
    assert scrub(scrub_paths(arguments, Root(tmp_path))) == []
    assert list((tmp_path / "etc").iterdir()) == []


def test_remove_a_file_or_a_link_removes_it_alone(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "f").symlink_to("dir")
    assert remove(tmp_path) == ActionResult(ok=True, summary=f"removed {tmp_path}/f")
    assert (tmp_path / "dir").is_dir()
    (tmp_path / "f").touch()
    assert remove(tmp_path).ok
    assert remove(tmp_path) == ActionResult(ok=True, summary=f"{tmp_path}/f was not there")
    assert remove(tmp_path, "/none/f").ok


def test_remove_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    assert remove(tmp_path).summary == f"can't remove {tmp_path}/f: it is a directory"
    with forbidden(tmp_path / "f"):
        assert "permission denied" in remove(tmp_path, "/f/x").summary
    assert (tmp_path / "f").is_dir()
