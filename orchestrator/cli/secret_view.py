"""Stored secrets as rows and documents: all but what they are."""

from collections.abc import Sequence

from orchestrator.cli.moment import ago, rfc3339, stamp
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table
from orchestrator.store.record import StoredSecret

_HEADER = ("secret", "set by", "set at", "age")


def show(stored: Sequence[StoredSecret], format_: Format) -> None:
    """Write the stored secrets to stdout."""
    if format_ is Format.TABLE:
        print_table(Table(_HEADER, [_row(secret) for secret in stored]))
        return
    documents = [_document(secret) for secret in stored]
    emit(format_, {"secrets": documents}, documents)


def _row(secret: StoredSecret) -> Row:
    return Row((secret.name, secret.set_by, stamp(secret.set_at), ago(secret.set_at)))


def _document(secret: StoredSecret) -> Document:
    return {
        "name": secret.name,
        "set_by": secret.set_by,
        "set_at": rfc3339(secret.set_at),
        "key_id": secret.key_id,
    }
