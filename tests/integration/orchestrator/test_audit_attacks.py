"""Whoever writes to the store behind Denrei's back: what `denrei audit verify` finds.

Letters that are gone altogether are found only where a run names them: docs/security.md says so.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from contract.order import letter_digest
from orchestrator.audit import verify_all
from orchestrator.store.record import Kind
from tests.integration.orchestrator.test_audit import full_house
from tests.orchestrator_house import House

PLACES = 9  # of each letter, at which it is changed


@pytest.fixture
def letters(house: House) -> Iterator[sqlite3.Connection]:
    """The store's file of a house with letters of every kind, its triggers taken away."""
    full_house(house)
    with closing(sqlite3.connect(house.home.path / "store.db", isolation_level=None)) as db:
        for name in ("UPDATE", "DELETE"):
            db.execute(f"DROP TRIGGER envelopes_no_{name}")
        yield db


def found(house: House) -> set[int]:
    return {finding.seq for finding in verify_all(house.store).findings}


def rows(db: sqlite3.Connection) -> list[tuple[int, str, bytes]]:
    return db.execute("SELECT seq, kind, data FROM envelopes ORDER BY seq").fetchall()


def replace(db: sqlite3.Connection, seq: int, data: bytes) -> None:
    """Exchange a letter's bytes, and the digest that they are filed under."""
    values = (data, letter_digest(data), seq)
    db.execute("UPDATE envelopes SET data = ?, digest = ? WHERE seq = ?", values)


def test_byte_changed_anywhere_in_any_letter_is_found_there(
    house: House, letters: sqlite3.Connection
) -> None:
    """With the digest made to fit: the signature is what tells."""
    for seq, kind, data in rows(letters):
        for number in range(PLACES):
            at = number * (len(data) - 1) // (PLACES - 1)
            replace(letters, seq, data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert seq in found(house), f"{kind}, byte {at}"
        replace(letters, seq, data)
    assert found(house) == set()


def test_letter_cut_anywhere_is_found_there(house: House, letters: sqlite3.Connection) -> None:
    for seq, kind, data in rows(letters):
        for number in range(PLACES):
            replace(letters, seq, data[: number * len(data) // PLACES])
            assert seq in found(house), f"{kind}, cut"
        replace(letters, seq, data)


def test_letter_in_the_place_of_another_is_found_there(
    house: House, letters: sqlite3.Connection
) -> None:
    """Genuine bytes, genuine digest, but another run, another kind or a second time."""
    every = rows(letters)
    for seq, kind, data in every:
        for other, _, instead in every:
            if instead != data:
                letters.execute("UPDATE envelopes SET digest = 'x' WHERE seq = ?", (other,))
                replace(letters, seq, instead)
                assert seq in found(house) or other in found(house), f"{kind} {seq} by {other}"
                replace(letters, seq, data)
                replace(letters, other, instead)
    assert found(house) == set()


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.CANCEL])
def test_letter_that_a_run_names_is_missed(
    house: House, letters: sqlite3.Connection, kind: Kind
) -> None:
    """Every one of this kind is taken away, one after another."""
    gone = []
    for seq, of, data in rows(letters):
        if of == kind:
            letters.execute("DELETE FROM envelopes WHERE seq = ?", (seq,))
            gone.append(letter_digest(data))
            missing = [each.digest for each in verify_all(house.store).findings if not each.seq]
            assert sorted(missing) == sorted(gone)
    assert gone


def test_report_or_what_acknowledges_it_that_is_gone_is_missed(
    house: House, letters: sqlite3.Connection
) -> None:
    """What was signed for the reports that were stored together fits no fewer of them."""
    kept = {kind: (seq, data) for seq, kind, data in rows(letters)}
    report, head = kept[Kind.REPORT][0], kept[Kind.ACKNOWLEDGEMENTS][0]
    for gone, other in ((report, head), (head, report)):
        row = letters.execute("SELECT * FROM envelopes WHERE seq = ?", (gone,)).fetchone()
        letters.execute("DELETE FROM envelopes WHERE seq = ?", (gone,))
        assert found(house) == {other}
        letters.execute("INSERT INTO envelopes VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    assert found(house) == set()


def test_report_of_another_moment_is_found_by_what_acknowledges_it(
    house: House, letters: sqlite3.Connection
) -> None:
    """When a report was stored is no part of it, but the recorder signed it to its host."""
    letters.execute("UPDATE envelopes SET at = at - 1 WHERE kind = 'report'")
    assert len(found(house)) == 2  # the report, and what was signed for it


def test_letter_filed_under_another_host_or_run_is_found(
    house: House, letters: sqlite3.Connection
) -> None:
    """Each by its host, or by none; by its run where it names one, which pings and pongs don't."""
    names_run = (Kind.ORDER, Kind.CANCEL, Kind.RECEIPT, Kind.REPORT)
    to_host = "UPDATE envelopes SET host = ? WHERE seq = ?"
    to_run = "UPDATE envelopes SET run_id = ? WHERE seq = ?"
    filed = letters.execute("SELECT seq, kind, host, run_id FROM envelopes").fetchall()
    for seq, kind, host, run_id in filed:
        letters.execute(to_host, ("web2", seq))
        assert seq in found(house), f"{kind}: host"
        letters.execute(to_host, (host, seq))
        letters.execute(to_run, ("0" * 26, seq))
        assert (seq in found(house)) is (kind in names_run), f"{kind}: run"
        letters.execute(to_run, (run_id, seq))
    assert found(house) == set()
