"""The signed envelope: DSSE v1 (https://github.com/secure-systems-lab/dsse) with Ed25519.

What is signed is the payload's type and its exact bytes, so a report can never pass for an order.
`verify` refuses before it parses: size, then shape, then signatures; only then may the payload be
read, and only the bytes that were verified. A letter has one spelling, the one that `sign` makes,
with several signatures in the sequence of their key ids: were others believed too, the broker could
respell an order, and its digest would be another's.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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
    payload_type, payload, signatures = _open(data, frozenset(PayloadType))
    if key.public.id in {key_id for key_id, _ in signatures}:
        raise EnvelopeError(Flaw.MALFORMED, "this key has signed it already")
    if len(signatures) == MAX_SIGNATURES:
        raise EnvelopeError(Flaw.MALFORMED, f"it has {MAX_SIGNATURES} signatures already")
    message = pre_authentication_encoding(payload_type, payload)
    return _wrap(payload_type, payload, [*signatures, (key.public.id, key.sign(message))])


def verify(data: bytes, keys: Mapping[str, VerifyKey], types: frozenset[PayloadType]) -> Verified:
    """Return the payload if the type is wanted and every signature is by a known key.

    `keys` maps key ids to keys. Raises EnvelopeError; never anything else, whatever the bytes.
    """
    payload_type, payload, signatures = _open(data, types)
    message = pre_authentication_encoding(payload_type, payload)
    for key_id, signature in signatures:
        if key_id not in keys:
            raise EnvelopeError(Flaw.UNKNOWN_KEY, f"signed by a key nobody here trusts ({key_id})")
        if not keys[key_id].verifies(signature, message):
            raise EnvelopeError(Flaw.BAD_SIGNATURE, "the signature does not fit: it was altered")
    return Verified(payload_type, payload, frozenset(key_id for key_id, _ in signatures))


def signers_of(data: bytes) -> list[str]:
    """Return the ids of the keys that a letter says it is signed by, WITHOUT verifying.

    Raises EnvelopeError.
    """
    return [key_id for key_id, _ in _open(data, frozenset(PayloadType))[2]]


def peek(data: bytes) -> tuple[PayloadType, bytes]:
    """Return type and payload WITHOUT verifying: for showing stored envelopes only.

    Raises EnvelopeError.
    """
    payload_type, payload, _ = _open(data, frozenset(PayloadType))
    return payload_type, payload


def _open(
    data: bytes, types: frozenset[PayloadType]
) -> tuple[PayloadType, bytes, list[tuple[str, bytes]]]:
    if len(data) > MAX_BYTES:
        raise EnvelopeError(Flaw.TOO_LARGE, f"larger than {MAX_BYTES // 1024} KiB")
    envelope = _members(_parse(data), {"payload", "payloadType", "signatures"})
    payload_type = envelope["payloadType"]
    if not isinstance(payload_type, str) or payload_type not in types:
        raise EnvelopeError(Flaw.WRONG_TYPE, "not a kind of letter that is accepted here")
    signatures = envelope["signatures"]
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= MAX_SIGNATURES:
        raise _malformed(f"needs 1 to {MAX_SIGNATURES} signatures")
    signed_by = [_signature(signature) for signature in signatures]
    key_ids = [key_id for key_id, _ in signed_by]
    if key_ids != sorted(set(key_ids)):
        raise _malformed("one key signed twice, or the keys are not in their one sequence")
    payload = _decode(envelope["payload"])
    if _canonical(envelope) != data:
        raise _malformed("not in the one spelling that an envelope has")
    return PayloadType(payload_type), payload, signed_by


def _wrap(kind: PayloadType, payload: bytes, signatures: Iterable[tuple[str, bytes]]) -> bytes:
    signed = [{"keyid": key, "sig": _encode(signature)} for key, signature in sorted(signatures)]
    return _canonical(
        {"payload": _encode(payload), "payloadType": kind.value, "signatures": signed}
    )


def _signature(value: Any) -> tuple[str, bytes]:
    members = _members(value, {"keyid", "sig"})
    key_id, signature = members["keyid"], _decode(members["sig"])
    if not isinstance(key_id, str) or not _KEY_ID.fullmatch(key_id):
        raise _malformed("a key id is 32 hexadecimal digits")
    if len(signature) != _SIGNATURE_BYTES:
        raise _malformed("a signature is not one of Ed25519")
    return key_id, signature


def _parse(data: bytes) -> Any:
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise _malformed("not JSON as DSSE has it") from None


def _canonical(envelope: dict[str, Any]) -> bytes:
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _no_number(_text: str) -> Any:
    raise ValueError


def _members(value: Any, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) != names:
        raise _malformed(f"must have exactly the members {', '.join(sorted(names))}")
    return value


def _malformed(detail: str) -> EnvelopeError:
    return EnvelopeError(Flaw.MALFORMED, detail)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: Any) -> bytes:
    if not isinstance(text, str):
        raise _malformed("base64 expected")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _malformed("not base64") from None
    if _encode(data) != text:
        raise _malformed("base64 is not canonical")
    return data
