"""Following one command: its pipes, the exits below it, and the executor that asked for it."""

import os
import select
import signal
from collections.abc import Callable

from worker.capture import Capture
from worker.launch import Launch, Process
from worker.proc import boot_clock
from worker.process_tree import ProcessTree

_CHUNK = 64 * 1024
_LONGEST_LOOK_S = 1.0  # a select sleeps through a suspended machine; the boot clock does not
_BETWEEN_LOOKS_S = 0.05
_BETWEEN_KILLS_S = 0.01  # some fork on meanwhile


class Watch:
    """The keeper's view of a running command."""

    def __init__(
        self, process: Process, tree: ProcessTree, launch: Launch, life: int, bell: int
    ) -> None:
        """Follow the pipes; `life` ends with the executor, `bell` rings when a child exits."""
        self.tree = tree
        self.leader = process.pid
        self.status: int | None = None  # of waitpid, once the leader has exited
        self.is_orphaned = False
        self.has_children = True
        self._is_gone = False
        self.stdout, self.stderr = Capture(launch.forms), Capture(launch.forms)
        self._outputs = {process.stdout: self.stdout, process.stderr: self.stderr}  # still open
        self._life, self._bell = life, bell
        self._stdin = memoryview(launch.stdin or b"")
        self._poll = select.poll()
        for fd in (process.stdout, process.stderr, life, bell):
            self._poll.register(fd, select.POLLIN)
        self._input = {process.stdin} if process.stdin is not None else set()  # still open
        for fd in self._input:
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLOUT)

    def wait(self, done: Callable[[], bool], until: float, look_s: float = _LONGEST_LOOK_S) -> None:
        """Serve the pipes until something is so or the boot clock has reached a moment."""
        self._reap()
        while not done() and (left := until - boot_clock()) > 0:
            for fd, _ in self._poll.poll(min(left, look_s) * 1000):
                self._serve(fd)
            self._reap()

    def end_tree(self, grace_s: float, kill_s: float) -> set[int]:
        """Send TERM to all below us, after a grace KILL until nothing is left; tell to whom."""
        told = self.tree.signal(signal.SIGTERM)
        self.tree.signal(signal.SIGCONT)  # or the stopped ones would never hear of it
        self.wait(self.is_tree_gone, boot_clock() + grace_s, _BETWEEN_LOOKS_S)
        until = boot_clock() + kill_s
        while not self.is_tree_gone() and boot_clock() < until:
            told |= self.tree.signal(signal.SIGKILL)
            next_look = min(until, boot_clock() + _BETWEEN_KILLS_S)
            self.wait(self.is_tree_gone, next_look, _BETWEEN_KILLS_S)
        return told

    def is_tree_gone(self) -> bool:
        """Tell whether nothing lives below us or in the command's group.

        Exact, other than a look at /proc: as the subreaper we are above every descendant, so one
        that lives has one of our own children above it. Once so it stays so.
        """
        self._is_gone = self._is_gone or not (self.has_children or self.tree.has_members())
        return self._is_gone

    def is_silent(self) -> bool:
        return not self._outputs

    def close(self) -> None:
        """Let go of the command's pipes."""
        for fd in (*self._outputs, *self._input):
            self._forget(fd)

    def _serve(self, fd: int) -> None:
        if fd in self._outputs:
            self._read(fd)
        elif fd == self._bell:
            os.read(fd, _CHUNK)
        elif fd == self._life:
            self.is_orphaned = True
            self._poll.unregister(fd)
        else:
            self._write(fd)

    def _reap(self) -> None:
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.leader:
                    self.status = ended[1]
        except ChildProcessError:
            self.has_children = False

    def _read(self, fd: int) -> None:
        if chunk := os.read(fd, _CHUNK):
            self._outputs[fd].add(chunk)
        else:
            self._forget(fd)

    def _write(self, fd: int) -> None:
        try:
            self._stdin = self._stdin[os.write(fd, self._stdin[:_CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._stdin = self._stdin[:0]  # nobody reads: so be it
        if not self._stdin:
            self._forget(fd)

    def _forget(self, fd: int) -> None:
        self._outputs.pop(fd, None)
        self._input.discard(fd)
        self._poll.unregister(fd)
        os.close(fd)
