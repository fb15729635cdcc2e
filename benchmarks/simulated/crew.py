"""The processes that play the hosts."""

import multiprocessing
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import Self

from benchmarks.simulated.host import Identity, SimulatedHost
from benchmarks.simulated.wire import Wire
from contract.names import DELIVER_TASK
from contract.presence import is_question
from worker.policy_file import read_policy, shipped_policy

PROCESSES = 2
_LOOK_AGAIN_S = 1.0
_READY_WITHIN_S = 120.0
_fork = multiprocessing.get_context("fork")  # keys are inherited, not written down


@dataclass
class Crew:
    """Hosts that are at work in processes of their own until the `with` block ends."""

    port: int
    hosts: Sequence[Identity]

    def __enter__(self) -> Self:
        """Start the processes, and wait until every host listens."""
        self._ready = [_fork.Event() for _ in range(PROCESSES)]
        self._processes = [
            _fork.Process(
                target=_play, args=(self.port, self.hosts[number::PROCESSES], ready), daemon=True
            )
            for number, ready in enumerate(self._ready)
        ]
        for process in self._processes:
            process.start()
        for ready in self._ready:
            if not ready.wait(_READY_WITHIN_S):
                raise TimeoutError("the simulated hosts did not come up")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
            process.join(10)

    @property
    def pids(self) -> list[int]:
        """Return the processes."""
        return [process.pid or 0 for process in self._processes]


def _play(port: int, identities: Sequence[Identity], ready: Event) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    policy = read_policy(shipped_policy("permissive").encode(), "permissive.yaml")
    hosts = [SimulatedHost(identity, policy) for identity in identities]
    wire = Wire(port, [host.name for host in hosts])
    ready.set()
    look_at = time.monotonic() + _LOOK_AGAIN_S
    while True:
        for number, task, text in wire.receive(_LOOK_AGAIN_S):
            _answer(hosts[number], wire, task, text)
        if time.monotonic() >= look_at:
            look_at = time.monotonic() + _LOOK_AGAIN_S
            for message in (message for host in hosts for message in host.again()):
                wire.send(*message)
        wire.flush()


def _answer(host: SimulatedHost, wire: Wire, task: str, text: str) -> None:
    if task != DELIVER_TASK:
        if is_question(text):
            wire.send(*host.presence(text))
        return
    for message in host.take(text.encode()):
        wire.send(*message)
