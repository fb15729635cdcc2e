"""The ledger: what it has said it knows, it knows for good; what it can't write did not happen."""

import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from contract.error import PassingError
from tests.unit.worker.disk import full_disk
from tests.unit.worker.ledgers import MINUTE, NOW, accept
from worker.ledger import Begun, Ledger, Tombstone
from worker.ledger_file import LedgerError, LedgerIOError, create_ledger
from worker.place import Place

TOMBSTONE = Tombstone(
    run_id="RUN1",
    digest="digest of RUN1",
    letter=b"word",
    why="cancelled by anna",
    kill=False,
    expires_at=NOW + 15 * MINUTE,
    at=NOW,
)


def test_accept_an_order_is_known_to_the_next_ledger(ledger: Ledger, ledger_path: Path) -> None:
    entry = accept(ledger)
    again = Ledger(ledger_path)
    assert again.open_orders() == [entry]
    assert again.digest_of("RUN1") == "digest of RUN1"
    assert (again.state_of("RUN1"), again.state_of("RUN2")) == ("accepted", None)
    assert again.created_at == NOW
    again.close()


def test_accept_twice_is_refused_and_changes_nothing(ledger: Ledger) -> None:
    accept(ledger)
    with pytest.raises(LedgerError):
        accept(ledger, at=NOW + MINUTE)
    assert [entry.accepted_at for entry in ledger.open_orders()] == [NOW]
    assert ledger.floor == NOW - MINUTE  # not even the floor has moved


def test_floor_is_the_newest_signed_time_less_the_skew_and_never_sinks(ledger: Ledger) -> None:
    assert ledger.floor == 0
    accept(ledger, "RUN1", NOW + 9 * MINUTE)
    accept(ledger, "RUN2", NOW)
    assert ledger.floor == NOW + 8 * MINUTE


def test_open_orders_come_in_the_order_in_which_they_came_whatever_the_clock(
    ledger: Ledger,
) -> None:
    """When the clock is set back, no order overtakes one that is half done."""
    accept(ledger, "LATE", NOW + MINUTE)
    accept(ledger, "EARLY", NOW)
    assert [entry.run_id for entry in ledger.open_orders()] == ["LATE", "EARLY"]


def test_begin_keeps_boot_and_time(ledger: Ledger) -> None:
    begun = replace(accept(ledger), started_at=NOW + 5, boot_id="boot", boot_time=12.5)
    ledger.begin(begun)
    ledger.interrupted("RUN1")
    assert ledger.open_orders() == [replace(begun, interruptions=1)]
    assert ledger.state_of("RUN1") == "running"


def test_steps_are_known_once_begun_with_their_attempts(ledger: Ledger) -> None:
    accept(ledger)
    assert ledger.step(Place("RUN1", 0, 1)) is None
    assert ledger.changed_at("RUN1", 0) is None
    ledger.begin_step(Place("RUN1", 0, 1), NOW + 1)
    ledger.begin_step(Place("RUN1", 0, 1), NOW + 2)
    assert ledger.step(Place("RUN1", 0, 1)) == Begun(2, NOW + 1, None)
    ledger.end_step(Place("RUN1", 0, 1), NOW + 3, b"report")
    assert ledger.step(Place("RUN1", 0, 1)) == Begun(2, NOW + 1, b"report")
    assert (ledger.changed_at("RUN1", 0), ledger.changed_at("RUN1", 1)) == (NOW + 1, None)


def test_step_and_the_steps_of_its_rescue_are_known_apart(ledger: Ledger) -> None:
    """Four numbers name a step: what is written of one is not taken for another."""
    accept(ledger)
    failed, first, second = (Place("RUN1", 0, 1, rescue=n) for n in range(3))
    ledger.end_step(failed, NOW + 1, b"failed")
    ledger.begin_step(first, NOW + 2)
    assert ledger.step(failed) == Begun(0, NOW + 1, b"failed")
    assert ledger.step(first) == Begun(1, NOW + 2, None)
    assert ledger.step(second) is None
    assert len({place.marker(1) for place in (failed, first, second, Place("RUN1", 1, 0))}) == 4


def test_step_that_only_looked_before_its_rescue_has_changed_nothing(ledger: Ledger) -> None:
    accept(ledger)
    ledger.end_step(Place("RUN1", 0, 0), NOW + 1, b"failed")
    assert ledger.changed_at("RUN1", 0) is None


