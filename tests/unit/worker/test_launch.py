"""Starts: a command has what it was given and nothing of ours, and a failure is told."""

import errno
import os
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.worker.children import LIBRARYS_OWN
from worker.launch import Process, prepare
from worker.root import Root
from worker.spawn import Spawn


@pytest.fixture(autouse=True)
def own_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Come back to the directory and the umask that a start leaves behind."""
    monkeypatch.chdir("/")
    umask = os.umask(0o022)
    yield
    os.umask(umask)


def spawn(*argv: str, cwd: str = "/", stdin: str | None = None) -> Spawn:
    return Spawn(argv, Root(Path("/")), timeout=timedelta(seconds=5), cwd=cwd, stdin=stdin)


def said(process: Process) -> str:
    """Return what a process says until its end."""
    with os.fdopen(process.stdout, "rb") as out, os.fdopen(process.stderr, "rb") as err:
        text = (out.read() + err.read()).decode()
    assert os.waitpid(process.pid, 0)[1] == 0, text
    return text


def start(spawn: Spawn) -> Process:
    return prepare(spawn).start()


@pytest.fixture
def deaf() -> Iterator[None]:
    """Ignore a signal, as under nohup, and hold another one back, as a keeper does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGHUP, before)


def children() -> list[str]:
    """Return our children, those included that others have left and nobody waits for."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.mark.usefixtures("deaf")
def test_start_command_sees_nothing_of_ours() -> None:
    """A session of its own, the three descriptors, all signals heard, a strict umask."""
    signals = "grep -hoP '(?<=Sig(Ign|Blk):\\t).*' /proc/self/status"
    script = f"ls /proc/self/fd; umask; {signals}; cut -d' ' -f6 /proc/$$/stat"
    process = start(spawn("/bin/sh", "-c", script))
    *seen, held_back, ignored, session = said(process).split()
    assert seen == ["0", "1", "2", "3", "0077"]  # 3: of ls
    assert int(held_back, 16) == 0
    assert int(ignored, 16) & ~LIBRARYS_OWN == 0
    assert int(session) == process.pid


def test_start_input_is_fed_or_empty() -> None:
    process = start(spawn("/bin/cat", stdin="x"))
    assert process.stdin is not None
    os.write(process.stdin, b"fed")
    os.close(process.stdin)
    assert said(process) == "fed"
    without = start(spawn("/bin/cat"))
    assert without.stdin is None
    assert said(without) == ""


@pytest.mark.parametrize(
    ("argv", "cwd", "code", "blamed"),
    [
        (("/no/such",), "/", errno.ENOENT, "/no/such"),
        (("/bin/true",), "/no/folder", errno.ENOENT, "/no/folder"),
        (("/etc/passwd",), "/", errno.EACCES, "/etc/passwd"),
    ],
)
def test_start_that_fails_tells_the_reason_and_the_file_and_leaves_nothing(
    argv: tuple[str, ...], cwd: str, code: int, blamed: str
) -> None:
    before, born_before = set(Path("/proc/self/fd").iterdir()), children()
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        start(spawn(*argv, cwd=cwd))
    assert (caught.value.errno, os.fsdecode(caught.value.filename)) == (code, blamed)
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert children() == born_before


def test_start_argument_that_no_program_can_be_given_is_told() -> None:
    with pytest.raises(ValueError, match="null"):
        start(spawn("/bin/echo", "a\0b"))
