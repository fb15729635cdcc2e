"""The executor's end of a keeper: a socket over which it is handed one command after another."""

import os
import select
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from worker.cgroup import make
from worker.keeping import be_keeper


class KeeperLink:
    """The executor's end of a keeper."""

    def __init__(self) -> None:
        """Fork it, in a control group of its own where there may be one. Raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._owner = os.getpid()
        self._socket = ours
        self.group = make(f"denrei-{self._owner}-{time.monotonic_ns():x}")
        with theirs:
            self._pid = be_keeper(theirs, self.group)

    @property
    def is_at_hand(self) -> bool:
        """Tell whether it is ours, and lives."""
        if self._socket.fileno() < 0 or self._owner != os.getpid():
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def entrust(self, descriptors: Sequence[int]) -> None:
        """Give it a command: the descriptors that `keeping` names, which stay ours, too.

        If it is gone, nobody has them.
        """
        with suppress(ConnectionError):
            socket.send_fds(self._socket, [b"!"], descriptors)

    def is_ready_again(self) -> bool:
        """Wait until it is done with the command; tell whether it stands by for another one."""
        try:
            return self._socket.recv(1) != b""
        except ConnectionError:
            return False

    def leave(self) -> None:
        """Have no more to do with it: it ends when it is done."""
        self._socket.close()

    def end(self) -> None:
        """End it, which has no command to keep."""
        self._socket.close()
        if self._owner != os.getpid():  # it is our parent's
            return
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        if self.group:
            self.group.remove()
