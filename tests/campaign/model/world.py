"""A whole Denrei in one process: real parts, a wire that is a list, clocks that we set."""

import atexit
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from logging import CRITICAL
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

import msgspec
import structlog

from contract.envelope import PayloadType, peek
from contract.instant import now_ms
from contract.loader import load_runbook
from contract.names import REPORTS_QUEUE, host_queue
from contract.order import decode, letter_digest
from contract.report import Report
from orchestrator.cancellation import Cancellation, cancel
from orchestrator.home import Home
from orchestrator.submission import Submission, submit
from tests.campaign.model.laws import Laws, Run
from tests.campaign.model.sides import HOST, HostSide, OrchestratorSide, Room, settle
from tests.campaign.model.surroundings import Boundaries, Clocks, Fuse
from tests.campaign.model.wire import Wire
from tests.fleet_keys import FleetKeys
from tests.membership import join_home, make_member
from worker.config import Config
from worker.mailbox import Mailbox
from worker.spot import Spot

NOWHERE = "redis://127.0.0.1:1/0"
_MEMORY = Path("/dev/shm")  # noqa: S108 - every world has a directory of its own in there
_LONG_S = 301.0  # longer than any pause before something is sent again
_ROUNDS = 12

# The first and the third step may not be run again after an interruption, the second may.
_WORK = b"""\
name: work
observe:
  first: {file: {path: "/first-${run.id}"}}
  second: {file: {path: "/second-${run.id}"}}
steps:
  - name: first
    ensure: first.exists
    do: {file.write: {path: "/first-${run.id}", content: "1"}}
    within: 3s
  - name: second
    ensure: second.exists
    do: {file.write: {path: "/second-${run.id}", content: "2"}}
    within: 3s
    on_interrupt: rerun
  - name: third
    ensure: "!second.exists"
    do: {file.remove: {path: "/second-${run.id}"}}
    within: 3s
"""
_VAIN = b"""\
name: vain
observe:
  never: {file: {path: "/never-${run.id}"}}
steps:
  - name: first
    ensure: never.exists
    do: {file.write: {path: "/first-${run.id}", content: "1"}}
    within: 20s
"""
_RUNBOOKS = {"work": load_runbook(_WORK, "work.yaml"), "vain": load_runbook(_VAIN, "vain.yaml")}


