"""A whole small world on loopback: broker, orchestrator, cloud, and hosts with their workers."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from lab.cloud import Cloud, Workspace
from lab.command import Script, Service
from lab.host import LabError, LabHost
from lab.redis import EmbeddedRedis

READY_WITHIN_S = 60.0


class FleetHost:
    """One host of the fleet: a directory with an agent in it, and a worker of its own."""

    def __init__(self, directory: Path, name: str, cloud: Cloud) -> None:
        """Install the stand-in agent; the worker's files come with `join`."""
        self.name = name
        self.directory = directory
        self.agent = LabHost(directory / "root", name, cloud)
        self.worker = Script(
            "denrei-worker", {"DENREI_WORKER_CONFIG": str(directory / "etc" / "worker.yaml")}
        )

    def join(self, denrei: Script) -> None:
        """Become a host of an orchestrator's: its server must be running."""
        state, root = self.directory / "state", self.directory / "root"
        token = denrei.must("host", "enrol", self.name).out
        self.worker.must("enrol", "-", "--state", str(state), "--root", str(root), given=token)

    def start(self) -> Service:
        """Start courier and executor."""
        return self.worker.start(self.directory / "worker.log", "run")


class Fleet:
    """Broker, orchestrator, cloud and hosts; all of it ends with the `with` block."""

    def __init__(self, directory: Path, names: Iterable[str], *, beat: bool = False) -> None:
        """Name the hosts; nothing is started yet."""
        self._stack = ExitStack()
        self._directory = directory
        self._names = tuple(names)
        self._beat = beat
        self.home = directory / "orchestrator"
        settings = {"DENREI_HOME": str(self.home), "COLUMNS": "80"}
        self.denrei = Script("denrei", settings, directory)
        self.hosts: dict[str, FleetHost] = {}
        self.services: dict[str, Service] = {}

    def __enter__(self) -> Self:
        """Start everything; what was started is stopped again if something fails."""
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop everything; told all at once, so that they end side by side."""
        for service in self.services.values():
            service.process.terminate()
        self._stack.close()

    def _start(self) -> None:
        self.redis = self._stack.enter_context(EmbeddedRedis(self._directory / "redis"))
        self.cloud = self._stack.enter_context(Cloud(self._directory / "cloud"))
        self.workspace: Workspace = self.cloud.workspace()
        self.key_file = self._directory / "workspace.key"
        self.key_file.write_text(self.workspace.key)
        self.key_file.chmod(0o600)
        self.denrei.must("init", "--broker", self.broker("server"), "--operator", "demo")
        self.furnish()
        arguments = ("server", "--beat") if self._beat else ("server",)
        self.start("server", self.denrei, *arguments)
        for name in self._names:
            self._add_host(name)
            self.start_host(name)

    def furnish(self) -> None:
        """Set up what the new home needs besides; nothing as a rule."""

    def broker(self, _name: str) -> str:
        """Return where a host, or the `server`, is to look for the broker."""
        return self.redis.url

    def _add_host(self, name: str) -> None:
        host = FleetHost(self._directory / name, name, self.cloud)
        self._stack.callback(host.agent.stop)
        host.join(self.denrei)
        self.hosts[name] = host

    def start_host(self, name: str) -> None:
        """Start a host's worker."""
        self.keep(name, self.hosts[name].start())

    def start(self, name: str, script: Script, *arguments: str) -> None:
        """Start a console script in the background and keep it until the end."""
        self.keep(name, script.start(self._directory / f"{name}.log", *arguments))

    def keep(self, name: str, service: Service) -> None:
        """Stop a service when the fleet ends."""
        self.services[name] = service
        self._stack.callback(service.stop)

    def await_workers(self, within: float = READY_WITHIN_S) -> None:
        """Wait until every host has answered a signed ping. Raises LabError."""
        until = time.monotonic() + within
        for name in self.hosts:
            left = max(until - time.monotonic(), 1.0)
            done = self.denrei.run("host", "ping", name, "--timeout", f"{left:.0f}s")
            if done.code != 0:
                raise LabError(f"{name} does not answer: {done.err.strip()}")
