"""Hosts as rows and documents."""

from collections.abc import Mapping, Sequence

import click
from rich.text import Text

from contract.key import VerifyKey
from orchestrator.cli.moment import ago, clock, rfc3339, stamp
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_lines, print_table, stdout
from orchestrator.cli.visible import visible
from orchestrator.presence import Presence, Verdict
from orchestrator.store.enrolment_record import Enrolment, EnrolmentState
from orchestrator.store.record import Host, HostRun, PresenceRecord

_HEADER = ("host", "presence (unsigned)", "answered", "last signed", "labels")


def host_document(host: Host, seen: Verdict) -> Document:
    """Return a host for machines."""
    return {
        "name": host.name,
        "labels": dict(host.labels),
        "epoch": host.epoch,
        "keyring": host.keyring,
        "added_at": rfc3339(host.added_at),
        "last_signed_at": rfc3339(host.last_signed_at),
        "presence": _presence_document(seen),
        "key_id": VerifyKey(host.sign_key).id,
        "sign_key": host.sign_key,
        "seal_key": host.seal_key,
    }


def show_hosts(
    hosts: Sequence[Host],
    seen: Mapping[str, Verdict],
    enrolments: Sequence[Enrolment],
    format_: Format,
) -> None:
    """Write the inventory to stdout, and who is about to come in."""
    if format_ is Format.TABLE:
        print_table(Table(_HEADER, [_row(host, seen[host.name]) for host in hosts]))
        for enrolment in enrolments:
            click.echo(_coming(enrolment), err=True)
        if unknown := {v.detail for v in seen.values() if v.presence is Presence.UNKNOWN}:
            click.echo(visible("; ".join(sorted(unknown))), err=True)
        return
    documents = [host_document(host, seen[host.name]) for host in hosts]
    coming = [_enrolment_document(enrolment) for enrolment in enrolments]
    emit(format_, {"hosts": documents, "enrolments": coming}, documents)


def show_host(host: Host, seen: Verdict, open_runs: Sequence[HostRun], format_: Format) -> None:
    """Write one host and the runs that are open on it to stdout."""
    if format_ is not Format.TABLE:
        runs = [{"run_id": share.run_id, "state": share.state.value} for share in open_runs]
        document = {"host": host_document(host, seen), "open_runs": runs}
        emit(format_, document, [document])
        return
    facts = [
        ("host", host.name),
        ("labels", _labels(host)),
        ("epoch", f"{host.epoch}, follows keyring {host.keyring}"),
        ("added", stamp(host.added_at)),
        ("presence", f"{seen.presence}, unsigned" + (f": {seen.detail}" if seen.detail else "")),
        ("asked", _when(seen.record.asked_at)),
        ("answered", f"{_when(seen.record.answered_at)}{_said(seen.record)}"),
        ("last signed", _when(host.last_signed_at)),
        ("key id", VerifyKey(host.sign_key).id),
        ("sign key", host.sign_key),
        ("seal key", host.seal_key),
        *(("open run", f"{share.run_id} {share.state.value}") for share in open_runs),
    ]
    print_lines([Text(f"{name + ':':<13}{visible(value)}") for name, value in facts], stdout())


def _row(host: Host, seen: Verdict) -> Row:
    answered, signed = ago(seen.record.answered_at), ago(host.last_signed_at)
    # What is unknown has one reason for all hosts, told once below.
    notes = [seen.detail] if seen.detail and seen.presence is not Presence.UNKNOWN else []
    return Row((host.name, seen.presence.value, answered, signed, _labels(host)), notes)


def _coming(enrolment: Enrolment) -> str:
    """Say how far a host is that is no member yet."""
    name = enrolment.host
    if enrolment.state is EnrolmentState.HELD:
        asked = ago(enrolment.claimed_at)
        return f"{name} asked {asked}; compare its key and let it in: denrei host accept {name}"
    if enrolment.state is EnrolmentState.ACCEPTED:
        return f"{name} is accepted, and is admitted when it asks again"
    return f"{name} has a token that is good until {clock(enrolment.expires_at)}"


def _enrolment_document(enrolment: Enrolment) -> Document:
    key = enrolment.sign_key
    return {
        "host": enrolment.host,
        "epoch": enrolment.epoch,
        "state": enrolment.state.value,
        "issued_at": rfc3339(enrolment.issued_at),
        "expires_at": rfc3339(enrolment.expires_at),
        "claimed_at": rfc3339(enrolment.claimed_at),
        "key_id": VerifyKey(key).id if key else None,
    }


def _presence_document(seen: Verdict) -> Document:
    record, answered = seen.record, seen.record.answered_at is not None
    return {
        "state": seen.presence.value,
        "signed": False,
        "detail": seen.detail,
        "asked_at": rfc3339(record.asked_at),
        "answered_at": rfc3339(record.answered_at),
        "unanswered_since": rfc3339(record.open_since),
        "lying_in_queue": record.lying,
        "clock_skew_s": seen.skew_ms / 1000,
        "clock_skew_signed": seen.skew_is_signed,
        "worker": record.worker if answered else None,
        "inbox": record.inbox if answered else None,
        "outbox": record.outbox if answered else None,
        "executor_takes_letters": record.taking if answered else None,
    }


def _said(record: PresenceRecord) -> str:
    if record.answered_at is None:
        return ""
    return f", worker {record.worker}, {record.inbox} in inbox, {record.outbox} in outbox"


def _labels(host: Host) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(host.labels.items())) or "-"


def _when(ms: int | None) -> str:
    return f"{stamp(ms)} ({ago(ms)})" if ms else ago(ms)
