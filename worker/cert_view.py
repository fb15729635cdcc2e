"""The verdict on a certificate as lines for people and as a document for machines."""

import textwrap
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from contract.duration import show_duration
from contract.instant import show_instant
from contract.probe import CertificateState
from worker.certificate.description import Certificate
from worker.certificate.judge import State
from worker.certificate.witness import (
    Held,
    KeyStatus,
    ProcessWitness,
    Running,
    Shown,
    Unreached,
    WireWitness,
)
from worker.display import Document, emit, plain

_WIDTH = 80
_LABEL = 13
_UNITS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1))
_YEAR = timedelta(days=365)
_FEW = 3  # of a unit say more in the next smaller one


def show_state(state: State, arguments: CertificateState, format_: str) -> None:
    """Write the verdict to stdout."""
    if format_ == "json":
        emit(_document(state, arguments))
        return
    for label, value in _rows(state, arguments, datetime.now(UTC)):
        click.echo(_wrapped(label, plain(value)))


def _wrapped(label: str, value: str) -> str:
    return textwrap.fill(
        value,
        _WIDTH,
        initial_indent=label.ljust(_LABEL),
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
    )


def _rows(state: State, arguments: CertificateState, now: datetime) -> Iterator[tuple[str, str]]:
    yield "verdict", state.verdict if state.confirmed else f"{state.verdict} (not confirmed)"
    yield "reason", state.reason
    yield "fails", _when(state.outage_at, now) if state.outage_at else "not known"
    yield "file", arguments.path or "-"
    if found := state.found:
        if state.certificate is None:
            yield "shown", "the following, by the port"
        yield "subject", found.subject or "-"
        yield "issuer", "itself" if found.is_self_signed else found.issuer
        yield "names", ", ".join(found.san) or "-"
        yield "serial", found.serial
        yield "valid from", _when(found.not_before, now)
        yield "valid until", _when(found.not_after, now)
    if state.expiring_at:
        yield "renew by", _when(state.expiring_at, now)
    yield from _witnesses(state, now)


def _witnesses(state: State, now: datetime) -> Iterator[tuple[str, str]]:
    file, process, wire = state.witnesses.file, state.witnesses.process, state.witnesses.wire
    if isinstance(file, Held) and file.key is not KeyStatus.NOT_ASKED:
        yield "key", file.key
    if isinstance(process, Running):
        loaded = _when(process.loaded_at.replace(microsecond=0), now)
        yield "process", f"{process.name} (pid {process.pid}), started or reloaded {loaded}"
    elif process:
        yield "process", "not running"
    if isinstance(wire, Shown):
        failed = f", {len(wire.failures)} failed" if wire.failures else ""
        yield "port", f"{wire.endpoint}, handshakes: {len(wire.leaves)}{failed}"
    elif wire:
        yield "port", f"{wire.endpoint}: {wire.why}"


def _when(moment: datetime, now: datetime) -> str:
    """Write a moment, and how far off it is in its largest unit."""
    span, shown = abs(moment - now), show_instant(moment.replace(microsecond=0))
    if span < _UNITS[-1]:
        return f"{shown} (now)"
    distance = _distance(span)
    return f"{shown} (in {distance})" if moment > now else f"{shown} ({distance} ago)"


def _distance(span: timedelta) -> str:
    if span >= _YEAR * _FEW:
        return f"{span // _YEAR} years"
    unit = next((unit for unit in _UNITS if span >= unit * _FEW), _UNITS[-1])
    return show_duration(span // unit * unit)


def _document(state: State, arguments: CertificateState) -> Document:
    file = state.witnesses.file
    held = file if isinstance(file, Held) else None
    return {
        "verdict": state.verdict.value,
        "reason": state.reason,
        "confirmed": state.confirmed,
        "outage_at": _moment(state.outage_at),
        "expiring_at": _moment(state.expiring_at),
        "path": arguments.path,
        "certificate": _certificate(state.certificate) if state.certificate else None,
        "chain": [_certificate(each) for each in held.chain] if held else [],
        "key": {"path": arguments.key, "status": held.key.value if held else None}
        if arguments.key
        else None,
        "process": _process(state.witnesses.process),
        "served": _served(state.witnesses.wire),
    }


def _certificate(found: Certificate) -> Document:
    return {
        "not_before": _moment(found.not_before),
        "not_after": _moment(found.not_after),
        "serial": found.serial,
        "subject": found.subject,
        "issuer": found.issuer,
        "san": list(found.san),
        "sha256": found.sha256,
        "sha1": found.sha1,
        "key_type": found.key_type,
        "self_signed": found.is_self_signed,
    }


def _process(process: ProcessWitness | None) -> Document | None:
    if not isinstance(process, Running):
        return {"running": False} if process else None
    return {
        "running": True,
        "pid": process.pid,
        "name": process.name,
        "started_at": _moment(process.started_at),
        "reloaded_at": _moment(process.reloaded_at),
        "youngest_started_at": _moment(process.newest),
    }


def _served(wire: WireWitness | None) -> Document | None:
    if wire is None:
        return None
    if isinstance(wire, Unreached):
        return {"endpoint": wire.endpoint, "error": wire.why, "handshakes": 0, "certificates": []}
    times = Counter(leaf.sha256 for leaf in wire.leaves)
    distinct = {leaf.sha256: leaf for leaf in wire.leaves}
    shown = [{"handshakes": times[sha], **_certificate(leaf)} for sha, leaf in distinct.items()]
    return {
        "endpoint": wire.endpoint,
        "error": wire.failures[0] if wire.failures else "",
        "handshakes": len(wire.leaves),
        "certificates": shown,
    }


def _moment(moment: datetime | None) -> str | None:
    return show_instant(moment) if moment else None
