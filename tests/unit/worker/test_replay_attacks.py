"""Replay: orders in every sequence, twice, over restarts, forgotten ones, and after a backup."""

import itertools
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import contract.instant
from contract.envelope import peek
from contract.instant import now_ms
from contract.order import Order, decode
from contract.report import Refusal, Report
from tests.worker_host import WorkerHost

NAMES = ("one", "two", "three")
RUNBOOK = """\
name: mark
params: {name: {}}
observe:
  mark: {file: {path: "/${params.name}"}}
steps:
  - name: it is marked
    ensure: mark.exists
    do: {file.write: {path: "/${params.name}", content: x}}
"""
HOUR = 3_600_000


def mark(host: WorkerHost, name: str) -> bytes:
    return host.order(RUNBOOK, params={"name": name})


def deliver(host: WorkerHost, *letters: bytes) -> Counter[str]:
    """Let an executor of its own take letters and do all there is to do; count what it did.

    What it did is undone: whoever runs an order again does it again.
    """
    for letter in letters:
        host.inbox.put(letter)
    host.work()
    done = Counter(name for name in NAMES if (host.root / name).exists())
    for name in done:
        (host.root / name).unlink()
    return done


def run_of(letter: bytes) -> str:
    return decode(peek(letter)[1], Order).run_id


def acknowledge(host: WorkerHost) -> None:
    """Let the host know that its reports have come, so that it may forget their runs."""
    host.inbox.put(host.acknowledgement(*(path.stem for path in host.outbox.letters())))
    host.work()


@contextmanager
def clock_at(ms: int) -> Iterator[None]:
    """Set the wall clock of everything here."""
    stopped = SimpleNamespace(time_ns=lambda: ms * 1_000_000)
    with patch.object(contract.instant, "time", stopped):
        yield


def test_orders_in_every_sequence_twice_with_a_restart_between_run_once_each(
    host: WorkerHost,
) -> None:
    """36 sequences of six deliveries, each cut at another place by the executor's end."""
    every = list(itertools.permutations(range(len(NAMES))))
    for number, (first, again) in enumerate(itertools.product(every, repeat=2)):
        letters = [mark(host, name) for name in NAMES]
        arrival, cut = (*first, *again), number % 5 + 1
        done = deliver(host, *(letters[at] for at in arrival[:cut]))
        done += deliver(host, *(letters[at] for at in arrival[cut:]))
        assert done == Counter(NAMES), f"{arrival}, restarted after {cut}"


def test_order_is_refused_after_it_was_forgotten_and_the_clock_was_set_back(
    host: WorkerHost,
) -> None:
    """The floor moves by signed times alone; the wall clock has no say in it."""
    begun = now_ms()
    old = mark(host, "one")
    assert deliver(host, old) == Counter(["one"])
    acknowledge(host)
    with clock_at(begun + 2 * HOUR):
        assert deliver(host, mark(host, "two")) == Counter(["two"])
        acknowledge(host)
    with host.executor() as executor:
        assert executor._ledger.digest_of(run_of(old)) is None
    with clock_at(begun):
        assert deliver(host, old) == Counter()
    assert host.heard(Refusal)[-1].reason == "expired"


def test_orders_of_a_whole_day_are_refused_when_they_are_played_back(host: WorkerHost) -> None:
    """Also by a clock that stands at the day's beginning, in any order, all at once."""
    begun = now_ms()
    heard = []
    for hour in range(24):
        with clock_at(begun + hour * HOUR):
            heard.append(mark(host, "one"))
            assert deliver(host, heard[-1]) == Counter(["one"])
            acknowledge(host)
    for hour in (0, 12, 24):
        with clock_at(begun + hour * HOUR):
            assert deliver(host, *reversed(heard)) == Counter()


def copied(host: WorkerHost, to: Path) -> None:
    """Copy the ledger while nobody uses it."""
    to.mkdir()
    for path in host.config.state.glob("ledger.db*"):
        shutil.copy(path, to)


def restore(host: WorkerHost, backup: Path) -> None:
    for path in host.config.state.glob("ledger.db*"):
        path.unlink()
    for path in backup.iterdir():
        shutil.copy(path, host.config.state)


def test_order_is_refused_by_a_ledger_from_a_backup_once_it_has_expired(
    host: WorkerHost, tmp_path: Path
) -> None:
    copied(host, tmp_path / "backup")
    letter = mark(host, "one")
    assert deliver(host, letter) == Counter(["one"])
    restore(host, tmp_path / "backup")
    with clock_at(now_ms() + HOUR):
        assert deliver(host, letter) == Counter()
    assert host.heard(Refusal)[-1].reason == "expired"


def test_order_replayed_to_a_ledger_from_a_backup_before_it_expires_is_reported_twice(
    host: WorkerHost, tmp_path: Path
) -> None:
    """A host can't see that its ledger is an old one; two reports of one run give it away.

    That is why orders are good for minutes, and why what holds already is left alone.
    """
    copied(host, tmp_path / "backup")
    letter = mark(host, "one")
    assert deliver(host, letter) == Counter(["one"])
    restore(host, tmp_path / "backup")
    (host.root / "one").write_text("as the first run left it")
    host.inbox.put(letter)
    host.work()
    assert (host.root / "one").read_text() == "as the first run left it"
    first, second = host.heard(Report)
    assert first.run_id == second.run_id
    assert first.counter == second.counter
