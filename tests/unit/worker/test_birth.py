"""The birth of a command: in its group from the first instant, and told of if it fails."""

import errno
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import worker.birth
from worker.birth import Process, start
from worker.cgroup import Cgroup, own_group
from worker.process_control import ProcessControl
from worker.root import Root
from worker.spawn import Spawn

NO_SUCH_CALL = 100_000  # the kernel answers ENOSYS, as an old one to clone3

with_groups = pytest.mark.parametrize("control", [ProcessControl.CGROUP], indirect=True)


@pytest.fixture
def group(control: ProcessControl) -> Iterator[Cgroup]:
    assert control is ProcessControl.CGROUP
    with own_group(f"denrei-birth:{os.getpid()}") as group:
        assert group
        yield group


def spawn(*argv: str, cwd: str = "/", stdin: str | None = None) -> Spawn:
    return Spawn(argv, Root(Path("/")), timeout=timedelta(seconds=5), cwd=cwd, stdin=stdin)


def said(process: Process) -> str:
    """Return what a process says until its end."""
    with os.fdopen(process.stdout, "rb") as out, os.fdopen(process.stderr, "rb") as err:
        text = (out.read() + err.read()).decode()
    assert os.waitpid(process.pid, 0)[1] == 0, text
    return text


@with_groups
def test_start_in_a_group_first_thing_seen_is_the_group(group: Cgroup) -> None:
    text = said(start(spawn("/bin/cat", "/proc/self/cgroup"), group))
    assert group.path.name in text


@with_groups
def test_start_kernel_without_clone3_the_process_moves_itself_first(
    group: Cgroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.birth, "_SYS_CLONE3", NO_SUCH_CALL)
    text = said(start(spawn("/bin/cat", "/proc/self/cgroup"), group))
    assert group.path.name in text


@with_groups
def test_start_group_that_is_gone_the_command_runs_where_we_are(group: Cgroup) -> None:
    gone = Cgroup(group.path / "gone")
    assert said(start(spawn("/bin/echo", "here"), gone)) == "here\n"


def test_start_command_sees_nothing_of_ours() -> None:
    """A session of its own, no descriptor but the three, no signal ignored, a strict umask."""
    script = "ls /proc/self/fd; umask; grep SigIgn /proc/self/status; cut -d' ' -f6 /proc/$$/stat"
    process = start(spawn("/bin/sh", "-c", script), None)
    *seen, session = said(process).split()
    assert seen == ["0", "1", "2", "3", "0077", "SigIgn:", "0000000000000000"]  # 3: of ls
    assert int(session) == process.pid


def test_start_input_is_fed_or_empty() -> None:
    process = start(spawn("/bin/cat", stdin="x"), None)
    assert process.stdin is not None
    os.write(process.stdin, b"fed")
    os.close(process.stdin)
    assert said(process) == "fed"
    without = start(spawn("/bin/cat"), None)
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
    before = set(Path("/proc/self/fd").iterdir())
    with pytest.raises(OSError, match=os.strerror(code)) as caught:
        start(spawn(*argv, cwd=cwd), None)
    assert (caught.value.errno, caught.value.filename) == (code, blamed)
    assert set(Path("/proc/self/fd").iterdir()) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_start_argument_that_no_program_can_be_given_is_told() -> None:
    with pytest.raises(ValueError, match="null"):
        start(spawn("/bin/echo", "a\0b"), None)
