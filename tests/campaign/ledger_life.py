"""The life of a ledger: orders that are accepted, run, interrupted, reported and forgotten."""

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from worker.ledger import Entry, Ledger
from worker.ledger_file import create_ledger

BORN = 1_800_000_000_000
MINUTE = 60_000


def state_of(ledger: Ledger) -> str:
    """Return a digest of all that a ledger knows."""
    digest = hashlib.sha256()
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    for (table,) in ledger._db.execute(tables).fetchall():
        query = f"SELECT rowid, * FROM {table} ORDER BY rowid"  # noqa: S608 - our own tables
        for row in ledger._db.execute(query).fetchall():
            digest.update(repr([v for v in row if not isinstance(v, bytes)]).encode())
            for value in (v for v in row if isinstance(v, bytes)):
                digest.update(hashlib.sha256(value).digest())
    return digest.hexdigest()


class Life:
    """Calls the ledger's methods as an executor would, by chance but always in a sensible order."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        """Make the ledger."""
        self._path, self._chance = path, chance
        self._now = BORN
        self._waiting: deque[Entry] = deque()
        self._unacknowledged: list[str] = []
        self._run: Iterator[str] = iter(())
        create_ledger(path, BORN)
        self.ledger = Ledger(path)

    def call(self) -> str:
        """Make one call and return its name."""
        self._now += self._chance.randrange(2 * MINUTE)
        acts: tuple[tuple[float, Callable[[], str]], ...] = (
            (4, self._accept),
            (12, self._go_on),
            (4, self._acknowledge),
            (1, self._prune),
            (0.2, self._start_again),
        )
        (act,) = self._chance.choices([act for _, act in acts], [weight for weight, _ in acts])
        return act()

    def _blob(self, most: int = 48 * 1024) -> bytes:
        return self._chance.randbytes(self._chance.choice((200, 3_000, most)))

    def _accept(self) -> str:
        letter = self._blob()
        name = f"{self._chance.getrandbits(120):030x}"
        digest = hashlib.sha256(letter).hexdigest()
        entry = Entry(name, digest, letter, self._now, None, None, None, 0)
        self.ledger.accept(entry, self._now, self._now + 15 * MINUTE)
        self._waiting.append(entry)
        return "accept"

    def _go_on(self) -> str:
        """Make the next call of the run that is going on, or of the next one that waits."""
        if called := next(self._run, None):
            return called
        if not self._waiting:
            return self._accept()
        self._run = self._calls(self._waiting.popleft())
        return next(self._run)

    def _calls(self, entry: Entry) -> Iterator[str]:
        run, ledger, chance = entry.run_id, self.ledger, self._chance
        begun: dict[str, Any] = {"started_at": self._now, "boot_id": "b", "boot_time": 1.5}
        ledger.begin(replace(entry, **begun))
        yield "begin"
        items = chance.randrange(3)
        if items:
            self.ledger.keep_items(run, [(f"item {n}", f"/item/{n}") for n in range(items)])
            yield "keep_items"
        for item in range(max(items, 1)):
            for step in range(chance.randrange(4)):
                yield from self._step(run, item, step)
        report = self._blob(160 * 1024)
        digest = hashlib.sha256(report).hexdigest()
        self.ledger.end(run, digest, report)
        self._unacknowledged.append(digest)
        yield "end"

    def _step(self, run: str, item: int, step: int) -> Iterator[str]:
        self.ledger.begin_step(run, item, step, self._now)
        yield "begin_step"
        if self._chance.random() < 0.2:
            self.ledger.interrupted(run)
            yield "interrupted"
            self.ledger.begin_step(run, item, step, self._now)
            yield "begin_step"
        self.ledger.end_step(run, item, step, self._blob(9_000))
        yield "end_step"

    def _acknowledge(self) -> str:
        if not self._unacknowledged:
            return self._go_on()
        at = self._chance.randrange(len(self._unacknowledged))
        assert self.ledger.acknowledge(self._unacknowledged.pop(at))
        return "acknowledge"

    def _prune(self) -> str:
        self.ledger.prune()
        return "prune"

    def _start_again(self) -> str:
        self.ledger.close()
        self.ledger = Ledger(self._path)
        return "close and open"
