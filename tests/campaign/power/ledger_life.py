"""The life of a ledger: orders that come, run, are cut off or taken back, reported, forgotten."""

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from worker.ledger import Entry, Ledger, Tombstone
from worker.ledger_file import create_ledger
from worker.place import Place

BORN = 1_800_000_000_000
MINUTE = 60_000


def state_of(ledger: Ledger) -> str:
    """Return a digest of all that a ledger knows."""
    digest = hashlib.sha256()
    tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    for (table,) in ledger._file.connection.execute(tables).fetchall():
        query = f"SELECT rowid, * FROM {table} ORDER BY rowid"  # noqa: S608 - our own tables
        for row in ledger._file.connection.execute(query).fetchall():
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
        self._known: deque[str] = deque(maxlen=8)  # run ids, the newest of them
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
            (2, self._cancel),
            (1, self._prune),
            (0.2, self._start_again),
        )
        (act,) = self._chance.choices([act for _, act in acts], [weight for weight, _ in acts])
        return act()

    def _blob(self, most: int = 48 * 1024) -> bytes:
        return self._chance.randbytes(self._chance.choice((200, 3_000, most)))

    def _accept(self) -> str:
        letter, name = self._blob(), self._new_run()
        digest = hashlib.sha256(letter).hexdigest()
        entry = Entry(name, digest, letter, self._now, None, None, None, 0)
        self.ledger.accept(entry, self._now, self._now + 15 * MINUTE)
        self._waiting.append(entry)
        self._known.append(name)
        return "accept"

    def _cancel(self) -> str:
        """Take back what waits, runs or has ended, or what never came."""
        run = self._chance.choice([*self._known, self._new_run()])
        kill, until = self._chance.random() < 0.5, self._now + 15 * MINUTE
        tombstone = Tombstone(run, "digest", self._blob(), "by anna", kill, until, self._now)
        self.ledger.cancel(tombstone, self._now)
        return "cancel"

    def _new_run(self) -> str:
        return f"{self._chance.getrandbits(120):030x}"

    def _go_on(self) -> str:
        """Make the next call of the run that is going on, or of the next one that waits."""
        if called := next(self._run, None):
            return called
        if not self._waiting:
            return self._accept()
        self._run = self._calls(self._waiting.popleft())
        return next(self._run)

    def _calls(self, entry: Entry) -> Iterator[str]:
        if self.ledger.tombstone(entry.run_id) is None:
            yield from self._steps(entry)
        report = self._blob(160 * 1024)
        digest = hashlib.sha256(report).hexdigest()
        self.ledger.end(entry.run_id, digest, report)
        self._unacknowledged.append(digest)
        yield "end"

    def _steps(self, entry: Entry) -> Iterator[str]:
        run, chance = entry.run_id, self._chance
        begun: dict[str, Any] = {"started_at": self._now, "boot_id": "b", "boot_time": 1.5}
        self.ledger.begin(replace(entry, **begun))
        yield "begin"
        items = chance.randrange(3)
        if items:
            rows = [(f"item {n}", f"/item/{n}") for n in range(items)]
            self.ledger.keep_items(
                run, rows, [f"left alone: {n}" for n in range(chance.randrange(3))]
            )
            yield "keep_items"
        for item in range(max(items, 1)):
            for step in range(chance.randrange(4)):
                for rescue in range(chance.choice((1, 1, 3))):
                    yield from self._step(Place(run, item, step, rescue))

    def _step(self, place: Place) -> Iterator[str]:
        if self._chance.random() < 0.9:  # else it only looked
            self.ledger.begin_step(place, self._now)
            yield "begin_step"
        if self._chance.random() < 0.2:
            self.ledger.interrupted(place.run_id)
            yield "interrupted"
            self.ledger.begin_step(place, self._now)
            yield "begin_step"
        self.ledger.end_step(place, self._now, self._blob(9_000))
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
