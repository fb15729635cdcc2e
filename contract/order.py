"""What the orchestrator sends to a host: orders, cancels, pings and acknowledgements."""

import hashlib
from typing import Annotated, TypeVar

import msgspec

from contract.document import MAX_BYTES as MAX_RUNBOOK_BYTES
from contract.envelope import PayloadType, sign
from contract.error import DenreiError
from contract.key import Signer

PROTOCOL = 1
MAX_LIFE_MS = 7 * 24 * 3600 * 1000  # no order is good for longer than seven days
MAX_CANCEL_LIFE_MS = 2 * MAX_LIFE_MS  # an order that begins at its last moment still has to run

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
RunId = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}\Z")]  # a ULID
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Nonce = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]  # ms since 1970, UTC
Whole = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]  # what every JSON reader can hold
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

T = TypeVar("T", bound=msgspec.Struct)


class MessageError(DenreiError):
    """A verified payload is not the message it says it is."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every message carries."""

    v: Annotated[int, msgspec.Meta(ge=1, le=1000)] = PROTOCOL
    host: Name  # whom it is for, or who sends it
    epoch: Annotated[int, msgspec.Meta(ge=1, le=2**53)]  # of this host: +1 at each enrolment


class Order(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One host's share of a run, complete: nothing else is needed to carry it out."""

    run_id: RunId
    runbook: Name
    runbook_sha256: Digest
    runbook_yaml: Annotated[str, msgspec.Meta(max_length=MAX_RUNBOOK_BYTES)]
    params: dict[Name, str | Whole | bool]
    sealed_params: dict[Name, str]  # secrets, each sealed to this host
    check: bool  # check mode: evaluate, change nothing
    operator: Name  # who asks; must be the name that the signing key is trusted under
    via: Annotated[str, msgspec.Meta(pattern=r"^(cli|beat)\Z")]
    reason: Annotated[str, msgspec.Meta(max_length=2000)]
    issued_at: Instant
    not_before: Instant
    expires_at: Instant  # not begun by then: not run at all
    nonce: Nonce
    keyring: Count  # the version of the keyring by which it was signed


class Cancel(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tombstone: the host is not to begin this order, or not to go on with it."""

    run_id: RunId
    order_sha256: Digest
    ordered_at: Instant  # when the order was issued: an older ledger may have taken it already
    order_expires_at: Instant  # a host keeps the tombstone as long as it would keep the order
    operator: Name
    kill: bool  # end the command that runs now; else the step may come to its end
    reason: Annotated[str, msgspec.Meta(max_length=2000)]
    issued_at: Instant
    expires_at: Instant  # by then the order is over, whatever becomes of this
    nonce: Nonce


class Ping(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question that the host's executor answers with a signed pong."""

    operator: Name
    nonce: Nonce
    issued_at: Instant
    expires_at: Instant


class Acknowledgement(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The recorder's word that these letters are stored; the host may let go of them."""

    digests: Annotated[list[Digest], msgspec.Meta(max_length=1000)]  # SHA-256 of the envelopes
    at: Instant


def encode(message: msgspec.Struct) -> bytes:
    """Return canonical JSON: names sorted, no spaces."""
    return msgspec.json.encode(message, order="sorted")


def decode(payload: bytes, kind: type[T]) -> T:
    """Read verified bytes as a message. Raises MessageError; unknown members are refused."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"not a {kind.__name__.lower()}: {error}") from None


def letter_digest(envelope: bytes) -> str:
    """Return the SHA-256 of an envelope's exact bytes: the name that letters go by."""
    return hashlib.sha256(envelope).hexdigest()


def sign_message(payload_type: PayloadType, message: msgspec.Struct, key: Signer) -> bytes:
    """Return the finished envelope of a message."""
    return sign(payload_type, encode(message), [key])