def test_items_and_notes_keep_their_order(ledger: Ledger) -> None:
    accept(ledger)
    found = [("b", "/x/b"), ("a", "/x/a")]
    ledger.keep_items("RUN1", found, ["left alone: z", "left alone: c"])
    assert ledger.items("RUN1") == found
    assert ledger.notes("RUN1") == ["left alone: z", "left alone: c"]


def test_end_puts_the_report_into_the_outbox_until_it_is_acknowledged(ledger: Ledger) -> None:
    accept(ledger)
    assert ledger.next_counter() == 1
    ledger.end("RUN1", "abc", b"report")
    assert ledger.open_orders() == []
    assert ledger.unacknowledged() == [("abc", b"report")]
    assert ledger.next_counter() == 2
    assert not ledger.acknowledge("another")
    assert ledger.acknowledge("abc")
    assert not ledger.acknowledge("abc")
    assert ledger.unacknowledged() == []


def test_end_that_can_not_keep_the_report_does_not_end_the_run(ledger: Ledger) -> None:
    """Both, or neither: a run without its report would be lost."""
    accept(ledger, "RUN1")
    accept(ledger, "RUN2")
    ledger.end("RUN1", "same", b"report")
    with pytest.raises(LedgerError):
        ledger.end("RUN2", "same", b"another")
    assert ledger.state_of("RUN2") == "accepted"
    assert ledger.next_counter() == 2


def test_prune_forgets_only_what_the_floor_refuses_and_nobody_waits_for(ledger: Ledger) -> None:
    for name in ("ENDED", "UNACKNOWLEDGED", "OPEN"):
        accept(ledger, name)
    ledger.keep_items("ENDED", [("a", "/a")], ["left alone: b"])
    ledger.begin_step(Place("ENDED", 0, 0), NOW)
    for name in ("ENDED", "UNACKNOWLEDGED"):
        ledger.end(name, name, b"report")
    ledger.acknowledge("ENDED")
    assert ledger.prune() == 0  # the floor is below their expiry
    accept(ledger, "EDGE", NOW + 16 * MINUTE)  # the floor is now their expiry, to the ms
    assert ledger.prune() == 0
    accept(ledger, "NEW", NOW + 16 * MINUTE + 1)
    assert ledger.prune() == 1
    known = [n for n in ("ENDED", "UNACKNOWLEDGED", "OPEN", "NEW") if ledger.digest_of(n)]
    assert known == ["UNACKNOWLEDGED", "OPEN", "NEW"]
    assert ledger.items("ENDED") == []
    assert ledger.step(Place("ENDED", 0, 0)) is None


def test_log_beside_the_ledger_stays_small(ledger: Ledger, ledger_path: Path) -> None:
    """On a small disk it could fill it by itself, and no room would ever come back."""
    accept(ledger)
    for number in range(600):
        ledger.begin_step(Place("RUN1", 0, number), NOW)
    assert ledger_path.with_name("ledger.db-wal").stat().st_size < 1024 * 1024


def test_create_over_a_ledger_is_refused(ledger_path: Path) -> None:
    with pytest.raises(LedgerError, match="already"):
        create_ledger(ledger_path, NOW)


def test_create_after_one_that_was_cut_off_works(tmp_path: Path) -> None:
    """A ledger appears whole or not at all, so a second try is never barred by half of one."""
    (tmp_path / ".ledger.db.new").write_bytes(b"half")
    (tmp_path / ".ledger.db.new-wal").write_bytes(b"half")
    create_ledger(tmp_path / "ledger.db", NOW)
    assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.db"]
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600
    Ledger(tmp_path / "ledger.db").close()


def test_open_a_missing_ledger_says_what_to_do_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="denrei-worker enrol"):
        Ledger(tmp_path / "ledger.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_open_what_is_no_ledger_is_told_in_one_line(ledger_path: Path, content: bytes) -> None:
    ledger_path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"the ledger .* can't be used: .+") as caught:
        Ledger(ledger_path)
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, PassingError)


