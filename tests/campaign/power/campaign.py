"""The power goes, at any moment: what a method has returned from is there afterwards, whole.

Recorded with the SQLite that apsw brings, over a file system that is listened to; what a power loss
leaves of it is opened with the standard library's SQLite, by the ledger as it is shipped.
"""

import hashlib
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw

from contract.error import DenreiError
from tests.campaign.campaign import Scale, Tally
from tests.campaign.power.disk_log import DiskLog
from tests.campaign.power.ledger_life import BORN, Life, state_of
from tests.campaign.power.platter import Operation, Platter, Returned
from tests.campaign.power.sqlite_log import sqlite_over
from worker.ledger import Ledger
from worker.ledger_file import create_ledger
from worker.mailbox import MAX_LETTER, Care, Mailbox

# The ledger's calls that don't wait for the disk: the next one that does brings them there.
_WITH_THE_NEXT = frozenset({"begin", "keep_items", "end_step", "acknowledge"})
_MEMORY = Path("/dev/shm")  # noqa: S108 - every recording has a directory of its own in there
_NAME = "ledger.db"


@dataclass(frozen=True, slots=True)
class Recording:
    """All that was done to a disk, and what was true after each call."""

    operations: Sequence[Operation]
    calls: Sequence[str]  # their names
    check: Callable[[Path, int], str]  # directory, calls that returned -> what is wrong, if any


@dataclass(frozen=True, slots=True)
class _Amount:
    """How much a scale asks for."""

    lives: int
    calls: int  # of each life
    images: int  # of each life; one at every I/O, if there are fewer I/Os
    mailbox: int


_AMOUNTS = {
    Scale.SMOKE: _Amount(lives=1, calls=60, images=90, mailbox=30),
    Scale.QUICK: _Amount(lives=4, calls=400, images=1_000, mailbox=500),
    Scale.FULL: _Amount(lives=4, calls=600, images=12_000, mailbox=10_000),
}


def lose_power(scale: Scale, seed: int) -> Tally:
    """Record lives, cut each of them off at many moments, and look at what is left."""
    amount, images = _AMOUNTS[scale], 0
    violations: list[str] = []
    print(
        f"power: recorded with SQLite {apsw.sqlite_lib_version()} (apsw), "
        f"opened with SQLite {sqlite3.sqlite_version} (the standard library's)",
        file=sys.stderr,
    )
    for life in range(amount.lives):
        name = f"seed {seed}, life {life}"
        with _directory() as directory:
            recording = record_ledger(directory, random.Random(name), amount.calls)
        violations += examine(recording, name, amount.images)
        images += amount.images
    name = f"seed {seed}, mailbox"
    with _directory() as directory:
        recording = record_mailbox(directory, random.Random(name), 40)
    violations += examine(recording, name, amount.mailbox)
    return Tally({"power_loss_images": images + amount.mailbox}, tuple(violations))


def record_ledger(directory: Path, chance: random.Random, calls: int) -> Recording:
    """Let a ledger live."""
    log, names = DiskLog(directory), ["create"]
    with sqlite_over(log), log.listening(to_writes=False):
        life = Life(directory / _NAME, chance)
        log.returned()
        states = [state_of(life.ledger)]
        for _ in range(calls):
            names.append(life.call())
            log.returned()
            states.append(state_of(life.ledger))
        life.ledger.close()

    def check(image: Path, returned: int) -> str:
        least = max(returned - 1, 0)
        while least and (names[least] in _WITH_THE_NEXT or states[least] == states[least - 1]):
            least -= 1
        return _check_ledger(image, returned, states, least)

    return Recording(log.operations, names, check)


def record_mailbox(directory: Path, chance: random.Random, calls: int) -> Recording:
    """Put letters down, and take some away."""
    log, mailbox = DiskLog(directory), Mailbox(directory)
    names, there, history = list[str](), dict[str, bytes](), list[Mapping[str, bytes]]([{}])
    with log.listening(to_writes=True):
        for _ in range(calls):
            if there and chance.random() < 0.3:
                name = chance.choice(sorted(there))
                del there[name]
                mailbox.take_away(name)
                names.append("take_away")
            else:
                letter = chance.randbytes(chance.choice((1, 700, 5_000, MAX_LETTER // 8)))
                there[mailbox.put(letter, chance.choice(list(Care)))] = letter
                names.append("put")
            log.returned()
            history.append(dict(there))
    return Recording(
        log.operations, names, lambda image, returned: _check_mailbox(image, returned, history)
    )


def examine(recording: Recording, name: str, images: int) -> Iterator[str]:
    """Let the power go before so many I/Os; yield what is wrong afterwards."""
    operations = recording.operations
    moments = [at for at, each in enumerate(operations) if not isinstance(each, Returned)]
    chance, platter, done = random.Random(name), Platter(), 0
    for number, at in enumerate(_choose(moments, images, chance)):
        for operation in operations[done:at]:
            platter.take(operation)
        done = at
        with _directory() as directory:
            for file, content in platter.image(chance).items():
                (directory / file).write_bytes(content)
            if wrong := recording.check(directory, platter.returned):
                cut = recording.calls[platter.returned : platter.returned + 1] or ["the end"]
                yield f"{name}, image {number}: power lost before I/O {at} in {cut[0]}: {wrong}"


def _choose(moments: Sequence[int], images: int, chance: random.Random) -> list[int]:
    """Choose moments at random, but all of them before any of them again."""
    again, rest = divmod(images, len(moments))
    return sorted([*list(moments) * again, *chance.sample(moments, rest)])


def _check_ledger(directory: Path, returned: int, states: Sequence[str], least: int) -> str:
    """Open it as an executor does: it is as after the last call that waited, or a later one."""
    path = directory / _NAME
    try:
        if not returned and not path.exists():
            create_ledger(path, BORN)  # not there yet: then nothing bars another try
        ledger = Ledger(path)
    except DenreiError as error:
        return str(error)
    try:
        state = state_of(ledger)
    finally:
        ledger.close()
    if state in states[least : returned + 1]:
        return ""
    if state in states:
        return f"of {returned} calls that returned it knows {states.index(state) + 1}"
    return "it is in a state in which it never was"


def _check_mailbox(directory: Path, returned: int, history: Sequence[Mapping[str, bytes]]) -> str:
    """Look in as the other process does: what is read was put down once, whole."""
    mailbox = Mailbox(directory)
    found = (mailbox.read(path) for path in mailbox.letters())
    digests = {hashlib.sha256(letter).hexdigest() for letter in found if letter is not None}
    put = {digest for there in history[: returned + 2] for digest in there}
    return f"{len(digests - put)} letters are not whole" if digests - put else ""


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        yield Path(directory)
