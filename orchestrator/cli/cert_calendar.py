"""A calendar (RFC 5545) of the fleet's certificates: when each is to be renewed, and when it fails.

An event keeps its UID as long as its certificate keeps its host, path and endpoint, so a calendar
that is imported again moves its events instead of adding them twice.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta

from icalendar import Calendar, Event

from contract.instant import to_datetime
from orchestrator.certificate import Certificate
from orchestrator.cli.visible import visible

_LENGTH = timedelta(minutes=30)  # some calendars don't show what takes no time


def to_calendar(certificates: Sequence[Certificate]) -> bytes:
    """Return the calendar's text: lines of at most 75 octets that end in CRLF."""
    calendar = Calendar()
    calendar.add("prodid", "-//Denrei//denrei cert list//EN")
    calendar.add("version", "2.0")
    calendar.add("name", "Certificates")
    calendar.add("x-wr-calname", "Certificates")
    for certificate in certificates:
        for event in _events(certificate):
            calendar.add_component(event)
    text: bytes = calendar.to_ical()
    return text


def _events(certificate: Certificate) -> Iterator[Event]:
    fact = certificate.fact
    if fact.expiring_at is not None:
        yield _event(certificate, "renewal", "Renew", fact.expiring_at)
    if fact.outage_at is not None:
        yield _event(certificate, "outage", "Fails", fact.outage_at)


def _event(certificate: Certificate, kind: str, verb: str, at: int) -> Event:
    event = Event()
    host = certificate.record.host
    event.add("uid", f"{kind}-{_identity(certificate)}@denrei")
    # Without a METHOD it says when this was last revised: when the host looked.
    event.add("dtstamp", to_datetime(certificate.record.observed_at))
    event.add("dtstart", to_datetime(at))
    event.add("duration", _LENGTH)
    event.add("summary", visible(f"{verb}: {certificate.name} on {host}"))
    event.add("description", _description(certificate))
    event.add("location", host)
    event.add("categories", [kind, certificate.verdict.value])
    event.add("transp", "TRANSPARENT")
    return event


def _description(certificate: Certificate) -> str:
    fact = certificate.fact
    parts = [
        ("verdict", f"{certificate.verdict}: {certificate.reason}"),
        ("service", fact.service),
        ("names", ", ".join(fact.san)),
        ("subject", fact.subject),
        ("issuer", fact.issuer),
        ("serial", fact.serial),
        ("renewed by", fact.renewal),
    ]
    return "\n".join(f"{name}: {visible(value)}" for name, value in parts if value)


def _identity(certificate: Certificate) -> str:
    named = (certificate.record.host, certificate.fact.path, certificate.fact.endpoint)
    return hashlib.sha256("\0".join(named).encode()).hexdigest()[:32]
