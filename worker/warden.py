"""The keeper's own process: starts one command and sees that nothing of it outlives the step.

It is forked from the executor for each command. Being the subreaper (prctl(2)), it becomes the
parent of every orphan below it, so that no daemon slips away by a double fork or a new session.
Where there may be one, it is born in the command's own control group, which outlives it and is
ended in one stroke; it steps out of it only if there is something to end.
"""

import ctypes
import math
import os
import signal
from collections.abc import Callable
from datetime import timedelta

from worker.launch import Launch, why_not
from worker.proc import boot_clock
from worker.process_tree import ProcessTree
from worker.spawn import Ending, Spawn
from worker.watch import Watch

_PR_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None, use_errno=True).prctl
_LAST_WORDS_S = 0.25  # for what is about to exit anyway, and for output that is on its way
_KILL_S = 10.0  # what KILL does not end in this time hangs in the kernel, or is not ours to end

# Nothing else ends the keeper or disturbs it; the command is born without this mask.
_NOT_HEARD = tuple(map(int, signal.valid_signals() - {signal.SIGCHLD}))


def keep(
    launch: Launch,
    tree: ProcessTree,
    life: int,
    exited: Callable[[], None],
    tell: Callable[[Ending], None],
) -> None:
    """Run the command to its end, tell of it, and return when nothing of it lives.

    `exited` is called first of all when the command has exited by itself and in time: what lives
    from then on may be a service.
    """
    begun = boot_clock()
    bell = _become_subreaper()
    try:
        process = launch.start()
    except (OSError, ValueError) as error:
        tell(Ending(error=why_not(error, launch.argv[0])))
        return
    os.chdir("/")  # nobody is to wait for us to leave
    watch = Watch(process, tree, launch.spawn, life, bell)
    _follow(watch, launch.spawn, begun, exited, tell)
    if watch.is_orphaned:  # nobody else removes the group
        tree.leave()


def _follow(
    watch: Watch,
    spawn: Spawn,
    begun: float,
    exited: Callable[[], None],
    tell: Callable[[Ending], None],
) -> None:
    watch.wait(
        lambda: watch.status is not None or watch.is_orphaned,
        until=begun + spawn.timeout.total_seconds(),
    )
    in_time = watch.status is not None
    is_normal = watch.status is not None and os.WIFEXITED(watch.status)
    if is_normal:
        exited()
    leaves = spawn.leaves_daemon and is_normal
    killed = _end(watch, spawn.grace.total_seconds(), leaves=leaves)
    bound = watch.tree.set_free() if leaves else ""
    watch.stop_reading()  # whoever still holds a pipe keeps nobody waiting
    tell(
        Ending(
            *_exit(watch.status),
            timed_out=not in_time and not watch.is_orphaned,
            stdout=watch.stdout.captured(),
            stderr=watch.stderr.captured(),
            duration=timedelta(seconds=boot_clock() - begun),
            killed=len(killed),
            surviving=0 if leaves or watch.is_tree_gone() else len(watch.tree.pids()),
            bound=bound,
        )
    )
    if not leaves:
        watch.wait(watch.is_tree_gone, until=math.inf)


def _end(watch: Watch, grace_s: float, *, leaves: bool) -> set[int]:
    if watch.status is not None:  # give what is about to exit the time to do so
        watch.wait(lambda: watch.is_silent() and (leaves or watch.is_tree_gone()), _soon())
    if leaves or watch.is_tree_gone():
        return set()
    killed = watch.end_tree(grace_s, _KILL_S)
    watch.wait(watch.is_silent, _soon())
    return killed


def _soon() -> float:
    return boot_clock() + _LAST_WORDS_S


def _exit(status: int | None) -> tuple[int | None, int | None]:
    """Return the exit code and the signal; one of them is None."""
    if status is None:
        return None, None
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)


def _become_subreaper() -> int:
    """Take over every orphan below us; return what becomes readable when a child exits."""
    if _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "can't become a subreaper")
    bell, rope = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_SETMASK, _NOT_HEARD)
    return bell
