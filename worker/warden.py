"""Starts one command and sees that nothing of it outlives the step.

The keeper is the subreaper (prctl(2)), so it becomes the parent of every orphan below it, and no
daemon slips away by a double fork or a new session. Where there may be one, it was born in a group
of its own (cgroups(7)), in which its commands are born, too: a group outlives its keeper, and is
ended in one stroke. The keeper steps out of it only if there is something to end.
"""

import ctypes
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from worker.launch import Launch, why_not
from worker.proc import boot_clock
from worker.process_tree import ProcessTree
from worker.spawn import Ending
from worker.watch import Watch

_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36
_prctl = ctypes.CDLL(None, use_errno=True).prctl
_KILL_S = 10.0  # what KILL does not end in this time hangs in the kernel, or is not ours to end


@dataclass(frozen=True, slots=True)
class Warden:
    """Keeps one command at a time."""

    tree: ProcessTree
    bell: int  # becomes readable when a child ends

    def keep(
        self,
        launch: Launch,
        life: int,
        exited: Callable[[], None],
        tell: Callable[[Ending], None],
    ) -> bool:
        """Run the command to its end, tell of it, and return when nothing of it lives.

        `life` becomes readable when the executor is gone or wants the command ended. `exited` is
        called first of all when the command has exited by itself and in time: what lives from then
        on may be a service. Returns whether nothing had to be ended, and nothing was left.
        """
        begun = boot_clock()
        try:
            process = launch.start()
        except (OSError, ValueError) as error:
            tell(Ending(error=why_not(error, launch.program)))
            return True
        os.chdir("/")  # nobody is to wait for us to leave
        watch = Watch(process, self.tree, launch, life, self.bell)
        is_as_before = _follow(watch, launch, begun, exited, tell)
        if watch.is_orphaned:  # nobody else removes the group
            self.tree.leave()
        return is_as_before and not watch.is_orphaned


def _follow(
    watch: Watch,
    launch: Launch,
    begun: float,
    exited: Callable[[], None],
    tell: Callable[[Ending], None],
) -> bool:
    watch.wait(
        lambda: watch.status is not None or watch.is_orphaned,
        until=begun + launch.timeout_s,
    )
    in_time = watch.status is not None
    is_normal = watch.status is not None and os.WIFEXITED(watch.status)
    if is_normal:
        exited()
    leaves = launch.leaves_daemon and is_normal
    killed = _end(watch, launch, leaves=leaves)
    bound = watch.tree.set_free() if leaves else ""
    watch.close()  # whoever still holds a pipe keeps nobody waiting
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
    return not (killed or leaves)


def _end(watch: Watch, launch: Launch, *, leaves: bool) -> set[int]:
    if watch.status is not None:  # give what is about to exit the time to do so
        watch.wait(
            lambda: watch.is_silent() and (leaves or watch.is_tree_gone()),
            boot_clock() + launch.last_words_s,
        )
    if leaves or watch.is_tree_gone():
        return set()
    killed = watch.end_tree(launch.grace_s, _KILL_S)
    watch.wait(watch.is_silent, boot_clock() + launch.last_words_s)
    return killed


def _exit(status: int | None) -> tuple[int | None, int | None]:
    """Return the exit code and the signal; one of them is None."""
    if status is None:
        return None, None
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)


def become_subreaper() -> None:
    """Take over every orphan below us, and be known by a name of our own."""
    _prctl(_PR_SET_NAME, b"denrei-keeper", 0, 0, 0)
    if _prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "can't become a subreaper")
