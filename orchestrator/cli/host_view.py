"""Hosts as rows and documents."""

from collections.abc import Sequence

from rich.text import Text

from contract.key import VerifyKey
from orchestrator.cli.moment import ago, rfc3339, stamp
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_lines, print_table, stdout
from orchestrator.cli.visible import visible
from orchestrator.store.record import Host, HostRun

_HEADER = ("host", "labels", "last signed")


def host_document(host: Host) -> Document:
    """Return a host for machines."""
    return {
        "name": host.name,
        "labels": dict(host.labels),
        "added_at": rfc3339(host.added_at),
        "last_signed_at": rfc3339(host.last_signed_at),
        "key_id": VerifyKey(host.sign_key).id,
        "sign_key": host.sign_key,
        "seal_key": host.seal_key,
    }


def show_hosts(hosts: Sequence[Host], format_: Format) -> None:
    """Write the inventory to stdout."""
    if format_ is Format.TABLE:
        rows = [Row((h.name, _labels(h), ago(h.last_signed_at))) for h in hosts]
        print_table(Table(_HEADER, rows))
        return
    documents = [host_document(host) for host in hosts]
    emit(format_, {"hosts": documents}, documents)


def show_host(host: Host, open_runs: Sequence[HostRun], format_: Format) -> None:
    """Write one host and the runs that are open on it to stdout."""
    if format_ is not Format.TABLE:
        runs = [{"run_id": share.run_id, "state": share.state.value} for share in open_runs]
        document = {"host": host_document(host), "open_runs": runs}
        emit(format_, document, [document])
        return
    facts = [
        ("host", host.name),
        ("labels", _labels(host)),
        ("added", stamp(host.added_at)),
        ("last signed", _last_signed(host)),
        ("key id", VerifyKey(host.sign_key).id),
        ("sign key", host.sign_key),
        ("seal key", host.seal_key),
        *(("open run", f"{share.run_id} {share.state.value}") for share in open_runs),
    ]
    print_lines([Text(f"{name + ':':<13}{visible(value)}") for name, value in facts], stdout())


def _labels(host: Host) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(host.labels.items())) or "-"


def _last_signed(host: Host) -> str:
    when = ago(host.last_signed_at)
    return f"{stamp(host.last_signed_at)} ({when})" if host.last_signed_at else when