class World:
    """One orchestrator, one host, and what lies between them."""

    def __init__(self) -> None:
        """Begin anew, with all in order."""
        self._stack = ExitStack()
        self._stack.callback(structlog.configure, **structlog.get_config())
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))
        self.path = Path(mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self._stack.callback(shutil.rmtree, self.path)
        self.meanwhile = False  # the courier goes on while a run is at work
        self.laws, self.clocks, self.fuse = Laws(), Clocks(), Fuse()
        self._stack.enter_context(self.clocks.installed())
        shutil.copytree(_template(), self.path, dirs_exist_ok=True)
        self.wire = Wire(self._hear, self.fuse.moment)
        self.host = HostSide(_config(self.path), self.wire, self.clocks)
        self._home = _home(self.path)
        self.orchestrator = OrchestratorSide(self._home, self.wire)
        guarded = self.host.guard(Mailbox._write)
        self._stack.enter_context(patch.object(Mailbox, "_write", guarded))
        self._stack.enter_context(Boundaries(self.fuse, self._witness).installed())

    def close(self) -> None:
        """Leave nothing behind."""
        self.fuse.set(0)
        self.host.stop()
        self.orchestrator.store.close()
        self._stack.close()

    def publish(self, name: str, expires_s: float, *, check: bool) -> None:
        """Submit a run."""
        self.clocks.pass_time(0.001)  # so that no two are of the same moment
        store = self.orchestrator.store
        submission = Submission(
            runbook=_RUNBOOKS[name],
            source=f"{name}.yaml",
            hosts=store.hosts.targets(),
            operator="anna",
            check=check,
            expires_in=timedelta(seconds=expires_s),
        )
        run = submit(submission, self._home.operator_key(), store)
        number = len(self.laws.runs) + 1
        expected = name == "work"
        self.laws.runs[run.run_id] = Run(number, run.expires_at, expected, check)

    def cancel(self, which: int, *, kill: bool) -> None:
        """Take back some run, if there is one."""
        if not self.laws.runs:
            return
        store, run_id = self.orchestrator.store, list(self.laws.runs)[which % len(self.laws.runs)]
        run, share = store.runs.get(run_id), store.runs.host_run(run_id, HOST)
        assert run is not None
        assert share is not None
        self.laws.runs[run_id].cancelled = True
        self.clocks.pass_time(0.001)
        asked = Cancellation(run=run, host_runs=[share], operator="anna", kill=kill)
        cancel(asked, self._home.operator_key(), store)

    def at_host(self, act: Callable[[], None], crash: int = 0) -> None:
        """Let the host act by its own clock, and crash at the given moment that lasts, if any."""
        self.clocks.at_host = True
        try:
            self._act(act, self.host, crash)
        finally:
            self.clocks.at_host = False

    def at_orchestrator(self, act: Callable[[], None], crash: int = 0) -> None:
        """Let the orchestrator act, and crash at the given moment that lasts, if any."""
        self._act(act, self.orchestrator, crash)

    def heal(self) -> None:
        """Set all in order, and let everything run to its end."""
        self.wire.down, self.clocks.host_off_ms = False, 0
        self.at_host(lambda: self.host.leave(Room.ENOUGH))
        for _ in range(_ROUNDS):
            self._round()
            if self._is_over():
                break
            self.clocks.pass_time(_LONG_S)
        else:
            self.laws.broken.append(f"not everything came to an end in {_ROUNDS} rounds")
        for run_id in self.laws.runs:
            share = self.orchestrator.store.runs.host_run(run_id, HOST)
            assert share is not None
            report = msgspec.json.decode(share.report, type=Report) if share.report else None
            self.laws.ended(run_id, share.state, report)

    def _round(self) -> None:
        self.at_orchestrator(self.orchestrator.dispatch)
        while self.wire.waiting(host_queue(HOST)):
            self.at_host(lambda: self.host.deliver(0))
        self.at_host(lambda: self.host.work(len(self.laws.runs) + 1))
        self.at_host(self.host.tidy)
        self.at_host(self.host.send)
        while self.wire.waiting(REPORTS_QUEUE):
            self.at_orchestrator(lambda: self.orchestrator.record(0))

    def _is_over(self) -> bool:
        shares = [self.orchestrator.store.runs.host_run(r, HOST) for r in self.laws.runs]
        under_way = sum(map(self.wire.waiting, (host_queue(HOST), REPORTS_QUEUE)))
        return all(s and s.ended for s in shares) and self.host.is_idle and not under_way

    def _act(self, act: Callable[[], None], side: HostSide | OrchestratorSide, crash: int) -> None:
        self.fuse.set(crash)
        settle(act, side)
        self.fuse.set(0)

    def _hear(self, queue: str, letter: bytes) -> None:
        payload_type, payload = peek(letter)
        if queue == REPORTS_QUEUE and payload_type == PayloadType.REPORT:
            self.laws.reported(decode(payload, Report), letter_digest(letter))

    def _witness(self, name: str, arguments: tuple[Any, ...]) -> None:
        match name, arguments:
            case "Spot.replace", (_, Spot(path=target)) if target.parent == self.host.config.root:
                self._effect(target)
            case "Spot.unlink", (Spot(path=path),) if path.parent == self.host.config.root:
                if path.name.startswith("second-"):
                    self.laws.effect(path.name.partition("-")[2], "third")
            case _:
                self._written(name, arguments)

    def _written(self, name: str, arguments: tuple[Any, ...]) -> None:
        match name, arguments:
            case "Ledger.accept", (_, entry, *_):
                self.laws.accepted(entry.run_id)
            case "Ledger.cancel", (_, tombstone, _):
                self.laws.buried(tombstone.run_id)
            case "Ledger.begin", (_, entry):
                self.laws.begun(entry.run_id, now_ms())
            case "Ledger.interrupted", (_, run_id):
                self.laws.interrupted(run_id)
            case "Ledger.end", (_, _run, digest, letter):
                self.laws.reported(decode(peek(letter)[1], Report), digest)
            case "Ledger.begin_step" | "Ledger.end_step", _ if self.meanwhile:
                self.host.deliver(0)
            case _:
                pass

    def _effect(self, path: Path) -> None:
        step, _, run_id = path.name.partition("-")
        self.laws.effect(run_id, step)


def _config(path: Path) -> Config:
    etc, root = path / "etc" / "worker.yaml", path / "root"
    return Config(path=etc, name=HOST, state=path / "state", root=root)


def _home(path: Path) -> Home:
    return Home(path / "home", NOWHERE, f"sqlite:///{path / 'home' / 'store.db'}", "anna")


@cache
def _template() -> Path:
    """Prepare what every world begins with; the caller's clock is at its beginning."""
    path = Path(mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, path)
    config = _config(path)
    config.root.mkdir()
    make_member(config, NOWHERE, FleetKeys())
    home = Home.create(path / "home", NOWHERE, "anna")
    with home.open_store() as store:
        join_home(config, home, store)
    return path
