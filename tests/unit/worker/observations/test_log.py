"""The observation log: which lines count, from when on, and what was not read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.probe import Log
from tests.unit.worker.privilege import forbidden
from worker.observations.log import LARGEST, observe_log
from worker.observations.observation import Fields, ObservationError
from worker.observations.timestamp import leading_time
from worker.root import Root

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def look(root: Path, text: str | None = None, match: str = "error", **options: str) -> Fields:
    if text is not None:
        (root / "log").write_text(text)
    return observe_log(Log(path="/log", match=match, **options), Root(root))


def ago(**length: float) -> str:
    return (datetime.now(UTC) - timedelta(**length)).strftime("%Y-%m-%d %H:%M:%S +0000")


@pytest.mark.parametrize(
    ("line", "time"),
    [
        ("2026-02-28T10:00:00Z x", "2026-02-28T10:00:00+00:00"),
        ("2026-02-28T10:00:00.123456789+01:00 x", "2026-02-28T09:00:00.123456+00:00"),
        ("2026-02-28 10:00:00,5 +0100 x", "2026-02-28T09:00:00.500000+00:00"),
        ("2026-02-28 10:00:00 +0000 [info]: x", "2026-02-28T10:00:00+00:00"),
        ("2026-02-28 10:00:00 UTC [7] LOG:  x", "2026-02-28T10:00:00+00:00"),
        ("[2026-02-28 10:00:00 -0230] x", "2026-02-28T12:30:00+00:00"),
    ],
)
def test_time_of_a_line_with_its_zone_is_exact(line: str, time: str) -> None:
    assert leading_time(line, NOW) == datetime.fromisoformat(time)


@pytest.mark.parametrize("line", ["2026-02-28 10:00:00 x", "Feb 28 10:00:00 host x"])
def test_time_of_a_line_without_a_zone_is_the_machines(line: str) -> None:
    assert leading_time(line, NOW) == datetime(2026, 2, 28, 10).astimezone()


@pytest.mark.parametrize(
    ("line", "year"),
    [
        ("Jan  2 10:00:00 host x", 2026),
        ("Mar  2 10:00:00 host x", 2026),  # half a day ahead: clocks differ
        ("Mar  4 10:00:00 host x", 2025),
        ("Dec 31 10:00:00 host x", 2025),
        ("Feb 29 10:00:00 host x", 2024),
    ],
)
def test_time_of_a_line_without_a_year_is_the_latest_that_is_past(line: str, year: int) -> None:
    found = leading_time(line, NOW)
    assert found
    assert found.year == year


@pytest.mark.parametrize(
    "line", ["", "x 2026-02-28T10:00:00Z", "2026-02-30T10:00:00Z", "Feb 30 10:00:00 x", "Febr 3"]
)
def test_line_without_a_time_has_none(line: str) -> None:
    assert leading_time(line, NOW) is None


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1971, 1, 1)))  # noqa: DTZ001
def test_time_written_by_fluentd_or_in_rfc_3339_is_read_back(moment: datetime) -> None:
    assert leading_time(f"{moment.isoformat()} x", NOW) == moment
    whole = moment.replace(microsecond=0)
    assert leading_time(f"{whole.replace(tzinfo=None)} +0000 [warn]: x", NOW) == whole


@given(st.text(max_size=60))
def test_time_of_any_text_is_a_time_or_none(line: str) -> None:
    found = leading_time(line, NOW)
    assert found is None or found.utcoffset() == timedelta(0)


def test_observe_counts_the_lines_that_fit(tmp_path: Path) -> None:
    text = "2026-01-01T00:00:00Z error one\n2026-01-02T00:00:00Z fine\n2026-01-03T00:00:00Z error 2"
    assert look(tmp_path, text) == {
        "exists": True,
        "count": 2,
        "times": ["2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"],
        "matched": True,
        "last": "2026-01-03T00:00:00Z error 2",
        "dated": True,
        "last_at": datetime(2026, 1, 3, tzinfo=UTC),
        "truncated": False,
    }


def test_observe_since_leaves_older_lines_out(tmp_path: Path) -> None:
    text = f"{ago(hours=3)} error a\n{ago(minutes=5)} error b\n{ago(minutes=1)} fine\n"
    assert look(tmp_path, text, since="10m")["count"] == 1
    assert look(tmp_path, text, since="4h")["count"] == 2
    assert look(tmp_path, text, since="3m") == {
        "exists": True,
        "count": 0,
        "times": [],
        "matched": False,
        "dated": False,
        "truncated": False,
    }


def test_observe_since_a_moment_includes_it(tmp_path: Path) -> None:
    text = "2026-01-01T00:00:00Z error\n2026-01-01T00:00:01Z error\n"
    assert look(tmp_path, text, since="2026-01-01T00:00:01Z")["count"] == 1
    assert look(tmp_path, text, since="2026-01-01T01:00:00+01:00")["count"] == 2


def test_observe_a_line_without_a_time_belongs_to_the_line_before(tmp_path: Path) -> None:
    text = f"error of unknown age\n{ago(hours=3)} x\n  error old\n{ago(minutes=1)} y\n  error new\n"
    fields = look(tmp_path, text, since="10m")
    assert (fields["count"], fields["last"], fields["dated"]) == (1, "  error new", True)
    assert look(tmp_path, text)["count"] == 3


def test_observe_since_in_a_log_without_times_is_unknown(tmp_path: Path) -> None:
    """Whether a line is new can't be told then, and is not guessed."""
    with pytest.raises(ObservationError, match="begins with a time"):
        look(tmp_path, "error\n", since="10m")
    fields = look(tmp_path, "error\n")
    assert (fields["matched"], fields["dated"]) == (True, False)
    assert "last_at" not in fields


