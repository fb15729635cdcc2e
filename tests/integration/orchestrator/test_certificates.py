"""What hosts say of their certificates, kept: the newest of each, and nothing from anybody else."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.certificate import MAX_FACTS, CertificateFact, CertificateVerdict
from contract.instant import now_ms
from orchestrator.claim import LetterError
from orchestrator.inventory import Inventory
from orchestrator.store import certificates
from orchestrator.store.record import Host
from orchestrator.store.store import Store
from tests.fleet_certificates import fact
from tests.orchestrator_house import House
from tests.signing_host import SigningHost

HOSTILE = "\x1b[2J\x00\u202e" + "x" * 900
_counters = itertools.count(1)


def tell(
    house: House,
    facts: Sequence[CertificateFact],
    *,
    scan_began_at: int | None = None,
    name: str = "web1",
) -> bytes:
    """Let a host report facts, perhaps as those of a complete scan; return the letter."""
    order = house.order(house.submit(hosts=[house_host(house, name)]), name)
    letter = house.hosts[name].report(
        order,
        counter=next(_counters),
        certificates=list(facts),
        certificates_complete=scan_began_at is not None,
        started_at=scan_began_at or 1,
    )
    house.recorder().record(letter)
    return letter


def scanned(path: str, **values: Any) -> CertificateFact:
    """Return a fact that a scan told, not a look at just this certificate."""
    return fact(path, scanned=True, **values)


def house_host(house: House, name: str) -> Host:
    host = house.store.hosts.get(name)
    assert host is not None
    return host


def kept(store: Store) -> list[tuple[str, str, int]]:
    return sorted((r.host, r.fact.path, r.observed_at) for r in store.certificates.all())


def test_certificates_of_a_report_are_kept_with_its_run(house: House) -> None:
    given_ = fact(subject="CN=a", san=["DNS:a.example"], not_after=5, serial="0A")
    tell(house, [given_])
    (record,) = house.store.certificates.all()
    assert (record.host, record.fact, record.observed_at) == ("web1", given_, 1)
    assert house.store.runs.get(record.run_id) is not None


def test_certificates_newer_word_counts_and_an_older_one_that_comes_late_does_not(
    house: House,
) -> None:
    tell(house, [fact("/a", observed_at=5), fact("/b", observed_at=5)])
    tell(house, [fact("/a", observed_at=7, verdict=CertificateVerdict.EXPIRED)])
    tell(house, [fact("/b", observed_at=3, verdict=CertificateVerdict.MISSING)])
    assert kept(house.store) == [("web1", "/a", 7), ("web1", "/b", 5)]
    assert [r.fact.verdict for r in house.store.certificates.all() if r.fact.path == "/b"] == [
        "fresh"
    ]


def test_certificates_on_two_ports_are_two_of_them(house: House) -> None:
    tell(house, [fact("/a", endpoint="web1:443"), fact("/a", endpoint="web1:8443"), fact("/a")])
    assert len(house.store.certificates.all()) == 3


def test_certificates_of_a_repeated_report_change_nothing(house: House) -> None:
    letter = tell(house, [scanned("/a", observed_at=5)])
    tell(house, [], scan_began_at=9)
    assert house.recorder().record(letter).repeated
    assert kept(house.store) == []


def test_certificates_scan_takes_away_what_scans_told_before_and_it_does_not_find(
    house: House,
) -> None:
    tell(house, [scanned("/a", observed_at=5), scanned("/b", observed_at=5)])
    tell(house, [scanned("/b", observed_at=8), scanned("/c", observed_at=8)], scan_began_at=7)
    assert kept(house.store) == [("web1", "/b", 8), ("web1", "/c", 8)]


def test_certificates_scan_leaves_what_a_check_told_of_a_file_it_does_not_know(
    house: House,
) -> None:
    """No scan knows every daemon: that one is stale in memory stays true."""
    stale = fact("/srv/own.pem", observed_at=5, verdict=CertificateVerdict.STALE_IN_MEMORY)
    tell(house, [stale])
    tell(house, [scanned("/b", observed_at=8)], scan_began_at=7)
    assert kept(house.store) == [("web1", "/b", 8), ("web1", "/srv/own.pem", 5)]


@pytest.mark.parametrize(("confirmed", "remaining"), [(True, [8]), (False, [5, 8])])
def test_certificates_later_scan_outdoes_a_check_only_if_it_asked_who_uses_the_file(
    house: House,
    confirmed: bool,  # noqa: FBT001 - a value of the case
    remaining: list[int],
) -> None:
    stale = CertificateVerdict.STALE_IN_MEMORY
    tell(house, [fact("/a", endpoint="web1:443", observed_at=5, verdict=stale)])
    tell(
        house,
        [scanned("/a", endpoint="127.0.0.1:443", observed_at=8, confirmed=confirmed)],
        scan_began_at=7,
    )
    assert kept(house.store) == [("web1", "/a", moment) for moment in remaining]


def test_certificates_that_are_no_scan_take_nothing_away(house: House) -> None:
    tell(house, [scanned("/a", observed_at=5)])
    tell(house, [])
    assert kept(house.store) == [("web1", "/a", 5)]


def test_certificates_scan_of_one_host_leaves_the_other_hosts_alone(tmp_path: Path) -> None:
    house = House.build(tmp_path / "home", names=("web1", "web2"))
    tell(house, [scanned("/a")], name="web1")
    tell(house, [], name="web2", scan_began_at=9)
    assert kept(house.store) == [("web1", "/a", 1)]
    house.store.close()


REPORTS: list[tuple[list[CertificateFact], int | None]] = [
    ([scanned("/a", observed_at=1), scanned("/b", observed_at=1), fact("/own", observed_at=1)], 1),
    ([scanned("/b", observed_at=3)], 2),
    ([scanned("/c", observed_at=4), fact("/b", observed_at=4)], None),
    ([scanned("/c", observed_at=6)], 6),
    ([fact("/d", observed_at=7), fact("/c", endpoint="web1:443", observed_at=5)], None),
]


@settings(max_examples=15)
@given(st.permutations(range(len(REPORTS))))
def test_certificates_reports_in_any_order_end_alike(order: list[int]) -> None:
    """The wire promises no order: a late report must not bring back what a scan found gone."""
    with TemporaryDirectory() as directory:
        house = House.build(Path(directory, "home"))
        for at in order:
            facts, began_at = REPORTS[at]
            tell(house, facts, scan_began_at=began_at)
        told = [("web1", "/b", 4), ("web1", "/c", 6), ("web1", "/d", 7), ("web1", "/own", 1)]
        assert kept(house.store) == told
        house.store.close()


def test_certificates_go_with_their_host(house: House) -> None:
    tell(house, [fact("/a", observed_at=5)], scan_began_at=9)
    Inventory(house.store).remove("web1")
    assert kept(house.store) == []
    again = SigningHost("web1", epoch=2)
    house.admit(again)
    renewed = replace(house, hosts={"web1": again})
    tell(renewed, [fact("/b", observed_at=3)])
    assert kept(house.store) == [("web1", "/b", 3)]


def test_certificates_from_anybody_but_their_host_are_not_believed(house: House) -> None:
    order = house.order(house.submit())
    stranger = SigningHost("web1")
    with pytest.raises(LetterError):
        house.recorder().record(stranger.report(order, certificates=[fact()]))
    assert kept(house.store) == []


def test_certificates_about_no_known_order_are_not_taken(house: House, tmp_path: Path) -> None:
    other = House.build(tmp_path / "other")
    order = other.order(other.submit())
    house.recorder().record(house.hosts["web1"].report(order, certificates=[fact()]))
    assert kept(house.store) == []
    other.store.close()


def test_certificates_of_a_clock_that_is_ahead_do_not_bar_later_ones(house: House) -> None:
    ahead = now_ms() + 3600_000
    tell(house, [scanned("/a", observed_at=ahead)], scan_began_at=ahead)
    expired = CertificateVerdict.EXPIRED
    tell(house, [scanned("/a", observed_at=ahead, verdict=expired)], scan_began_at=ahead)
    (record,) = house.store.certificates.all()
    assert record.fact.verdict == "expired"
    assert record.observed_at <= now_ms()


def test_certificates_hostile_values_are_kept_as_they_are_and_bounded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host may say what it likes of itself, but it can't fill the store."""
    wild = fact(HOSTILE, subject=HOSTILE, san=[HOSTILE] * 50)
    tell(house, [wild])
    assert house.store.certificates.all()[0].fact == wild
    monkeypatch.setattr(certificates, "MAX_KEPT", 10)
    tell(house, [fact(f"/{n}", observed_at=n + 2) for n in range(MAX_FACTS)])
    assert kept(house.store) == [("web1", f"/{n}", n + 2) for n in range(490, 500)]
