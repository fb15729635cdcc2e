"""The recorder: verifies what hosts send, stores it, and moves the host runs.

It holds one key, which signs nothing but acknowledgements. It takes as many letters at a time as
have come: one look into the store and one commit for all of them.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from contract.envelope import EnvelopeError, Opened, PayloadType, open_envelope
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import Signer, VerifyKey
from contract.order import (
    PROTOCOL,
    Acknowledgement,
    MessageError,
    decode,
    letter_digest,
    sign_message,
)
from contract.presence import SKEW_MS
from contract.report import Footing, FromHost, Pong, Receipt, Refusal, Report
from orchestrator.progress import advance
from orchestrator.store.incoming import Arrived, Taken
from orchestrator.store.presences import skew_between
from orchestrator.store.record import HostKey, Kind, NewEnvelope
from orchestrator.store.store import Store

_MESSAGES: dict[PayloadType, type[FromHost]] = {
    PayloadType.RECEIPT: Receipt,
    PayloadType.REPORT: Report,
    PayloadType.REFUSAL: Refusal,
    PayloadType.PONG: Pong,
    PayloadType.FOOTING: Footing,
}


class LetterError(DenreiError):
    """A letter must not be believed; it is not stored."""


class Recorder:
    """Takes letters from hosts in."""

    def __init__(self, store: Store, key: Signer) -> None:
        """Store into `store`; acknowledge with `key`."""
        self._store = store
        self._key = key

    def record(self, letters: Sequence[bytes]) -> list[Taken | LetterError]:
        """Verify and store letters in their sequence; return what became of each.

        A repeat changes nothing, and one that must not be believed hinders no other. Raises
        StoreError, and then none of them is stored.
        """
        now = now_ms()
        judged = self._judge(letters, now)
        arrived = [each for each in judged if isinstance(each, Arrived)]
        taken = self._store.incoming.take(arrived, advance, self._acknowledge)
        fresh = [each for each, one in zip(arrived, taken, strict=True) if not one.repeated]
        self._note_clocks(fresh, now)
        results = iter(taken)
        return [each if isinstance(each, LetterError) else next(results) for each in judged]

    def _judge(self, letters: Sequence[bytes], now: int) -> list[Arrived | LetterError]:
        """Open all of them, look up who signed them, and say of each whether it is believed."""
        opened = [_open(letter) for letter in letters]
        signers = {key_id for each in opened if isinstance(each, Opened) for key_id in each.signers}
        owners = {key.key_id: key for key in self._store.hosts.keys(signers)}
        return [
            each if isinstance(each, LetterError) else _believed(letter, each, owners, now)
            for letter, each in zip(letters, opened, strict=True)
        ]

    def _acknowledge(self, arrived: Arrived, at: int) -> NewEnvelope | None:
        """Return the acknowledgement of a report; only those are kept by a host until then.

        The moment is that of storing the letter and Ed25519 has no randomness: for a repeated
        letter the very same bytes come out, so repeats don't fill the store.
        """
        letter = arrived.letter
        if letter.kind is not Kind.REPORT:
            return None
        message = Acknowledgement(
            host=letter.host, epoch=arrived.tells.epoch, digests=[letter.digest], at=at
        )
        data = sign_message(PayloadType.ACKNOWLEDGEMENT, message, self._key)
        return NewEnvelope(
            kind=Kind.ACKNOWLEDGEMENT,
            host=letter.host,
            run_id=letter.run_id,
            digest=letter_digest(data),
            data=data,
            at=at,
        )

    def _note_clocks(self, arrived: Sequence[Arrived], now: int) -> None:
        """Note what signed letters show of their hosts' clocks: each spoke after it was asked."""
        skews: Mapping[str, int] = {
            each.tells.host: skew_between(_at(each.tells), asked_at, now)
            for each in arrived
            if (asked_at := self._spoke_after(each.tells, now)) is not None
        }
        if skews:
            self._store.presences.signed_clocks(skews, now)

    def _spoke_after(self, message: FromHost, now: int) -> int | None:
        at = _at(message)
        return at if at >= now - SKEW_MS else self._asked_at(message)

    def _asked_at(self, message: FromHost) -> int | None:
        """Return when we asked what a message answers; None if that is not known."""
        if isinstance(message, Footing):
            return None
        if isinstance(message, Pong):
            ping = self._store.pings.get(message.nonce)
            return ping.created_at if ping else None
        run = self._store.runs.get(message.run_id) if message.run_id else None
        return run.created_at if run else None


def _open(letter: bytes) -> Opened | LetterError:
    try:
        return open_envelope(letter, frozenset(_MESSAGES))
    except EnvelopeError as error:
        return LetterError(str(error))


def _believed(
    letter: bytes, opened: Opened, owners: Mapping[str, HostKey], now: int
) -> Arrived | LetterError:
    """Return a letter with what it tells, if its host signed it and nobody else."""
    try:
        known = [owners[key_id] for key_id in opened.signers if key_id in owners]
        verified = opened.verify({key.key_id: _checked(key.sign_key) for key in known})
        message = decode(verified.payload, _MESSAGES[verified.type])
        _check(message, known)
    except (EnvelopeError, MessageError, LetterError) as error:
        return LetterError(str(error))
    envelope = NewEnvelope(
        kind=Kind.of(verified.type),
        host=message.host,
        run_id=getattr(message, "run_id", None),
        digest=letter_digest(letter),
        data=letter,
        at=now,
    )
    return Arrived(letter=envelope, about=_about(message), tells=message)


def _check(message: FromHost, owners: Sequence[HostKey]) -> None:
    """See to it that one host signed, that it speaks for itself, and as who it is now."""
    if len(owners) != 1:
        raise LetterError("signed by more than one host")
    (owner,) = owners
    if message.host != owner.host:
        raise LetterError(f"it speaks for {message.host!r}, but {owner.host!r} signed it")
    if message.epoch != owner.epoch:
        raise LetterError(f"it speaks for epoch {message.epoch}, the key is of {owner.epoch}")
    if message.v != PROTOCOL:
        raise LetterError(f"protocol {message.v} is not spoken here, only {PROTOCOL}")


@lru_cache(maxsize=20_000)
def _checked(public: str) -> VerifyKey:
    """Return a key, checked as every one that comes in; hosts speak often."""
    return VerifyKey(public)


def _at(message: FromHost) -> int:
    return message.ended_at if isinstance(message, Report) else message.at


def _about(message: FromHost) -> str:
    """Return the digest of the order that a message speaks of; empty if it is about none."""
    if isinstance(message, Refusal):
        return message.letter_sha256
    return "" if isinstance(message, Pong | Footing) else message.order_sha256
