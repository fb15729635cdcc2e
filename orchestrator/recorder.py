"""The recorder: verifies what hosts send, stores it, and moves the host runs.

It holds one key, which signs nothing but acknowledgements.
"""

from functools import partial

import structlog

from contract.envelope import EnvelopeError, PayloadType, sign, verify
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import Signer
from contract.order import (
    PROTOCOL,
    Acknowledgement,
    MessageError,
    decode,
    encode,
    letter_digest,
)
from contract.presence import SKEW_MS
from contract.report import Footing, Pong, Receipt, Refusal, Report
from orchestrator.known_hosts import KnownHosts
from orchestrator.progress import Answer, advance
from orchestrator.store.incoming import Taken
from orchestrator.store.presences import skew_between
from orchestrator.store.record import Kind, NewEnvelope
from orchestrator.store.store import Store

_log = structlog.get_logger(__name__)

_MESSAGES: dict[PayloadType, type[Answer]] = {
    PayloadType.RECEIPT: Receipt,
    PayloadType.REPORT: Report,
    PayloadType.REFUSAL: Refusal,
    PayloadType.PONG: Pong,
    PayloadType.FOOTING: Footing,
}


class LetterError(DenreiError):
    """A letter must not be believed; it is not stored."""


class Recorder:
    """Takes letters from hosts in, one after another."""

    def __init__(self, store: Store, key: Signer) -> None:
        """Store into `store`; acknowledge with `key`."""
        self._store = store
        self._key = key
        self._hosts = KnownHosts(store)

    def record(self, letter: bytes) -> Taken:
        """Verify and store one letter; a repeat changes nothing.

        Raises LetterError if it must not be believed, StoreError if it can't be stored.
        """
        kind, message = self._open(letter)
        now = now_ms()
        envelope = NewEnvelope(
            kind=kind,
            host=message.host,
            run_id=getattr(message, "run_id", None),
            digest=letter_digest(letter),
            data=letter,
            at=now,
        )
        taken = self._store.incoming.take(
            envelope,
            about=_about(message),
            advance=partial(advance, message=message, now=now),
            # Only reports are kept by a host until acknowledged.
            acknowledge=partial(self._acknowledge, envelope, message.epoch)
            if kind is Kind.REPORT
            else None,
            tells=message,
        )
        if not taken.repeated:
            self._note_clock(message, now)
        _tell(message, kind, taken)
        return taken

    def _note_clock(self, message: Answer, now: int) -> None:
        """Note what a signed letter shows of its host's clock: it spoke after it was asked."""
        at = message.ended_at if isinstance(message, Report) else message.at
        asked_at = at if at >= now - SKEW_MS else self._asked_at(message)
        if asked_at is not None:
            self._store.presences.signed_clock(message.host, skew_between(at, asked_at, now), now)

    def _asked_at(self, message: Answer) -> int | None:
        """Return when we asked what a message answers; None if that is not known."""
        if isinstance(message, Footing):
            return None
        if isinstance(message, Pong):
            ping = self._store.pings.get(message.nonce)
            return ping.created_at if ping else None
        run = self._store.runs.get(message.run_id) if message.run_id else None
        return run.created_at if run else None

    def _open(self, letter: bytes) -> tuple[Kind, Answer]:
        try:
            verified = verify(letter, self._hosts, frozenset(_MESSAGES))
            message = decode(verified.payload, _MESSAGES[verified.type])
        except (EnvelopeError, MessageError) as error:
            raise LetterError(str(error)) from None
        if len(verified.key_ids) != 1:
            raise LetterError("signed by more than one host")
        (key_id,) = verified.key_ids
        owner = self._hosts.owner(key_id)
        if message.host != owner.host:
            raise LetterError(f"it speaks for {message.host!r}, but {owner.host!r} signed it")
        if message.epoch != owner.epoch:
            raise LetterError(f"it speaks for epoch {message.epoch}, the key is of {owner.epoch}")
        if message.v != PROTOCOL:
            raise LetterError(f"protocol {message.v} is not spoken here, only {PROTOCOL}")
        return Kind.of(verified.type), message

    def _acknowledge(self, letter: NewEnvelope, epoch: int, at: int) -> NewEnvelope:
        # The moment is that of storing the letter and Ed25519 has no randomness: for a repeated
        # letter the very same bytes come out, so repeats don't fill the store.
        message = Acknowledgement(host=letter.host, epoch=epoch, digests=[letter.digest], at=at)
        data = sign(PayloadType.ACKNOWLEDGEMENT, encode(message), [self._key])
        return NewEnvelope(
            kind=Kind.ACKNOWLEDGEMENT,
            host=letter.host,
            run_id=letter.run_id,
            digest=letter_digest(data),
            data=data,
            at=at,
        )


def _about(message: Answer) -> str:
    """Return the digest of the order that a message speaks of; empty if it is about none."""
    if isinstance(message, Refusal):
        return message.letter_sha256
    return "" if isinstance(message, Pong | Footing) else message.order_sha256


def _tell(message: Answer, kind: Kind, taken: Taken) -> None:
    run_id = getattr(message, "run_id", None)
    with structlog.contextvars.bound_contextvars(run=run_id, host=message.host):
        if taken.repeated:
            _log.debug("repeated", kind=kind)
        elif taken.after is None and not isinstance(message, Pong | Footing):
            _log.warning("about_nothing_known", kind=kind)
        elif taken.before != taken.after and taken.after is not None:
            _log.info("recorded", kind=kind, state=taken.after.state, reason=taken.after.reason)
        else:
            _log.info("stored", kind=kind)
