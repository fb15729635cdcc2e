"""What is said in an enrolment: the host's request, and the registrar's answer.

Each travels as a body under an HMAC by a key that both sides get from the token, one for either
direction: the broker can keep such a letter back or repeat it, and neither make nor turn one. The
request is signed by the host's new key, too, which proves that the host has it. What the answer
brings is believed for the signatures in it, by the roots that the token pins.
"""

import hmac
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from contract.envelope import EnvelopeError, PayloadType, peek, verify
from contract.error import DenreiError
from contract.key import KeyFileError, SealPublicKey, Signer, VerifyKey
from contract.keyring import PublicKey
from contract.order import (
    PROTOCOL,
    Digest,
    Message,
    MessageError,
    Nonce,
    decode,
    encode,
    sign_message,
)
from contract.sealing import SealContext
from contract.token import Token

MAX_LETTER = 1000 * 1000  # characters: less than the wire carries

_ENROLMENT = frozenset({PayloadType.ENROLMENT})
_Letter = Annotated[str, msgspec.Meta(max_length=256 * 1024)]


class EnrolmentError(DenreiError):
    """A letter of an enrolment must not be believed."""


class Direction(StrEnum):
    """Who speaks: a letter of one can't be sent back as one of the other."""

    REQUEST = "request"
    ANSWER = "answer"


class Verdict(StrEnum):
    """What the registrar says to a request."""

    ADMITTED = "admitted"
    HELD = "held"  # until a person has compared the keys
    REJECTED = "rejected"


class Request(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The host's new keys, for a token."""

    id: Nonce
    sign: PublicKey
    seal: PublicKey
    worker: Annotated[str, msgspec.Meta(max_length=50)]  # the worker's version


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The registrar's word on one request."""

    v: Literal[1] = 1
    request: Digest  # of the request's envelope: another host's answer is none
    verdict: Verdict
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    keyrings: Annotated[list[_Letter], msgspec.Meta(max_length=16)] = []  # step by step to now
    admission: _Letter = ""
    broker: _Letter = ""  # the host's own URL, sealed to it


class Covered(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A body, and the code that vouches for it."""

    id: Nonce
    mac: Digest
    body: Annotated[str, msgspec.Meta(max_length=MAX_LETTER)]

    def is_by(self, key: str, direction: Direction) -> bool:
        """Tell whether somebody with the shared key made this, in this direction."""
        return hmac.compare_digest(self.mac, _mac(key, direction, self.id, self.body))


def cover(key: str, direction: Direction, id_: str, body: bytes) -> bytes:
    """Return a body with its code, as a letter."""
    text = body.decode("ascii")
    return encode(Covered(id=id_, mac=_mac(key, direction, id_, text), body=text))


def uncover(letter: bytes) -> Covered:
    """Read a letter WITHOUT asking who made it. Raises EnrolmentError."""
    if len(letter) > MAX_LETTER:
        raise EnrolmentError(f"longer than {MAX_LETTER} characters")
    try:
        covered = decode(letter, Covered)
    except MessageError as error:
        raise EnrolmentError(str(error)) from None
    if not covered.body.isascii() or encode(covered) != letter:
        raise EnrolmentError("not in the one spelling that such a letter has")
    return covered


def make_request(token: Token, key: Signer, seal: SealPublicKey, worker: str) -> bytes:
    """Return a host's request, signed: the same bytes for the same keys."""
    request = Request(
        host=token.host,
        epoch=token.epoch,
        id=token.id,
        sign=key.public.text,
        seal=seal.text,
        worker=worker[:50],
    )
    return sign_message(PayloadType.ENROLMENT, request, key)


def open_request(envelope: bytes) -> Request:
    """Return a request that is signed by the very key it names. Raises EnrolmentError."""
    try:
        request = decode(peek(envelope)[1], Request)
        key = VerifyKey(request.sign)
        SealPublicKey(request.seal)
        verify(envelope, {key.id: key}, _ENROLMENT)
    except (EnvelopeError, MessageError, KeyFileError) as error:
        raise EnrolmentError(f"the request is of no use: {error}") from None
    if request.v != PROTOCOL:
        raise EnrolmentError(f"protocol {request.v} is not spoken here, only {PROTOCOL}")
    return request


def open_answer(letter: bytes, token: Token) -> Answer:
    """Return an answer that somebody made who has the token's key. Raises EnrolmentError."""
    covered = uncover(letter)
    if covered.id != token.id or not covered.is_by(token.shared_key(), Direction.ANSWER):
        raise EnrolmentError("nobody who knows this token has made it")
    try:
        return decode(covered.body.encode(), Answer)
    except MessageError as error:
        raise EnrolmentError(f"the answer is of no use: {error}") from None


def broker_context(id_: str, host: str, epoch: int) -> SealContext:
    """Return what a host's broker URL is sealed for: this enrolment, and nothing else."""
    return SealContext(id_, host, epoch, "", "broker")


def key_fingerprint(key: VerifyKey) -> str:
    """Return a key's id in groups, for people to compare."""
    return " ".join(key.id[at : at + 4] for at in range(0, len(key.id), 4))


def _mac(key: str, direction: Direction, id_: str, body: str) -> str:
    own = hmac.digest(bytes.fromhex(key), direction.encode(), "sha256")
    return hmac.digest(own, f"{id_}\n{body}".encode(), "sha256").hex()
