"""The record's letters as rows and documents. They are shown, not verified, here."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from contract.envelope import EnvelopeError, peek
from orchestrator.cli.moment import rfc3339, stamp
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table
from orchestrator.store.record import StoredEnvelope
from orchestrator.store.store import Store

_HEADER = ("seq", "at", "letter", "host", "run")
_PAGE = 500
# What of a letter's payload says most in few words.
_TELLING = ("runbook", "check", "state", "outcome", "reason", "detail")


def newest(store: Store, limit: int, **only: Any) -> tuple[Sequence[StoredEnvelope], int]:
    """Return the newest letters that fit, the newest last, and how many older ones there are."""
    kept: deque[StoredEnvelope] = deque(maxlen=limit)
    count = 0
    while page := store.envelopes.list(after_seq=kept[-1].seq if kept else 0, limit=_PAGE, **only):
        kept.extend(page)
        count += len(page)
    return list(kept), count - len(kept)


def show(letters: Sequence[StoredEnvelope], format_: Format) -> None:
    """Write letters to stdout."""
    if format_ is Format.TABLE:
        print_table(Table(_HEADER, [_row(letter) for letter in letters]))
        return
    documents = [_document(letter) for letter in letters]
    emit(format_, {"letters": documents}, documents)


def _row(letter: StoredEnvelope) -> Row:
    payload = _payload(letter)
    words = [_word(name, payload[name]) for name in _TELLING if payload.get(name)]
    cells = (str(letter.seq), stamp(letter.at), letter.kind.value, letter.host or "-")
    return Row((*cells, letter.run_id or "-"), [" ".join(words)] if words else [])


def _word(name: str, value: Any) -> str:
    return "--check" if name == "check" else str(value)


def _document(letter: StoredEnvelope) -> Document:
    return {
        "seq": letter.seq,
        "at": rfc3339(letter.at),
        "kind": letter.kind.value,
        "host": letter.host,
        "run_id": letter.run_id,
        "digest": letter.digest,
        "payload": _payload(letter),
        "envelope": letter.data.decode("ascii", errors="backslashreplace"),
    }


def _payload(letter: StoredEnvelope) -> Document:
    try:
        payload: Document = msgspec.json.decode(peek(letter.data)[1], type=dict[str, Any])
    except (EnvelopeError, msgspec.DecodeError):
        return {}
    return payload
