"""The silent stall: a consumer whose connection died waits for ever, alive, connected and useless.

Two of a kind lose their connections at the same moment. One is left to itself: it stalls. The other
sends itself words, misses them, ends, and is started again, as whoever supervises it would do.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from tests.orchestrator_house import House
from tests.tunnel import Tunnel
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.exit_code import EXIT_STALLED

NOTICED_WITHIN_S = 60.0
ROLES = ("courier", "recorder")
HEALS_ITSELF = frozenset({"recorder"})  # it reads with a deadline of its own, past Celery
_CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True, slots=True)
class Stalled:
    """How it went: when the dead connection was noticed, and when the next letter was served."""

    noticed_s: float
    served_s: float
    twin_serves: bool  # the one without self-ping


class Consumer:
    """One courier or recorder, with a broker of its own behind a tunnel."""

    def __init__(self, role: str, directory: Path, environment: Mapping[str, str]) -> None:
        """Prepare its house; `environment` shortens its periods."""
        self._role = role
        directory.mkdir(parents=True)
        self._directory = directory
        self._environment = environment
        self._stack = ExitStack()
        self._letter = ""

    def __enter__(self) -> Self:
        """Prepare everything it needs."""
        broker = self._stack.enter_context(EmbeddedRedis(self._directory / "redis"))
        self.tunnel = self._stack.enter_context(Tunnel(broker.port))
        self._publisher = Publisher(broker.url)
        self._stack.callback(self._publisher.close)
        self._log = self._directory / "log"
        if self._role == "courier":
            self._host = WorkerHost(self._directory / "host", self.tunnel.url)
            self._path, self._queue = self._host.config.path, host_queue("web1")
            if "SELF_PING_S" in self._environment:
                with self._host.config.courier_config.open("a") as config:
                    config.write("keepalive: 1s\n")
        else:
            house = House.build(self._directory / "home", self.tunnel.url)
            house.store.close()
            self._path, self._queue = house.home.path, REPORTS_QUEUE
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and all it needed."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._stack.close()

    def start(self, *words: str) -> None:
        """Start the process."""
        module = ("-m", "tests.campaign.faults.stalling", *words, self._role, str(self._path))
        with self._log.open("ab") as sink:
            self.process = subprocess.Popen(
                [sys.executable, *module],
                cwd=_CHECKOUT, env={**os.environ, **self._environment}, stdout=sink, stderr=sink,
            )  # fmt: skip

    def serves(self, letter: str) -> bool:
        """Send a letter as the dispatcher does it, and tell whether it has been taken."""
        if not self._publisher.waiting(self._queue) and letter not in self._taken():
            task = DELIVER_TASK if self._role == "courier" else RECORD_TASK
            self._publisher.publish(self._queue, task, letter.encode())
        return letter in self._taken()

    def _taken(self) -> str:
        """Return what it has taken: letters in the inbox, or disbeliefs in the recorder's log."""
        if self._role == "courier":
            letters = [self._host.inbox.read(path) for path in self._host.inbox.letters()]
            return " ".join((letter or b"").decode() for letter in letters)
        disbeliefs = self._log.read_text().count('"not_believed"')
        return " ".join(f"letter-{number}" for number in range(min(disbeliefs, 2)))


def stall(role: str, directory: Path, environment: Mapping[str, str]) -> Stalled:
    """Let two consumers lose their connections; return how they fared."""
    with (
        Consumer(role, directory / "one", environment) as one,
        Consumer(role, directory / "twin", environment) as twin,
    ):
        one.start()
        twin.start("deaf")
        for each in (one, twin):
            eventually(partial(each.serves, "letter-0"), within=30, what="the first letter served")
        for each in (one, twin):
            each.tunnel.lose()
        lost = time.monotonic()
        eventually(lambda: _served_or_ended(one, twin), within=100, what="the stall noticed")
        noticed_s = time.monotonic() - lost
        if one.process.poll() == EXIT_STALLED:
            one.start()
        eventually(lambda: one.serves("letter-1"), within=30, what="the next letter served")
        if role in HEALS_ITSELF:
            eventually(lambda: twin.serves("letter-1"), within=30, what="the twin healed itself")
        return Stalled(noticed_s, time.monotonic() - lost, twin.serves("letter-1"))


def _served_or_ended(one: Consumer, twin: Consumer) -> bool:
    twin.serves("letter-1")
    return one.serves("letter-1") or one.process.poll() is not None
