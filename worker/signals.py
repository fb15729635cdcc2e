"""Which signals a nursery and a keeper hear: that a child has ended, and nothing else."""

import os
import signal

_NOT_HEARD = tuple(map(int, signal.valid_signals() - {signal.SIGCHLD}))


def hear_children() -> int:
    """Hold every other signal back; return what becomes readable when a child ends.

    What is held back neither ends nor disturbs us. A command must be born without that mask.
    """
    bell, rope = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_SETMASK, _NOT_HEARD)
    return bell
