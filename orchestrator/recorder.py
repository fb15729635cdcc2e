"""The recorder: verifies what hosts send, stores it, and moves the host runs.

It holds one key, which signs nothing but acknowledgements. It takes many letters at a time: one
look into the store and one commit for all of them, while those that follow are verified already.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from contract.envelope import EnvelopeError, Opened, PayloadType, open_envelope
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import Signer
from contract.order import PROTOCOL, MessageError, decode, letter_digest
from contract.presence import SKEW_MS
from contract.report import Footing, FromHost, Pong, Receipt, Refusal, Report
from orchestrator.acknowledging import acknowledge
from orchestrator.claim import Claim, complaints
from orchestrator.progress import advance
from orchestrator.store.incoming import Answers, Arrived, Taken
from orchestrator.store.presences import skew_between
from orchestrator.store.record import HostKey, Kind, NewEnvelope
from orchestrator.store.store import Store
from orchestrator.verifier import Verifier

_MESSAGES: dict[PayloadType, type[FromHost]] = {
    PayloadType.RECEIPT: Receipt,
    PayloadType.REPORT: Report,
    PayloadType.REFUSAL: Refusal,
    PayloadType.PONG: Pong,
    PayloadType.FOOTING: Footing,
}


# Has claims looked into, and gives what waits for the complaints.
Begin = Callable[[Sequence[Claim]], Callable[[], list[str]]]


class LetterError(DenreiError):
    """A letter must not be believed; it is not stored."""


@dataclass(frozen=True, slots=True)
class _Hearing:
    """Letters taken apart, while it is looked into who signed them."""

    letters: Sequence[bytes]
    opened: Sequence[Opened | LetterError]
    owners: Mapping[str, HostKey]
    complaints: Callable[[], list[str]]  # of those that could be opened


class Recorder:
    """Takes letters from hosts in."""

    def __init__(self, store: Store, key: Signer, verifier: Verifier) -> None:
        """Store into `store`; acknowledge with `key`."""
        self._store = store
        self._key = key
        self._verifier = verifier
        self._ahead: _Hearing | None = None

    def record(
        self, letters: Sequence[bytes], following: Sequence[bytes] = ()
    ) -> list[Taken | LetterError]:
        """Verify and store letters in their sequence; return what became of each.

        A repeat changes nothing, and one that must not be believed hinders no other. Raises
        StoreError, and then none of them is stored. `following` are what comes next: verified
        meanwhile, and not stored.
        """
        now = now_ms()
        judged = self._judge(letters, now)
        self._ahead = self._hear(following, self._verifier.begin) if following else None
        arrived = [each for each in judged if isinstance(each, Arrived)]
        taken = self._store.incoming.take(arrived, advance, self._acknowledge)
        fresh = [each for each, one in zip(arrived, taken, strict=True) if not one.repeated]
        self._note_clocks(fresh, now)
        results = iter(taken)
        return [each if isinstance(each, LetterError) else next(results) for each in judged]

    def _judge(self, letters: Sequence[bytes], now: int) -> list[Arrived | LetterError]:
        """Say of each letter whether it is believed."""
        ahead, self._ahead = self._ahead, None
        heard = ahead if ahead and ahead.letters is letters else self._hear(letters, _at_once)
        told = iter(heard.complaints())
        return [
            opened
            if isinstance(opened, LetterError)
            else _believed(letter, opened, next(told), heard.owners, now)
            for letter, opened in zip(letters, heard.opened, strict=True)
        ]

    def _hear(self, letters: Sequence[bytes], begin: Begin) -> _Hearing:
        """Open all of them, look up who signed them, and have it looked into whether they did."""
        opened = [_open(letter) for letter in letters]
        good = [each for each in opened if isinstance(each, Opened)]
        signers = {key_id for each in good for key_id in each.signers}
        owners = {key.key_id: key for key in self._store.hosts.keys(signers)}
        claims = [Claim(each, tuple(key.sign_key for key in _known(each, owners))) for each in good]
        return _Hearing(letters, opened, owners, begin(claims))

    def _acknowledge(self, reports: Sequence[Arrived], at: Sequence[int]) -> Answers:
        return acknowledge(reports, at, self._key)

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


def _at_once(claims: Sequence[Claim]) -> Callable[[], list[str]]:
    """Look into claims here: what is waited for gains nothing by another process."""
    return lambda: complaints(claims)


def _known(opened: Opened, owners: Mapping[str, HostKey]) -> list[HostKey]:
    return [owners[key_id] for key_id in opened.signers if key_id in owners]


def _believed(
    letter: bytes, opened: Opened, complaint: str, owners: Mapping[str, HostKey], now: int
) -> Arrived | LetterError:
    """Return a letter with what it tells, if its host signed it and nobody else."""
    if complaint:
        return LetterError(complaint)
    try:
        message = decode(opened.payload, _MESSAGES[opened.type])
        _check(message, _known(opened, owners))
    except (MessageError, LetterError) as error:
        return LetterError(str(error))
    envelope = NewEnvelope(
        kind=Kind.of(opened.type),
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


def _at(message: FromHost) -> int:
    return message.ended_at if isinstance(message, Report) else message.at


def _about(message: FromHost) -> str:
    """Return the digest of the order that a message speaks of; empty if it is about none."""
    if isinstance(message, Refusal):
        return message.letter_sha256
    return "" if isinstance(message, Pong | Footing) else message.order_sha256
