"""The signed envelope: DSSE v1 (https://github.com/secure-systems-lab/dsse) with Ed25519.

What is signed is the payload's type and its exact bytes, so a report can never pass for an order.
`verify` refuses before it parses: size, then shape, then signatures; only then may the payload be
read, and only the bytes that were verified. A letter has one spelling, the one that `sign` makes,
with several signatures in the sequence of their key ids: were others believed too, the broker could
respell an order, and its digest would be another's.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from contract.error import DenreiError
from contract.key import Signer, VerifyKey

MAX_BYTES = 256 * 1024
MAX_SIGNATURES = 8
_KEY_ID = re.compile(r"[0-9a-f]{32}")
_SIGNATURE_BYTES = 64  # RFC 8032, section 5.1.6


class PayloadType(StrEnum):
    """What a payload is; part of the signed bytes."""

    ORDER = "application/vnd.denrei.order.v1+json"
    CANCEL = "application/vnd.denrei.cancel.v1+json"
    PING = "application/vnd.denrei.ping.v1+json"
    ACKNOWLEDGEMENT = "application/vnd.denrei.acknowledgement.v1+json"
    RECEIPT = "application/vnd.denrei.receipt.v1+json"
    REPORT = "application/vnd.denrei.report.v1+json"
    REFUSAL = "application/vnd.denrei.refusal.v1+json"
    PONG = "application/vnd.denrei.pong.v1+json"
    KEYRING = "application/vnd.denrei.keyring.v1+json"
    ADMISSION = "application/vnd.denrei.admission.v1+json"
    ENROLMENT = "application/vnd.denrei.enrolment.v1+json"
    FOOTING = "application/vnd.denrei.footing.v1+json"


class Flaw(StrEnum):
    """Why an envelope is refused."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"


class EnvelopeError(DenreiError):
    """An envelope must not be believed; `flaw` names why."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        """Keep the named reason beside the sentence."""
        super().__init__(detail)
        self.flaw = flaw


@dataclass(frozen=True, slots=True)
class Verified:
    """A payload whose signatures all verified, and the ids of the keys that made them."""

    type: PayloadType
    payload: bytes
    key_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope taken apart, of which nobody knows yet who signed it."""

    type: PayloadType
    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]  # key ids and what they made

    @property
    def signers(self) -> list[str]:
        """Return the ids of the keys that it says it is signed by."""
        return [key_id for key_id, _ in self.signatures]

    def verify(self, keys: Mapping[str, VerifyKey]) -> Verified:
        """Return the payload if every signature is by a known key. Raises EnvelopeError."""
        message = pre_authentication_encoding(self.type, self.payload)
        for key_id, signature in self.signatures:
            key = keys.get(key_id)
            if key is None:
                detail = f"signed by a key nobody here trusts ({key_id})"
                raise EnvelopeError(Flaw.UNKNOWN_KEY, detail)
            if not key.verifies(signature, message):
                detail = "the signature does not fit: it was altered"
                raise EnvelopeError(Flaw.BAD_SIGNATURE, detail)
        return Verified(self.type, self.payload, frozenset(self.signers))


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signature as it travels; msgspec spells bytes in base64."""

    keyid: str
    sig: bytes


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An envelope as it travels."""

    payload: bytes
    payload_type: str = msgspec.field(name="payloadType")
    signatures: list[_Signature]


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's PAE: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload_type: PayloadType, payload: bytes, keys: Iterable[Signer]) -> bytes:
    """Wrap and sign a payload; the result is canonical JSON."""
    message = pre_authentication_encoding(payload_type, payload)
    return _wrap(payload_type, payload, [(key.public.id, key.sign(message)) for key in keys])


def countersign(data: bytes, key: Signer) -> bytes:
    """Return the envelope with one more signature. Raises EnvelopeError if the key has signed."""
    opened = open_envelope(data)
    if key.public.id in opened.signers:
        raise EnvelopeError(Flaw.MALFORMED, "this key has signed it already")
    if len(opened.signatures) == MAX_SIGNATURES:
        raise EnvelopeError(Flaw.MALFORMED, f"it has {MAX_SIGNATURES} signatures already")
    message = pre_authentication_encoding(opened.type, opened.payload)
    signatures = [*opened.signatures, (key.public.id, key.sign(message))]
    return _wrap(opened.type, opened.payload, signatures)


def open_envelope(data: bytes, types: frozenset[PayloadType] = frozenset(PayloadType)) -> Opened:
    """Take an envelope apart WITHOUT verifying it. Raises EnvelopeError, whatever the bytes."""
    if len(data) > MAX_BYTES:
        raise EnvelopeError(Flaw.TOO_LARGE, f"larger than {MAX_BYTES // 1024} KiB")
    envelope = _parse(data)
    if envelope.payload_type not in types:
        raise EnvelopeError(Flaw.WRONG_TYPE, "not a kind of letter that is accepted here")
    if not 1 <= len(envelope.signatures) <= MAX_SIGNATURES:
        raise _malformed(f"needs 1 to {MAX_SIGNATURES} signatures")
    signatures = tuple(_read_signature(signature) for signature in envelope.signatures)
    key_ids = [key_id for key_id, _ in signatures]
    if key_ids != sorted(set(key_ids)):
        raise _malformed("one key signed twice, or the keys are not in their one sequence")
    return Opened(PayloadType(envelope.payload_type), envelope.payload, signatures)


def verify(data: bytes, keys: Mapping[str, VerifyKey], types: frozenset[PayloadType]) -> Verified:
    """Return the payload if the type is wanted and every signature is by a known key.

    `keys` maps key ids to keys. Raises EnvelopeError; never anything else, whatever the bytes.
    """
    return open_envelope(data, types).verify(keys)


def signers_of(data: bytes) -> list[str]:
    """Return the ids of the keys that a letter says it is signed by, WITHOUT verifying.

    Raises EnvelopeError.
    """
    return open_envelope(data).signers


def peek(data: bytes) -> tuple[PayloadType, bytes]:
    """Return type and payload WITHOUT verifying: for showing stored envelopes only.

    Raises EnvelopeError.
    """
    opened = open_envelope(data)
    return opened.type, opened.payload


def _wrap(kind: PayloadType, payload: bytes, signatures: Iterable[tuple[str, bytes]]) -> bytes:
    signed = [_Signature(keyid=key, sig=sig) for key, sig in sorted(signatures)]
    return _spell(_Envelope(payload=payload, payload_type=kind.value, signatures=signed))


def _parse(data: bytes) -> _Envelope:
    """Read the envelope's own members; that they are spelt as `sign` spells them leaves one way.

    A member that stands there twice, a space, an escape, a number, or base64 that is not canonical
    can't be in that spelling.
    """
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(f"not an envelope as DSSE has it: {error}") from None
    if _spell(envelope) != data:
        raise _malformed("not in the one spelling that an envelope has")
    return envelope


def _spell(envelope: _Envelope) -> bytes:
    return msgspec.json.encode(envelope, order="sorted")


def _read_signature(signature: _Signature) -> tuple[str, bytes]:
    if not _KEY_ID.fullmatch(signature.keyid):
        raise _malformed("a key id is 32 hexadecimal digits")
    if len(signature.sig) != _SIGNATURE_BYTES:
        raise _malformed("a signature is not one of Ed25519")
    return signature.keyid, signature.sig


def _malformed(detail: str) -> EnvelopeError:
    return EnvelopeError(Flaw.MALFORMED, detail)
