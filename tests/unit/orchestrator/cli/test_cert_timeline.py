"""The chart of what expires and fails when: readable for one certificate and for thousands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from contract.certificate import CertificateVerdict
from orchestrator.certificate import Certificate
from orchestrator.cli.cert_timeline import MAX_ROWS, chart
from tests.fleet_certificates import CERTIFICATES, DAY, certificate

NOW = 20_000 * DAY
FLEETS = st.lists(CERTIFICATES, min_size=1, max_size=MAX_ROWS + 5)


def drawn(*certificates: Certificate, days: int | None = None, width: int = 80) -> list[str]:
    return [line.plain.rstrip() for line in chart(certificates, days, width)]


def ending(days: float, host: str = "web1", renew: float = 30, **values: object) -> Certificate:
    """Return a certificate that fails so many days from now."""
    at = NOW + round(days * DAY)
    known = {"outage_at": at, "not_after": at, "expiring_at": at - round(renew * DAY)}
    return certificate(host=host, now=NOW, **{**known, **values})


def test_timeline_of_one_certificate_shows_where_it_is_to_be_renewed_and_fails() -> None:
    summary, _, header, row, _, legend = drawn(ending(60))
    assert summary == "0 failing now, 1 to fail and 0 more to be renewed by 2025-01-02"
    axis = header.index("now")
    bar = row[axis:]
    assert bar.count("F") == 1
    assert set(bar[: bar.index("F")]) == {"-", "="}
    assert set(bar[bar.index("F") + 1 :]) == {"#"}
    assert abs(bar.index("F") / (80 - axis) - 60 / 90) < 0.05
    assert abs(bar.index("=") / (80 - axis) - 30 / 90) < 0.05
    assert "F fails" in legend


def test_timeline_puts_what_fails_already_first() -> None:
    lines = drawn(ending(20, "later"), ending(-3, "failing"), ending(-9, "longest"))
    hosts = [line.split()[0] for line in lines[3:6]]
    assert hosts == ["longest", "failing", "later"]
    assert lines[0].startswith("2 failing now, 1 to fail and 0 more")
    bar = lines[3].split()[-1]
    assert bar[0] == "F"


def test_timeline_marks_an_end_that_is_not_the_outage() -> None:
    """The port fails before the file's certificate ends: both are on the chart."""
    stale = ending(20, verdict=CertificateVerdict.STALE_IN_MEMORY, not_after=NOW + 80 * DAY)
    bar = drawn(stale)[3].split()[-1]
    assert bar.index("F") < bar.index("x")
    file_only = drawn(ending(20, outage_at=None))[3].split()[-1]
    assert "F" not in file_only
    assert "x" in file_only


def test_timeline_counts_what_it_does_not_show() -> None:
    lines = drawn(
        ending(10),
        ending(300),
        ending(40, verdict=CertificateVerdict.STALE_IN_MEMORY, outage_at=None),
    )
    assert lines[-2].startswith("1 of 3 certificates have nothing to come by ")
    assert lines[-1] == "1 of 3 need a look, and when they fail is not known"


def test_timeline_reaches_as_far_as_the_first_event_unless_told_otherwise() -> None:
    assert drawn(ending(300, renew=20))[3].endswith("-=")
    told = drawn(ending(300, renew=20), days=30)
    assert told[0].startswith("0 failing now, 0 to fail and 0 more to be renewed")
    assert told[1].startswith("1 of 1 certificates have nothing to come")


def test_timeline_of_two_thousand_is_grouped_and_not_longer_than_wide() -> None:
    many = [ending(n % 400 - 10, f"web{n % 50}") for n in range(2000)]
    lines = drawn(*many)
    rows = lines[3 : lines.index("", 3)]
    assert len(rows) <= 80
    counts = [int(row.split(" certificates")[0].split()[-1]) for row in rows]
    later = next(line for line in lines if "have nothing to come" in line)
    assert sum(counts) + int(later.split()[0]) == 2000
    assert rows[0].split()[:4] == ["11", "hosts", "55", "certificates"]
    assert all("hosts" in row for row in rows)


def test_timeline_of_as_many_as_fit_gives_each_a_line() -> None:
    many = [ending(n, f"web{n}") for n in range(1, MAX_ROWS + 1)]
    lines = drawn(*many)
    assert [line.split()[0] for line in lines[3 : 3 + MAX_ROWS]] == [
        f"web{n}" for n in range(1, MAX_ROWS + 1)
    ]


@settings(max_examples=40)
@given(
    st.lists(CERTIFICATES, min_size=1, max_size=MAX_ROWS + 5),
    st.integers(76, 120),
    st.integers(1, 3650),
)
def test_timeline_never_is_wider_than_asked_and_shows_no_control_character(
    many: list[Certificate], width: int, days: int
) -> None:
    same = [Certificate(each.record, many[0].now) for each in many]
    for line in chart(same, days, width):
        assert cell_len(line.plain.rstrip()) <= width
        assert "\x1b" not in line.plain
        assert "\n" not in line.plain
    list(chart(same, None, width))


@pytest.mark.parametrize("at", [0, 253_402_300_799_000])
def test_timeline_of_the_first_and_last_moment_that_there_is(at: int) -> None:
    assert drawn(certificate(now=NOW, outage_at=at, expiring_at=at, not_after=at))