def test_observe_an_empty_log_has_no_lines(tmp_path: Path) -> None:
    assert look(tmp_path, "", match="", since="10m")["count"] == 0
    assert look(tmp_path, "\n", match="")["count"] == 1


def test_observe_a_missing_log_is_knowledge(tmp_path: Path) -> None:
    assert look(tmp_path) == {"exists": False}


def test_observe_the_end_of_a_long_log_only_and_says_so(tmp_path: Path) -> None:
    line = f"{ago(hours=1)} error {'x' * 1000}\n"
    text = f"{ago(hours=5)} first error\n" + line * (LARGEST // len(line) + 10)
    fields = look(tmp_path, text)
    assert (fields["count"], fields["truncated"]) == (LARGEST // len(line), True)
    assert look(tmp_path, text, since="2h")["truncated"] is True
    text += f"{ago(minutes=1)} error\n"
    fields = look(tmp_path, text, since="10m")
    assert (fields["count"], fields["truncated"]) == (1, False)  # read further back than asked for


def test_observe_long_lines_are_cut_and_odd_bytes_written_out(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"error \xff" + b"x" * 9000 + b" tail\r\nerror\r\n")
    assert look(tmp_path, match="tail")["matched"] is False
    assert look(tmp_path, match="x$")["last"] == "error \\xff" + "x" * 990
    assert look(tmp_path, match="error$")["last"] == "error"


@pytest.mark.parametrize("since", ["soon", "2026-01-01", "2026-01-01T00:00:00", "-10m"])
def test_observe_since_nobody_knows_when_is_unknown(tmp_path: Path, since: str) -> None:
    with pytest.raises(ObservationError, match="neither a duration nor a moment"):
        look(tmp_path, "x", since=since)


def test_observe_a_pattern_that_is_none_or_a_closed_log_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match="not a regular expression"):
        look(tmp_path, "x", match="(")
    (tmp_path / "closed").mkdir()
    closed = Log(path="/closed/log", match="x")
    with forbidden(tmp_path / "closed"), pytest.raises(ObservationError, match="permission"):
        observe_log(closed, Root(tmp_path))


def test_times_are_those_of_the_lines_that_fit(tmp_path: Path) -> None:
    """In RFC 3339 and UTC, so that an expression can count those since a moment."""
    text = (
        "2026-02-28 10:00:00 +0100 error one\n"
        "error two, without a time of its own\n"
        "2026-02-28 10:00:05 +0100 well\n"
        "2026-02-28 10:00:09 +0100 error three\n"
    )
    seen = look(tmp_path, text)
    moments = ["2026-02-28T09:00:00Z", "2026-02-28T09:00:00Z", "2026-02-28T09:00:09Z"]
    assert (seen["count"], seen["times"]) == (3, moments)


def test_times_are_the_last_thousand(tmp_path: Path) -> None:
    seen = look(tmp_path, "2026-02-28 10:00:00 +0000 error\n" * 1001)
    assert seen["count"] == 1001
    assert seen["times"] == ["2026-02-28T10:00:00Z"] * 1000
