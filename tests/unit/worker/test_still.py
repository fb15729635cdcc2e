"""The proof that nothing was changed can fail: each kind of change is caught."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.worker.still import ChangedError, still

CHANGES: dict[str, Callable[[Path], object]] = {
    "write": lambda path: path.write_text("x"),
    "append": lambda path: path.open("a"),
    "open to write": lambda path: os.open(path, os.O_WRONLY),
    "open to read and write": lambda path: os.open(path, os.O_RDWR),
    "remove": Path.unlink,
    "rename": lambda path: path.rename(path.with_name("other")),
    "mode": lambda path: path.chmod(0o600),
    "owner": lambda path: os.chown(path, -1, -1),
    "time": os.utime,
    "link": lambda path: path.with_name("link").symlink_to(path),
    "directory": lambda path: path.with_name("new").mkdir(),
    "truncate": lambda path: os.truncate(path, 0),
    "signal": lambda _path: os.kill(os.getppid(), signal.SIGCONT),
    "start": lambda _path: os.fork(),
    "program": lambda _path: subprocess.run(["/bin/true"], check=False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_any_kind_is_caught(change: str, tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.write_text("before")
    with pytest.raises(ChangedError):
        still(lambda: CHANGES[change](path) and None)
    assert path.read_text() == "before"


def test_a_program_that_changes_something_is_caught(tmp_path: Path) -> None:
    """The filter is inherited: it ends the program, too."""

    def run(*argv: str) -> int:
        return still(lambda: subprocess.run(argv, check=False).returncode, may_start=True)

    assert run("/bin/cat", "/dev/null") == 0
    assert run("/bin/mkdir", str(tmp_path / "new")) == 1
    assert run("/bin/touch", str(tmp_path / "new")) == -signal.SIGSYS
    assert list(tmp_path.iterdir()) == []


def test_looking_is_allowed(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x")
    assert still((tmp_path / "there").read_text) == "x"
