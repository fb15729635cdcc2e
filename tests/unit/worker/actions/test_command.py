"""The action command: its files are there while it runs, and never after."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from contract.action import Command, CommandFile, FileRemove
from tests.unit.worker.children import script
from worker.actions.action import ActionResult, Context
from worker.actions.command import run_command
from worker.actions.scrub import scrub, scrub_paths
from worker.root import Root

SECRET = CommandFile(path="/etc/onboard.conf", content="KEY=secret\n")


def act(root: Path, text: str, timeout: float = 10, **more: object) -> ActionResult:
    """Run a script as the action would, with a secret file beside it."""
    script(root / "tool", text)
    (root / "etc").mkdir(exist_ok=True)
    arguments = Command(argv=["/tool"], files=[SECRET], **more)  # type: ignore[arg-type]
    grace = timedelta(milliseconds=200)
    return run_command(arguments, Context(Root(root), timedelta(seconds=timeout), grace=grace))


def test_run_a_command_finds_its_files_and_input(tmp_path: Path) -> None:
    text = "cat; cat $PWD/onboard.conf; stat -c %a onboard.conf; echo $A"
    result = act(tmp_path, text, cwd="/etc", stdin="in\n", env={"A": "b"})
    assert (result.ok, result.summary) == (True, "exit code 0")
    assert result.ending
    assert result.ending.stdout.text == "in\nKEY=secret\n600\nb\n"
    assert not (tmp_path / "etc/onboard.conf").exists()


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("exit 3", "exit code 3"),
        ("kill -9 $$", "killed by signal 9"),
        ("sleep 99", "timed out after 0.3s: 2 processes ended"),
        ("sleep 98 >&- 2>&- & exit 0", "exit code 0; 1 left-over processes ended"),
    ],
)
def test_run_however_it_ends_nothing_secret_stays(tmp_path: Path, text: str, summary: str) -> None:
    (tmp_path / "var").mkdir()
    text = f"echo secret > {tmp_path}/var/copy; {text}"
    result = act(tmp_path, text, timeout=0.3, scrub=["/var/copy", "/var/none"])
    assert result.summary == summary
    assert result.ok == summary.startswith("exit code 0")
    assert list((tmp_path / "etc").iterdir()) == list((tmp_path / "var").iterdir()) == []


def test_run_what_does_not_start_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    arguments = Command(argv=["/none"], files=[SECRET])
    result = run_command(arguments, Context(Root(tmp_path), timedelta(seconds=5)))
    assert (result.ok, result.summary) == (
        False,
        f"did not start: no such program: {tmp_path}/none",
    )
    assert list((tmp_path / "etc").iterdir()) == []


def test_run_whose_file_can_not_be_written_does_not_run(tmp_path: Path) -> None:
    script(tmp_path / "tool", f"touch {tmp_path}/ran")
    arguments = Command(argv=["/tool"], files=[SECRET])
    result = run_command(arguments, Context(Root(tmp_path), timedelta(seconds=5)))
    assert not result.ok
    assert "can't write" in result.summary
    assert "no such file or directory" in result.summary
    assert not (tmp_path / "ran").exists()


def test_run_with_a_link_at_the_files_place_does_not_write_through_it(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/shadow").write_text("precious")
    (tmp_path / "etc/onboard.conf").symlink_to("shadow")
    assert act(tmp_path, "exit 0").ok
    assert (tmp_path / "etc/shadow").read_text() == "precious"


def test_run_a_secret_that_can_not_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    result = act(tmp_path, "exit 0", scrub=["/dir"])
    assert not result.ok
    assert result.summary == f"exit code 0; can't remove {tmp_path}/dir: is a directory"


def test_run_work_meanwhile_that_fails_still_removes_the_files(tmp_path: Path) -> None:
    """Also when it is the executor's own work that breaks off."""
    (tmp_path / "etc").mkdir()

    def fail(_: int) -> None:
        raise KeyboardInterrupt

    script(tmp_path / "tool", "exit 0")
    context = Context(Root(tmp_path), timedelta(seconds=5), await_readable=fail)
    with pytest.raises(KeyboardInterrupt):
        run_command(Command(argv=["/tool"], files=[SECRET]), context)
    os.waitpid(-1, 0)  # the keeper, which then ends on its own
    assert list((tmp_path / "etc").iterdir()) == []


def test_scrub_paths_of_a_command_are_its_files_and_more(tmp_path: Path) -> None:
    arguments = Command(argv=["/tool"], files=[SECRET], scrub=["/x"])
    root = Root(tmp_path)
    assert scrub_paths(arguments, root) == [tmp_path / "etc/onboard.conf", tmp_path / "x"]
    assert scrub_paths(FileRemove(path="/x"), root) == []
    assert scrub(scrub_paths(arguments, root)) == []
