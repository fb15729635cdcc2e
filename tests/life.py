"""A piece of work in a process of its own, which may be killed."""

import os
import signal
import sys
import traceback
from collections.abc import Callable

Work = Callable[[], None]


class LifeError(Exception):
    """A process ended neither in order nor by SIGKILL: that is no crash but a defect."""


def live(work: Work) -> bool:
    """Do the work in a forked process; tell whether it lived to the end. Raises LifeError."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be(work)
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if (code := os.waitstatus_to_exitcode(status)) != 0:
        raise LifeError(f"a process broke: it ended with {code}; its traceback is above")
    return True


def _be(work: Work) -> None:
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - the parent's pytest must not see it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
