"""Certificates as CSV and as a calendar: read back by other code, and safe whatever hosts say."""

import csv
import io
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped]  # it has no types
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.instant import to_datetime
from orchestrator.certificate import FIELDS, Certificate
from orchestrator.cli.cert_calendar import to_calendar
from orchestrator.cli.cert_csv import text_cell, to_csv
from orchestrator.cli.visible import visible
from tests.fleet_certificates import CERTIFICATES, certificate

MANY = st.lists(CERTIFICATES, max_size=5)


def rows(certificates: list[Certificate]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(to_csv(certificates), newline="")))


def unquoted(cell: str) -> str:
    return cell.removeprefix("'")


@given(MANY)
def test_csv_comes_back_as_it_was(many: list[Certificate]) -> None:
    found = rows(many)
    assert [list(row) for row in found] == [list(FIELDS)] * len(many)
    for row, one in zip(found, many, strict=True):
        for name in ("path", "service", "reason", "subject", "issuer", "verdict"):
            assert unquoted(row[name]) == visible(one.values[name])
        assert row["confirmed"] == ("true" if one.fact.confirmed else "false")
        assert unquoted(row["san"]) == visible("; ".join(one.fact.san))
        left = one.values.get("days_left")
        assert row["days_left"] == ("" if left is None else str(left))


@given(MANY)
def test_csv_holds_no_formula_and_no_control_character(many: list[Certificate]) -> None:
    text = to_csv(many)
    assert visible(text.replace("\r\n", "")) == text.replace("\r\n", "")
    for row in rows(many):
        for name, cell in row.items():
            if name != "days_left":
                assert not cell.startswith(("=", "+", "-", "@", "\uff1d", " "))


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@A", "\uff1d1", " =1", "'=1", "\t=1"])
def test_csv_text_that_a_spreadsheet_would_work_out_is_quoted(text: str) -> None:
    cell = text_cell(text)
    assert not cell.startswith("=")
    assert unquoted(cell) == visible(text)


def test_csv_times_are_rfc_3339_and_unknown_ones_empty() -> None:
    (row,) = rows([certificate(not_after=1_000, observed_at=0)])
    assert row["not_after"] == "1970-01-01T00:00:01Z"
    assert row["outage_at"] == ""


def events(certificates: list[Certificate]) -> list[Any]:
    """Read a calendar by other code than what wrote it."""
    (read,) = list(vobject.readComponents(to_calendar(certificates).decode()))
    assert read.behavior is not None
    return list(getattr(read, "vevent_list", []))


@settings(max_examples=60)
@given(MANY)
def test_calendar_keeps_to_rfc_5545_whatever_a_host_says(many: list[Certificate]) -> None:
    text = to_calendar(many)
    assert text.endswith(b"END:VCALENDAR\r\n")
    lines = text.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    text.decode()  # no character is cut in two
    for line in text.replace(b"\r\n ", b"").decode().split("\r\n"):
        assert visible(line) == line


@settings(max_examples=60)
@given(MANY)
def test_calendar_read_by_another_parser_has_an_event_for_each_renewal_and_outage(
    many: list[Certificate],
) -> None:
    expected = []
    for one in many:
        for kind, verb, at in (
            ("renewal", "Renew", one.fact.expiring_at),
            ("outage", "Fails", one.fact.outage_at),
        ):
            if at is not None:
                summary = visible(f"{verb}: {one.name} on {one.record.host}")
                expected.append((kind, summary, at // 1000))
    found = [
        (
            event.uid.value.split("-")[0],
            event.summary.value,
            int(event.dtstart.value.timestamp()),
        )
        for event in events(many)
    ]
    assert found == expected


def test_calendar_event_keeps_its_uid_and_moves_its_time() -> None:
    """A calendar that is imported again must not have everything twice."""
    before = events([certificate(outage_at=5_000, expiring_at=4_000, observed_at=1_000)])
    after = events([certificate(outage_at=9_000, expiring_at=8_000, observed_at=2_000)])
    assert [e.uid.value for e in before] == [e.uid.value for e in after]
    assert len({e.uid.value for e in before}) == 2
    assert [e.dtstamp.value for e in after] == [to_datetime(2_000)] * 2
    assert after[1].dtstart.value == to_datetime(9_000)
    other = events([certificate(host="web2", outage_at=5_000, expiring_at=4_000)])
    assert not {e.uid.value for e in other} & {e.uid.value for e in before}


def test_calendar_of_the_same_facts_is_the_same_file() -> None:
    one = [certificate(outage_at=5_000, san=["DNS:a.example"])]
    assert to_calendar(one) == to_calendar(one)


def test_calendar_of_nothing_is_an_empty_calendar() -> None:
    assert events([]) == []
