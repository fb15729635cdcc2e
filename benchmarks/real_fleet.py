"""Real hosts, by their console scripts: courier and executor as two services, as systemd has it."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self

from benchmarks.cost import cpu_ms, tree
from benchmarks.figure import NotMeasuredError
from benchmarks.store_watch import StoreWatch
from contract.loader import load_runbook
from lab.fleet import Fleet
from orchestrator.home import Home
from orchestrator.ping import send_ping
from orchestrator.submission import Submission, submit

RUNBOOK = Path(__file__).with_name("three_steps.yaml")
RUN_WITHIN_S = 120.0
_REST_WITHIN_S, _LOOK_S = 30.0, 0.1
_ROLES = ("courier", "executor")


class RealFleet(Fleet):
    """A server, a Redis and hosts; a host's two processes are services of their own."""

    worker = "denrei-worker"  # or the path of one that is installed elsewhere

    def start_host(self, name: str) -> None:
        """Start a host's courier and executor, and give it what the three steps need."""
        host = self.hosts[name]
        bin_, srv = host.agent.root / "usr/bin", host.agent.root / "srv"
        for directory in (bin_, srv):
            directory.mkdir(parents=True, exist_ok=True)
        shutil.copy2(shutil.which("touch") or "/usr/bin/touch", bin_ / "touch")
        for role in _ROLES:
            self.start_role(name, role)

    def start_role(self, name: str, role: str) -> None:
        """Start a host's courier or executor."""
        log = self._directory / f"{name}.{role}.log"
        script = replace(self.hosts[name].worker, name=self.worker)
        self.keep(f"{name} {role}", script.start(log, role))

    def configure(self, name: str, file: str, line: str) -> None:
        """Add a line to one of a host's settings; what runs does not read it again."""
        with (self._directory / name / "etc" / file).open("a") as settings:
            settings.write(f"{line}\n")

    def pids_of(self, name: str) -> list[int]:
        """Return a host's courier and executor."""
        return [self.services[f"{name} {role}"].process.pid for role in _ROLES]

    def await_rest(self, name: str) -> None:
        """Wait until no keeper stands by on a host. Raises NotMeasuredError."""
        until = time.monotonic() + _REST_WITHIN_S
        while any(len(tree(pid)) > 1 for pid in self.pids_of(name)):
            if time.monotonic() > until:
                raise NotMeasuredError(f"{name} does not come to rest")
            time.sleep(_LOOK_S)

    def all_pids(self) -> list[int]:
        """Return every process that carries an order out: server, Redis, and the hosts' own."""
        server = tree(self.services["server"].process.pid)
        hosts = [pid for name in self.hosts for root in self.pids_of(name) for pid in tree(root)]
        return [self.redis.pid or os.getpid(), *server, *hosts]


class Desk:
    """Submits the three steps in this process, and waits until the last report is stored."""

    def __init__(self, home: Path) -> None:
        """Open the home."""
        self._home = Home.open(home)
        self._store = self._home.open_store()
        self._watch = StoreWatch(home / "store.db")
        self._runbook = load_runbook(RUNBOOK.read_bytes(), RUNBOOK.name)
        self._number = 0
        self._numbers = count(time.time_ns() // 1_000_000_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.__exit__()
        self._store.close()

    def run(self, names: Sequence[str] = ()) -> float:
        """Run the three steps on hosts, or on all of them, so that each acts.

        Return the seconds until the last report is stored. Raises NotMeasuredError if a host did
        not do its work.
        """
        self._number = next(self._numbers)
        return self._run(names, "changed")

    def run_again(self, names: Sequence[str] = ()) -> float:
        """Do the same with the number of before: all is as it must be, and nothing acts."""
        return self._run(names, "ok")

    def ping(self, name: str) -> float:
        """Ask a host's executor for a signed pong; return the seconds until it is stored."""
        (host,) = [host for host in self._store.hosts.all() if host.name == name]
        begun = time.perf_counter()
        key = self._home.operator_key()
        ping = send_ping(host, self._home.operator, key, self._store)
        return self._watch.await_pong(ping.nonce, RUN_WITHIN_S) - begun

    def _run(self, names: Sequence[str], outcome: str) -> float:
        hosts = [host for host in self._store.hosts.targets() if not names or host.name in names]
        begun = time.perf_counter()
        submission = Submission(
            runbook=self._runbook,
            source=str(RUNBOOK),
            hosts=hosts,
            operator=self._home.operator,
            params={"number": self._number},
        )
        run = submit(submission, self._home.operator_key(), self._store)
        took = self._watch.await_reports(run.run_id, RUN_WITHIN_S) - begun
        expected = {outcome: len(hosts)}
        if (outcomes := self._watch.outcomes(run.run_id)) != expected:
            raise NotMeasuredError(f"the runs came to {outcomes}, not to {expected}")
        return took


def cpu_per_host_run(fleet: RealFleet, desk: Desk, runs: int) -> float:
    """Return the CPU time of all processes for one host run, in ms."""
    before = cpu_ms(fleet.all_pids())
    for _ in range(runs):
        desk.run()
    return (cpu_ms(fleet.all_pids()) - before) / (runs * len(fleet.hosts))


@contextmanager
def working(
    directory: Path, names: Sequence[str], worker: str = RealFleet.worker
) -> Iterator[tuple[RealFleet, Desk]]:
    """Give a fleet whose hosts have done their work once already."""
    made = RealFleet(directory, names)
    made.worker = worker
    with made as fleet, Desk(fleet.home) as desk:
        desk.run()
        yield fleet, desk