def test_open_a_ledger_with_a_torn_page_is_refused(ledger: Ledger, ledger_path: Path) -> None:
    for number in range(40):
        accept(ledger, f"RUN{number}")
    ledger.close()
    size = ledger_path.stat().st_size
    with ledger_path.open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(4096))
    with pytest.raises(LedgerError, match=r"damaged|malformed|can't be used"):
        Ledger(ledger_path)


def test_accept_on_a_full_disk_takes_nothing_and_loses_nothing(
    ledger: Ledger, ledger_path: Path
) -> None:
    """The order is not accepted, the error may pass, and afterwards all goes on."""
    accept(ledger, "BEFORE")
    with full_disk(), pytest.raises(LedgerIOError, match="can't be written"):
        accept(ledger, "DURING")
    assert ledger.digest_of("DURING") is None
    assert ledger.digest_of("BEFORE")
    accept(ledger, "DURING")
    ledger.close()
    with sqlite3.connect(ledger_path) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("SELECT count(*) FROM orders").fetchone() == (2,)
    db.close()


def test_cancel_without_room_for_the_tombstone_says_so_and_may_pass(ledger: Ledger) -> None:
    """SQLite rolls back by itself then; a second time would hide what was the matter."""
    # What is in use already stays the least.
    ledger._file.connection.execute("PRAGMA max_page_count=1")
    with pytest.raises(LedgerIOError, match="database or disk is full"):
        ledger.cancel(replace(TOMBSTONE, letter=b"x" * 100_000), NOW)
    assert ledger.tombstone("RUN1") is None
    ledger._file.connection.execute("PRAGMA max_page_count=4294967294")
    ledger.cancel(TOMBSTONE, NOW)


def test_cancel_is_known_to_the_next_ledger_whether_or_not_the_order_came(
    ledger: Ledger, ledger_path: Path
) -> None:
    assert ledger.cancel(TOMBSTONE, NOW) is None
    accept(ledger, "RUN2")
    assert ledger.cancel(replace(TOMBSTONE, run_id="RUN2"), NOW) == "accepted"
    again = Ledger(ledger_path)
    assert again.tombstone("RUN1") == TOMBSTONE
    assert again.cancelled_digest("RUN1") == "digest of RUN1"
    assert [entry.run_id for entry in again.taken_back()] == ["RUN2"]
    assert again.tombstone("RUN3") is None
    again.close()


def test_cancel_of_what_runs_or_has_ended_takes_nothing_back_unbegun(ledger: Ledger) -> None:
    entry = replace(accept(ledger), started_at=NOW, boot_id="b", boot_time=1.0)
    ledger.begin(entry)
    assert ledger.cancel(TOMBSTONE, NOW) == "running"
    assert ledger.taken_back() == []
    ended = accept(ledger, "RUN2")
    ledger.end(ended.run_id, "digest", b"report")
    assert ledger.cancel(replace(TOMBSTONE, run_id="RUN2"), NOW) == "ended"
    assert ledger.tombstone("RUN2") is None


def test_cancel_again_may_add_the_kill_but_never_take_it_away(ledger: Ledger) -> None:
    """Letters may come in any order; the graver word stands."""
    kill = replace(TOMBSTONE, letter=b"other", kill=True)
    for tombstone in (TOMBSTONE, kill, TOMBSTONE):
        ledger.cancel(tombstone, NOW)
    assert ledger.tombstone("RUN1") == kill


def test_cancel_moves_the_floor_like_an_order(ledger: Ledger) -> None:
    ledger.cancel(TOMBSTONE, NOW + 5 * MINUTE)
    assert ledger.floor == NOW + 4 * MINUTE


def test_prune_keeps_a_tombstone_until_the_floor_refuses_its_order(ledger: Ledger) -> None:
    ledger.cancel(TOMBSTONE, NOW)
    accept(ledger, "RUN2", NOW + 16 * MINUTE)
    ledger.prune()
    assert ledger.tombstone("RUN1") is not None
    accept(ledger, "RUN3", NOW + 16 * MINUTE + 1)
    ledger.prune()
    assert ledger.tombstone("RUN1") is None


def test_prune_keeps_the_tombstone_of_an_order_that_it_keeps(ledger: Ledger) -> None:
    accept(ledger)
    ledger.cancel(TOMBSTONE, NOW)
    accept(ledger, "RUN2", NOW + 20 * MINUTE)
    ledger.prune()
    assert ledger.tombstone("RUN1") is not None
