"""Finds the facts of a host: files, locks and clocks, read once and left as they are."""

import time
from collections.abc import Iterable, Iterator

from contract.envelope import EnvelopeError, peek
from contract.error import DenreiError
from contract.instant import now_ms
from contract.order import MessageError, Order, decode
from contract.version import VERSION
from worker.clock import Comparison, Taken, compare
from worker.config import Config
from worker.courier_state import load_state
from worker.ledger_file import LedgerError
from worker.ledger_view import LedgerView, Past, Standing
from worker.liveness import holder, last_word
from worker.mailbox import Mailbox
from worker.proc import boot_clock, boot_id
from worker.status import Facts

_COMPARED = 20  # so many of the newest orders tell about the clock


class SurveyError(DenreiError):
    """The host's files can't be looked at: another user's, or not there."""


def survey(config: Config) -> Facts:
    """Return what is to be found on this host now. Raises DenreiError."""
    try:
        return _survey(config)
    except OSError as error:
        message = f"can't look at {error.filename}: {error.strerror}; are you the worker's user?"
        raise SurveyError(message) from None


def _survey(config: Config) -> Facts:
    ledger, clock, trouble = _ledger(LedgerView(config.ledger))
    inbox = Mailbox(config.inbox)
    return Facts(
        host=config.name,
        worker=VERSION,
        now=now_ms(),
        boot_id=boot_id(),
        boot_s=boot_clock(),
        courier=holder(config.courier_lock),
        executor=holder(config.executor_lock),
        executor_word=last_word(config.executor_lock),
        word=load_state(config.courier_state),
        inbox=len(inbox.letters()),
        outbox=len(Mailbox(config.outbox).letters()),
        oldest_s=_oldest_s(inbox),
        ledger=ledger,
        ledger_trouble=trouble,
        clock=clock,
    )


def _ledger(view: LedgerView) -> tuple[Standing | None, Comparison | None, str]:
    try:
        return view.standing(), compare(now_ms(), _taken(view.history(_COMPARED))), ""
    except LedgerError as error:
        return None, None, str(error)


def _taken(orders: Iterable[Past]) -> Iterator[Taken]:
    for past in orders:
        if order := read_order(past.letter):
            yield Taken(past.run_id, order.issued_at, past.accepted_at)


def read_order(letter: bytes) -> Order | None:
    """Read an order that the ledger holds: the gate believed it when it came."""
    try:
        return decode(peek(letter)[1], Order)
    except (EnvelopeError, MessageError):
        return None


def _oldest_s(inbox: Mailbox) -> float:
    try:
        letters = inbox.letters()
        return time.time() - letters[0].stat().st_mtime if letters else 0.0
    except FileNotFoundError:  # taken while we looked
        return 0.0
