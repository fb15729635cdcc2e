"""What this host did, from its own ledger: without network, and as it reported it."""

from dataclasses import dataclass

from contract.envelope import EnvelopeError, peek
from contract.error import DenreiError
from contract.order import MessageError, Order, decode
from contract.report import Report
from worker.config import Config
from worker.ledger_view import LedgerView, Past
from worker.survey import read_order

_STATES = {"accepted": "waiting"}  # of orders that have not ended


class HistoryError(DenreiError):
    """A run is not in the ledger, or the beginning of its id fits several."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One order and what became of it."""

    past: Past
    order: Order | None  # None: the ledger's copy can't be read any more
    report: Report | None  # None: not ended yet

    @property
    def state(self) -> str:
        """Return `waiting`, `running`, or how it ended."""
        if self.report is not None:
            return self.report.state.value
        return _STATES.get(self.past.state, self.past.state)

    @property
    def outcome(self) -> str:
        """Return the outcome that the steps had together, or the state if there is none."""
        told = self.report.outcome if self.report is not None else None
        return told.value if told is not None else self.state


@dataclass(frozen=True, slots=True)
class History:
    """The newest orders, the newest first, and how many older ones are gone."""

    deeds: list[Deed]
    pruned: int


def recent(config: Config, limit: int) -> History:
    """Return what this host did last. Raises LedgerError."""
    view = LedgerView(config.ledger)
    return History([_deed(past) for past in view.history(limit)], view.pruned())


def find(config: Config, prefix: str) -> Deed:
    """Return the one order whose run id begins so. Raises HistoryError, LedgerError."""
    view = LedgerView(config.ledger)
    found = view.find(prefix.upper())
    if not found:
        message = f"no run {prefix!r} in this host's ledger ({view.pruned()} are pruned)"
        raise HistoryError(message)
    if len(found) > 1:
        raise HistoryError(f"{prefix!r} is the beginning of {len(found)} runs; give more of it")
    return _deed(found[0])


def _deed(past: Past) -> Deed:
    return Deed(past, read_order(past.letter), _read_report(past.report))


def _read_report(letter: bytes | None) -> Report | None:
    if letter is None:
        return None
    try:
        return decode(peek(letter)[1], Report)
    except (EnvelopeError, MessageError):
        return None
