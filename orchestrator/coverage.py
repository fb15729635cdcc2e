"""Whether stored reports, and what acknowledges them, fit one another."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from contract.envelope import EnvelopeError, Head, PayloadType, head_of, peek
from contract.order import MessageError, decode
from contract.report import Report
from orchestrator.acknowledging import acknowledgement
from orchestrator.store.record import Kind, StoredEnvelope

_OTHERS = "it acknowledges other reports than those that were stored with it"
_ALONE = "what acknowledges it is not in the store"


@dataclass(slots=True)
class Coverage:
    """Follows the letters in their sequence: reports first, then what was signed for them."""

    _open: dict[int, list[StoredEnvelope]] = field(default_factory=dict)  # by when they were stored

    def take(self, letter: StoredEnvelope) -> str:
        """Return what is wrong with a letter beside those before it; nothing for most."""
        if letter.kind is Kind.REPORT:
            self._open.setdefault(letter.at, []).append(letter)
        if letter.kind is not Kind.ACKNOWLEDGEMENTS:
            return ""
        reports = self._open.pop(letter.at, [])
        return "" if _covers(letter, reports) else _OTHERS

    def left(self) -> Iterator[tuple[StoredEnvelope, str]]:
        """Yield the reports that nothing acknowledges, and what is wrong with that."""
        for reports in self._open.values():
            yield from ((report, _ALONE) for report in reports)


def _covers(letter: StoredEnvelope, reports: list[StoredEnvelope]) -> bool:
    try:
        told = [_told(report) for report in reports]
        head: Head = _message(letter, Head)
    except (EnvelopeError, MessageError):
        return True  # one of them is found by itself
    return bool(told) and head == head_of(PayloadType.ACKNOWLEDGEMENT, told)


def _told(report: StoredEnvelope) -> bytes:
    epoch = _message(report, Report).epoch
    return acknowledgement(report.host, epoch, report.digest, report.at)


def _message(letter: StoredEnvelope, kind: type[Any]) -> Any:
    return decode(peek(letter.data)[1], kind)
