"""A fleet whose wires, disks and clocks can be made to fail."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from lab.fleet import Fleet
from lab.host_folder import host_config
from lab.process import alive
from tests.campaign.faults.cable import Cable
from tests.campaign.faults.wall_clock import WallClock
from tests.tunnel import Tunnel
from tests.waiting import eventually
from worker.courier_config import load_courier_config

PLAIN, FRAIL, FAR = "web1", "web2", "web3"  # FRAIL: tiny disk and own clock; FAR: own cable
SERVER = "server"
DISK_BYTES = 4 * 1024 * 1024


def disk_lacks() -> str:
    """Return what this machine lacks for a tiny disk of its own, or nothing."""
    return "" if os.geteuid() == 0 and _mounts_allowed() else "the right to mount"


def _mounts_allowed() -> bool:
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"],
        capture_output=True, check=False,
    )  # fmt: skip
    return tried.returncode == 0


LACKS: Mapping[str, Callable[[], str]] = {
    "cable": Cable.lacks,
    "disk": disk_lacks,
    "clock": WallClock.lacks,
}


class FaultFleet(Fleet):
    """Every party reaches Redis through a tunnel of its own."""

    def __init__(self, directory: Path, names: Iterable[str] = (PLAIN, FRAIL, FAR)) -> None:
        """Find out what the machine allows; nothing is started yet."""
        names = tuple(names)
        self.directory = directory
        self.tunnels: dict[str, Tunnel] = {}
        self.lacks = {what: look() for what, look in LACKS.items()} if len(names) > 1 else {}
        self._equipment = ExitStack()
        super().__init__(directory, names)

    def has(self, what: str) -> bool:
        """Tell whether this fleet has a cable, a disk or a clock that can fail."""
        return self.lacks.get(what) == ""

    def __enter__(self) -> Self:
        """Mount and connect what is to fail, then start everything."""
        try:
            if self.has("disk"):
                self._mount()
            if self.has("clock"):
                self.clock = WallClock(self.directory)
            if self.has("cable"):
                self.cable = self._equipment.enter_context(Cable())
            return super().__enter__()
        except BaseException:
            self._equipment.close()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything, then let go of the equipment."""
        super().__exit__(kind, error, trace)
        self._equipment.close()

    def broker(self, name: str) -> str:
        """Return a tunnel's address; the far host's is at its end of the cable."""
        address = self.cable.near if name == FAR and self.has("cable") else "127.0.0.1"
        tunnel = self._equipment.enter_context(Tunnel(self.redis.port, address))
        self.tunnels[name] = tunnel
        return tunnel.url

    def _add_host(self, name: str) -> None:
        """Let a host in by the server's way, then lead its courier through its own tunnel."""
        super()._add_host(name)
        path = host_config(self.hosts[name].directory).courier_config
        config = replace(load_courier_config(path), broker=self.broker(name))
        path.write_text(config.to_yaml())

    def start_host(self, name: str) -> None:
        """Start a host's worker where it belongs: behind its cable, by its own clock."""
        host = self.hosts[name]
        if name == FRAIL and self.has("clock"):
            worker = host.worker
            host.worker = replace(worker, settings={**worker.settings, **self.clock.environment})
        if name == FAR and self.has("cable"):
            with self.cable.within():
                self.keep(name, host.start())
        else:
            self.keep(name, host.start())

    @property
    def disk(self) -> Path:
        """Where the frail host's state is."""
        return self.directory / FRAIL / "state"

    def remount(self, *options: str) -> None:
        """Mount the frail host's disk anew with other options, once nobody writes to it."""
        command = ["mount", "-o", ",".join(("remount", *options)), str(self.disk)]
        eventually(
            lambda: subprocess.run(command, check=False, capture_output=True).returncode == 0,
            what=f"{' '.join(options)}: the disk is in nobody's hands",
        )

    def _mount(self) -> None:
        self.disk.mkdir(parents=True)
        options = f"size={DISK_BYTES}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.disk], check=True)
        self._equipment.callback(lambda: subprocess.run(["umount", self.disk], check=True))

    def processes(self, name: str) -> list[psutil.Process]:
        """Return a service's supervisor and all below it."""
        with suppress(psutil.NoSuchProcess):
            supervisor = psutil.Process(self.services[name].process.pid)
            return [supervisor, *supervisor.children(recursive=True)]
        return []

    def kill_all(self, name: str) -> None:
        """End a supervisor and all below it at once, as when the power goes."""
        doomed = self.processes(name)
        for process in doomed:  # stopped first, so that nobody sees another one die
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        doomed = [*{*doomed, *self.processes(name)}]
        for process in doomed:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.services[name].process.wait()
        eventually(lambda: not any(alive(process.pid) for process in doomed), what="their ends")
