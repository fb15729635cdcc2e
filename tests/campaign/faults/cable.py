"""A host's network cable: a namespace of its own, joined to this machine by two virtual ends."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

_CLONE_NEWNET = 0x40000000
_NOBODY = "02:00:00:00:00:99"  # frames for it reach nobody


class Cable:
    """One network namespace; what is started `within` it reaches this machine by the cable alone.

    Everything stays on this machine: the namespace has no route to anywhere else.
    """

    def __init__(self) -> None:
        """Choose names and addresses that another run on this machine has not."""
        tag = os.getpid() % 16_384
        self._name, self._end = f"dnr{tag}", f"dnr{tag}h"
        block = tag * 4
        net = f"10.99.{block >> 8 & 255}"
        self.near, self.far = f"{net}.{(block & 255) + 1}", f"{net}.{(block & 255) + 2}"

    @staticmethod
    def lacks() -> str:
        """Return what this machine lacks for it, or nothing."""
        if shutil.which("ip") is None:
            return "the program `ip`"
        test = f"dnrtest{os.getpid()}"
        tried = subprocess.run(["ip", "netns", "add", test], capture_output=True, check=False)
        if tried.returncode != 0:
            return "the right to make network namespaces"
        subprocess.run(["ip", "netns", "del", test], check=True)
        return ""

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        _ip("link", "add", self._end, "type", "veth", "peer", "name", "eth0", "netns", self._name)
        _ip("addr", "add", f"{self.near}/30", "dev", self._end)
        _ip("link", "set", self._end, "up")
        _ip("-n", self._name, "addr", "add", f"{self.far}/30", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", self._name, "link", "set", device, "up")
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", self._end)
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", self._name)

    @contextmanager
    def within(self) -> Iterator[None]:
        """Let this thread start processes inside the namespace."""
        here, far = Path("/proc/thread-self/ns/net"), Path("/run/netns", self._name)
        with here.open() as home, far.open() as there:
            _enter(there.fileno())
            try:
                yield
            finally:
                _enter(home.fileno())

    def pull(self) -> None:
        """Take the cable out: both ends see that it is gone."""
        _ip("link", "set", self._end, "down")

    def swallow(self) -> None:
        """Let frames vanish in both directions; neither end notices anything."""
        self._misdirect()
        _ip("-n", self._name, *_neighbour(self.near), "dev", "eth0", "nud", "permanent")

    def swallow_answers(self) -> None:
        """Let what the host sends arrive, and nothing come back."""
        self._misdirect()

    def mend(self) -> None:
        """Undo all of it."""
        _ip("link", "set", self._end, "up")
        for where, address, device in (((), self.far, self._end),
                                       (("-n", self._name), self.near, "eth0")):  # fmt: skip
            with suppress(subprocess.CalledProcessError):
                _ip(*where, "neigh", "del", address, "dev", device)

    def _misdirect(self) -> None:
        _ip(*_neighbour(self.far), "dev", self._end, "nud", "permanent")


def _neighbour(address: str) -> tuple[str, ...]:
    return ("neigh", "replace", address, "lladdr", _NOBODY)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _enter(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
