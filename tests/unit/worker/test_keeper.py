"""The keeper: a command gets what it was given and nothing else, and tells what it did."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.worker.children import LIBRARYS_OWN, script
from worker.keeper import Ending, Spawn, run
from worker.process_tree import descendants
from worker.root import Root
from worker.standby import STANDBY


def shell(text: str, *, timeout: float = 10, **options: object) -> Ending:
    """Run a line of shell and return its ending."""
    return run(Spawn(("/bin/sh", "-c", text), Root(), timedelta(seconds=timeout), **options))  # type: ignore[arg-type]


def descriptors(process: int | str) -> set[str]:
    """Return the numbers of what a process has open."""
    return {path.name for path in Path(f"/proc/{process}/fd").iterdir()}


def test_run_a_command_tells_its_code_and_its_output() -> None:
    ending = shell("echo out; echo err >&2; exit 3")
    assert (ending.exit_code, ending.signal, ending.timed_out, ending.error) == (3, None, False, "")
    assert (ending.stdout.text, ending.stderr.text) == ("out\n", "err\n")
    assert timedelta(0) < ending.duration < timedelta(seconds=5)
    assert (ending.killed, ending.surviving) == (0, 0)


def test_run_a_command_ended_by_a_signal_tells_the_signal() -> None:
    ending = shell("kill -9 $$")
    assert (ending.exit_code, ending.signal, ending.killed) == (None, 9, 0)


def test_run_much_output_on_both_streams_is_drained_and_bounded() -> None:
    """Neither stream blocks the other, and only the ends are kept."""
    ending = shell("head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2")
    assert ending.exit_code == 0
    assert (ending.stdout.bytes, ending.stderr.bytes) == (3_000_000, 2_000_000)
    assert len(ending.stdout.head) == len(ending.stdout.tail) == 65536


def test_run_large_input_reaches_the_command() -> None:
    ending = shell("wc -c", stdin="é" * 500_000)
    assert ending.stdout.text.strip() == "1000000"


def test_run_input_that_nobody_reads_is_no_error() -> None:
    assert shell("exec 0<&-; exit 0", stdin="x" * 1_000_000).exit_code == 0


def test_run_without_input_gives_an_empty_one() -> None:
    assert shell("wc -c").stdout.text.strip() == "0"


def test_run_environment_is_built_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the executor has in its environment stays there."""
    monkeypatch.setenv("LD_PRELOAD_NOT", "x")
    monkeypatch.setenv("PATH", "/nowhere")
    spawn = Spawn(("/usr/bin/env",), Root(), timedelta(seconds=5), env={"A": "b"}, marker="r:0:1")
    assert sorted(run(spawn).stdout.text.splitlines()) == sorted(
        [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG=C.UTF-8",
            f"HOME={Root().home()}",
            "A=b",
            "DENREI_STEP=r:0:1",
        ]
    )


def test_run_umask_directory_and_session_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    script(tmp_path / "bin/tool", "umask; pwd; cut -d' ' -f6 /proc/$$/stat; echo $$; echo $0")
    spawn = Spawn(("/bin/tool",), Root(tmp_path), timedelta(seconds=5), cwd="/work")
    umask, directory, session, pid, name = run(spawn).stdout.text.split()
    assert (umask, directory) == ("0077", str(tmp_path / "work"))
    assert session == pid
    assert name == str(tmp_path / "bin/tool")


def test_run_open_files_of_the_executor_are_nobodys(tmp_path: Path) -> None:
    """Neither the command nor its keeper holds what the executor has open, locks above all."""
    with (tmp_path / "ledger").open("w") as ledger:
        os.set_inheritable(ledger.fileno(), True)  # noqa: FBT003 - a C signature
        ending = shell("ls -l /proc/$PPID/fd /proc/$$/fd", lock_path=tmp_path / "lock")
    assert "ledger" not in ending.stdout.text
    own = ending.stdout.text.split("/fd:")[2]
    assert own.count("->") == 3


def test_run_ignored_signals_are_default_in_the_command() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        said = shell("grep -E 'Sig(Ign|Blk)' /proc/self/status").stdout.text.split()
    finally:
        signal.signal(signal.SIGINT, before)
    blocked, ignored = (int(word, 16) for word in said[1::2])
    assert (blocked, ignored & ~LIBRARYS_OWN) == (0, 0)


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (("/no/such",), "no such program: {root}/no/such"),
        (("/plain",), "{root}/plain: permission denied"),
        (("/",), "{root}: permission denied"),
        (("/lost",), "{root}/lost: its interpreter is missing"),
        (("/empty",), "{root}/empty: no program, or a script without a #! line"),
        (("/tool", "a\0b"), "embedded null byte"),
        (("tool",), "tool: a program needs its absolute path"),
        (("/tool", "x" * 3_000_000), "{root}/tool: argument list too long"),
    ],
)
def test_run_what_can_not_start_says_why(tmp_path: Path, argv: tuple[str, ...], error: str) -> None:
    script(tmp_path / "tool", "exit 0")
    (tmp_path / "plain").write_text("")
    script(tmp_path / "lost", "").write_text("#!/no/interpreter\n")
    script(tmp_path / "empty", "").write_text("no program\n")
    ending = run(Spawn(argv, Root(tmp_path), timedelta(seconds=5), stdin="x"))
    assert ending.error == error.format(root=tmp_path)
    assert (ending.exit_code, ending.signal, ending.timed_out) == (None, None, False)


def test_run_in_a_missing_directory_names_the_directory(tmp_path: Path) -> None:
    script(tmp_path / "tool", "exit 0")
    spawn = Spawn(("/tool",), Root(tmp_path), timedelta(seconds=5), cwd="/gone")
    assert run(spawn).error == f"{tmp_path}/gone: no such file or directory"


def test_run_leaves_no_descriptor_and_no_child_behind() -> None:
    """But for the keeper that stands by, which is ended like any other thing."""
    STANDBY.dismiss()
    before, children = descriptors("self"), descendants(os.getpid())
    for _ in range(3):
        shell("exit 0")
    STANDBY.dismiss()
    assert descriptors("self") == before
    assert [process.pid for process in descendants(os.getpid())] == [each.pid for each in children]
