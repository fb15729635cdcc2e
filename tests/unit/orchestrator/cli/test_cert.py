"""`denrei cert`: what hosts reported of their certificates, chosen, sorted and shown."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from contract.certificate import CertificateFact, CertificateVerdict
from contract.instant import now_ms
from contract.outcome import StepOutcome
from orchestrator.cli.cert_option import CertFormat
from tests.fleet_certificates import DAY, fact
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place

STALE = "the port shows the one that ended on 2026-11-20T08:00:00Z, not the file's"
LONG = "/etc/opt/microsoft/omsagent/6a1c1e5c-5b0d-4f0a-9a55-0d9a6a1f9c11/certs/oms.crt"


def tell(place: Place, denrei: Denrei, host: str, *facts: CertificateFact) -> None:
    """Let a host report facts by a run of its own."""
    assert denrei("submit", "look", "--host", host, "--detach").code == 0
    place.report(host, StepOutcome.OK, certificates=list(facts))


@pytest.fixture
def fleet(place: Place, denrei: Denrei) -> Place:
    """Three certificates on two hosts: one stale in memory, one fresh, one whose time has come."""
    now = now_ms()
    stale = fact(
        LONG,
        verdict=CertificateVerdict.STALE_IN_MEMORY,
        reason=STALE,
        service="omsagent",
        outage_at=now - 5 * DAY,
        not_after=now + 360 * DAY,
        expiring_at=now + 330 * DAY,
        san=["DNS:web1.example"],
        observed_at=now - 120_000,
    )
    fresh = fact(
        "/etc/ssl/site.pem",
        endpoint="127.0.0.1:443",
        outage_at=now + 60 * DAY + 5000,
        not_after=now + 60 * DAY + 5000,
        expiring_at=now + 30 * DAY,
        observed_at=now - 120_000,
    )
    due = fact("/etc/ssl/due.pem", not_after=now + DAY, expiring_at=now - DAY, observed_at=now - 9)
    tell(place, denrei, "web1", stale, fresh)
    tell(place, denrei, "web2", due)
    return place


def names(out: str) -> list[str]:
    return [json.loads(line)["path"] for line in out.splitlines()]


def test_cert_list_fits_80_columns_and_tells_verdict_outage_age_and_reason(
    fleet: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = denrei("cert", "list", "--sort", "outage_at")
    assert said.code == 0
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["HOST", "VERDICT", "FAILS", "SEEN", "CERTIFICATE"]
    assert lines[1].split()[:8] == [
        *("web1", "stale_in_memory", "5", "d", "ago", "2", "min", "ago"),
    ]
    assert lines[1].endswith("certs/oms.crt")
    assert "omsagent: " + STALE[:20] in lines[2]
    assert any("fresh" in line and line.endswith("/etc/ssl/site.pem @ :443") for line in lines)
    assert fleet.sides


def test_cert_list_tells_a_fresh_one_whose_time_has_come_as_expiring(
    fleet: Place, denrei: Denrei
) -> None:
    said = denrei("cert", "list", "--where", 'verdict == "expiring"', "-o", "json")
    (found,) = json.loads(said.out)["certificates"]
    assert (found["host"], found["verdict"], found["verdict_when_observed"]) == (
        *("web2", "expiring", "fresh"),
    )
    assert "its time has come since" in found["reason"]
    assert fleet.sides


def test_cert_list_where_and_sort_of_the_issue(fleet: Place, denrei: Denrei) -> None:
    condition = 'verdict == "stale_in_memory"'
    said = denrei("cert", "list", "--where", condition, "--sort", "outage_at", "-o", "jsonl")
    assert names(said.out) == [LONG]
    said = denrei("cert", "list", "--where", "outage_at < now", "-o", "jsonl")
    assert names(said.out) == [LONG]
    said = denrei("cert", "list", "--sort", "not_after", "--reverse", "-o", "jsonl")
    assert names(said.out) == [LONG, "/etc/ssl/site.pem", "/etc/ssl/due.pem"]
    said = denrei("cert", "list", "--sort", "outage_at", "--reverse", "-o", "jsonl")
    assert names(said.out)[-1] == "/etc/ssl/due.pem"
    assert fleet.sides


def test_cert_list_host_takes_names_and_globs_and_finds_the_mistyped(
    fleet: Place, denrei: Denrei
) -> None:
    assert names(denrei("cert", "list", "--host", "web2", "-o", "jsonl").out) == [
        "/etc/ssl/due.pem"
    ]
    assert len(names(denrei("cert", "list", "--host", "web*", "-o", "jsonl").out)) == 3
    assert names(denrei("cert", "list", "--host", "db1", "-o", "jsonl").out) == []
    said = denrei("cert", "list", "--host", "wbe1")
    assert said.code == 9
    assert "did you mean 'web1'" in said.err
    assert fleet.sides


@pytest.mark.parametrize("verb", ["list", "timeline"])
@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ('verdit == "x"', "did you mean 'verdict'?"),
        ('verdict == "fresch"', "did you mean 'fresh'?"),
        ("days_left <", "Syntax error"),
        ("san", "not true or false"),
    ],
)
def test_cert_where_that_is_wrong_is_a_usage_error_even_without_a_home(
    denrei: Denrei, verb: str, condition: str, complaint: str
) -> None:
    """It is checked before anything is read."""
    said = denrei("cert", verb, "--where", condition, "--home", "/nowhere")
    assert said.code == 2
    assert "--where" in said.err
    assert complaint in said.err
    assert "Traceback" not in said.err


def test_cert_where_that_gives_an_error_leaves_out_and_says_so(
    fleet: Place, denrei: Denrei
) -> None:
    said = denrei("cert", "list", "--where", 'san[0] == "DNS:web1.example"', "-o", "jsonl")
    assert (said.code, names(said.out)) == (0, [LONG])
    assert "left out 2 for which --where gave an error; the first is web" in said.err
    assert fleet.sides


def test_cert_sort_by_no_column_is_a_usage_error(denrei: Denrei) -> None:
    said = denrei("cert", "list", "--sort", "outage", "--home", "/nowhere")
    assert said.code == 2
    assert "did you mean 'outage_at'?" in said.err


def test_cert_list_of_nothing_says_where_certificates_come_from(
    place: Place, denrei: Denrei
) -> None:
    assert place.sides
    said = denrei("cert", "list", "-o", "json")
    assert json.loads(said.out) == {"schema_version": 1, "certificates": []}
    assert "`denrei submit cert/scan --all` finds them" in said.err
    assert denrei("cert", "timeline").out == ""


@pytest.mark.parametrize("format_", list(CertFormat))
def test_cert_list_in_every_format_tells_all_and_can_be_read(
    fleet: Place, denrei: Denrei, format_: CertFormat
) -> None:
    said = denrei("cert", "list", "-o", format_.value)
    assert (said.code, said.err) == (0, "")
    readers: dict[CertFormat, Callable[[str], list[Any]]] = {
        CertFormat.TABLE: lambda text: [x for x in text.splitlines()[1:] if x[0] != " "],
        CertFormat.JSON: lambda text: json.loads(text)["certificates"],
        CertFormat.JSONL: lambda text: [json.loads(line) for line in text.splitlines()],
        CertFormat.YAML: lambda text: yaml.safe_load(text)["certificates"],
        CertFormat.CSV: lambda text: list(csv.DictReader(io.StringIO(text))),
        CertFormat.ICS: lambda text: text.split("BEGIN:VEVENT")[3:],
    }
    assert len(readers[format_](said.out)) == 3
    assert fleet.sides


def test_cert_list_shows_hostile_values_safely(place: Place, denrei: Denrei) -> None:
    wild = "\x1b[31m/etc/\u202e\n evil"
    hostile = fact(
        wild,
        verdict=CertificateVerdict.UNREADABLE,
        reason=wild * 100,
        subject=wild,
        san=[wild * 50] * 90,
    )
    tell(place, denrei, "web1", hostile)
    for format_ in CertFormat:
        said = denrei("cert", "list", "-o", format_.value)
        assert said.code == 0
        assert not {"\x1b", "\u202e"} & set(said.out)
    assert "\x1b" not in denrei("cert", "timeline").out


def test_cert_timeline_is_a_chart_without_colour_in_a_pipe(
    fleet: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = denrei("cert", "timeline")
    lines = said.out.splitlines()
    assert lines[0].startswith("1 failing now, 2 to fail and 0 more to be renewed by ")
    assert lines[3].split()[-1][0] == "F"
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in said.out
    narrowed = denrei("cert", "timeline", "--host", "web2", "--days", "3").out
    assert "/etc/ssl/due.pem" in narrowed
    assert "oms.crt" not in narrowed
    assert fleet.sides


def test_cert_removing_a_host_removes_its_certificates(fleet: Place, denrei: Denrei) -> None:
    assert denrei("host", "revoke", "web1").code == 0
    assert names(denrei("cert", "list", "-o", "jsonl").out) == ["/etc/ssl/due.pem"]
    assert fleet.sides


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("denrei cert l", ["list"]),
        ("denrei cert list --sort out", ["outage_at"]),
        ("denrei cert list --host d", ["db1"]),
        ("denrei cert timeline --host web", ["web1", "web2"]),
        ("denrei cert list -o i", ["ics"]),
    ],
)
def test_cert_completes_verbs_columns_hosts_and_formats(
    place: Place, words: str, completed: list[str]
) -> None:
    at = str(len(words.split()) - 1)
    with place.start(_DENREI_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=at) as shell:
        out, _ = shell.communicate(timeout=30)
    assert out.split() == [f"plain,{word}" for word in completed]


def test_cert_list_imports_neither_the_calendar_nor_cel(place: Place) -> None:
    """What a list does not need, it does not wait for."""
    place.console_script()
    with place.start("cert", "list", PYTHONPROFILEIMPORTTIME="1") as listing:
        _, err = listing.communicate(timeout=30)
    imported = {line.rsplit("|", 1)[-1].strip() for line in err.splitlines() if "|" in line}
    assert "orchestrator.certificate" in imported
    assert not {"icalendar", "cel_expr_python", "vobject"} & imported
