"""Hostile messages on the wire, one after another, against a real worker and a real server."""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import psutil
import redis

from contract.envelope import PayloadType, sign_many
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.outcome import HostRunState
from contract.publisher import Publisher
from lab.fleet import Fleet
from orchestrator.acknowledging import acknowledgement
from orchestrator.store.record import Kind
from tests.campaign.campaign import Scale, Tally
from tests.campaign.faults.ground import Ground
from tests.campaign.faults.laws import Order
from tests.campaign.hostile.deed import DEEDS, Hands
from tests.campaign.hostile.message import HOSTILE, OTHERS_QUEUE, raw
from tests.end_to_end.fleet_control import await_child

HOST = "web1"
SERVED_WITHIN_S = 5.0
MEMORY_BYTES = 256 * 1024 * 1024
_EXPIRY = timedelta(minutes=15)
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Party:
    """A process that must not be moved by what comes over the wire."""

    fleet: Fleet
    service: str
    role: str

    def process(self) -> psutil.Process:
        return await_child(self.fleet, self.service, self.role)

    def peak(self) -> int:
        """Return the most memory that it has held since `forget_peak`, in bytes."""
        status = Path(f"/proc/{self.process().pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.process().pid}/clear_refs").write_text("5")


class Victim:
    """A worker and a server under attack, and what they looked like before."""

    def __init__(self, fleet: Fleet, ground: Ground, hands: Hands) -> None:
        """Look at everything that is to stay as it is."""
        self._fleet = fleet
        self._ground = ground
        self._hands = hands
        self._logs = (fleet.hosts[HOST].directory / "worker.log", fleet.services["server"].log)
        self._parties = (
            Party(fleet, HOST, "executor"),
            Party(fleet, HOST, "courier"),
            Party(fleet, "server", "recorder"),
        )
        for party in self._parties:
            party.forget_peak()
        self._pids = [party.process().pid for party in self._parties]
        self._orders = set(ground.views[HOST].orders())
        self._effects = ground.views[HOST].witness.effects()
        self._offsets = [log.stat().st_size for log in self._logs]

    def after(self, strike: Callable[[Hands], None]) -> Iterator[str]:
        """Strike, submit a good order, and yield what is not as it must be."""
        strike(self._hands)
        struck = time.monotonic()
        run_id = self._ground.submit("rerun", [HOST], 0, _EXPIRY)
        yield from self._serves(run_id, struck)
        yield from self._is_untouched(run_id)
        yield from self._stays_small()
        yield from self._speaks_json()

    def _serves(self, run_id: str, since: float) -> Iterator[str]:
        witness, order = self._ground.views[HOST].witness, Order(run_id, HOST, may_repeat=False)
        until = since + SERVED_WITHIN_S
        _look(lambda: run_id in witness.effects(), until)
        if run_id not in witness.effects():
            yield f"the next good order is not served within {SERVED_WITHIN_S:g} s"
            until += 60
        _look(lambda: not self._ground.unsettled([order]), until + 60)
        told = self._ground.store.runs.host_run(run_id, HOST)
        if told is None or told.state is not HostRunState.SUCCEEDED:
            yield f"the next good order ends as {told and told.state}"

    def _is_untouched(self, run_id: str) -> Iterator[str]:
        for party, pid in zip(self._parties, self._pids, strict=True):
            if party.process().pid != pid:
                yield f"the {party.role} is another process"
        if extra := set(self._ground.views[HOST].orders()) - self._orders - {run_id}:
            yield f"the ledger has taken {extra}"
        effects = self._ground.views[HOST].witness.effects()
        effects.pop(run_id, None)
        if effects != self._effects:
            yield "something was carried out"
        if forwarded := self._hands.client.lrange(OTHERS_QUEUE, 0, -1):
            yield f"it published to another's queue: {forwarded[:1]!r}"

    def _stays_small(self) -> Iterator[str]:
        for party in self._parties:
            if (peak := party.peak()) > MEMORY_BYTES:
                yield f"the {party.role} grew to {peak // 1024 // 1024} MiB"

    def _speaks_json(self) -> Iterator[str]:
        for log, offset in zip(self._logs, self._offsets, strict=True):
            with log.open("rb") as file:
                file.seek(offset)
                for line in file.read().splitlines():
                    if problem := _not_one_event(line):
                        yield f"{log.name} has {problem}: {line[:200]!r}"


def hostile(scale: Scale, seed: int) -> Tally:
    """Try all cases, whatever the scale: each takes a second."""
    del scale, seed
    with tempfile.TemporaryDirectory(prefix="denrei-hostile-") as directory:
        fleet = Fleet(Path(directory), (HOST,))
        with fleet, attack(fleet) as strike:
            fleet.await_workers()
            violations = [
                f"{name}: {sentence}" for name in CASES for sentence in _told(name, strike(name))
            ]
    return Tally({"hostile_messages": len(CASES)}, tuple(violations))


@contextmanager
def attack(fleet: Fleet) -> Iterator[Callable[[str], list[str]]]:
    """Get hands on a fleet's wire; yield what tries one case and returns what it broke."""
    publisher = Publisher(fleet.redis.url)
    with Ground.of(fleet) as ground, redis.Redis.from_url(fleet.redis.url) as client:
        letters = _overheard(ground)
        hands = Hands(client, publisher, ground.home, letters, _answer(ground))
        yield lambda name: list(Victim(fleet, ground, hands).after(CASES[name]))
    publisher.close()


def _overheard(ground: Ground) -> Mapping[Kind, bytes]:
    """Let one order be carried out that takes a while, and return its letters of each kind."""
    run_id = ground.submit("rerun", [HOST], 1, _EXPIRY)
    order = Order(run_id, HOST, may_repeat=False)
    _look(lambda: not ground.unsettled([order]), time.monotonic() + 60)
    return {one.kind: one.data for one in ground.store.envelopes.walk() if one.run_id == run_id}


def _answer(ground: Ground) -> bytes:
    """Return the acknowledgement of the newest report: the same bytes come out again."""
    report = ground.store.envelopes.list(kinds=[Kind.REPORT])[-1]
    told = acknowledgement(report.host, 1, report.digest, report.at)
    return sign_many(PayloadType.ACKNOWLEDGEMENT, [told], ground.home.recorder_key())[1][0]


def _push(content: object, hands: Hands) -> None:
    """Push it to the courier, and to the recorder with the task's name turned round."""
    whole = raw(content)
    deliver, record = DELIVER_TASK.encode(), RECORD_TASK.encode()
    turned = whole.replace(deliver, b"\1").replace(record, deliver).replace(b"\1", record)
    hands.push(host_queue(HOST), whole)
    hands.push(REPORTS_QUEUE, turned)


CASES: Mapping[str, Callable[[Hands], None]] = {
    **{name: partial(_push, content) for name, content in HOSTILE.items()},
    **DEEDS,
}


def _told(name: str, broken: list[str]) -> list[str]:
    for sentence in broken:
        print(f"  {name}: {sentence}", file=sys.stderr)
    return broken


def _look(condition: Callable[[], bool], until: float) -> None:
    while not condition() and time.monotonic() < until:
        time.sleep(_LOOK_S)


def _not_one_event(line: bytes) -> str:
    """Return what is wrong with a line of a log, or nothing."""
    try:
        event = json.loads(line)
    except ValueError:
        return "a line that is not JSON"
    if not isinstance(event, dict) or event.get("event") == "forged":
        return "a forged line"
    return "a traceback" if "Traceback" in line.decode(errors="replace") else ""
