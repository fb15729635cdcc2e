"""The signed envelope: DSSE v1 (https://github.com/secure-systems-lab/dsse) with Ed25519.

What is signed is the payload's type and its exact bytes, so a report can never pass for an order.
`verify` refuses before it parses: size, then shape, then signatures; only then may the payload be
read, and only the bytes that were verified. A letter has one spelling, the one that `sign` makes,
with several signatures in the sequence of their key ids: were others believed too, the broker could
respell an order, and its digest would be another's.

A signature may also be one for many letters of a kind: of the head of a Merkle tree whose leaves
are what each would be signed as. Such a letter tells its place in the tree beside the signature.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

from contract.error import DenreiError
from contract.key import Signer, VerifyKey
from contract.merkle import HASH_BYTES, MAX_PATH, PathError, Tree, leaf_hash, root_of

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
    ACKNOWLEDGEMENTS = "application/vnd.denrei.acknowledgements.v1+json"
    RECEIPT = "application/vnd.denrei.receipt.v1+json"
    REPORT = "application/vnd.denrei.report.v1+json"
    REFUSAL = "application/vnd.denrei.refusal.v1+json"
    PONG = "application/vnd.denrei.pong.v1+json"
    KEYRING = "application/vnd.denrei.keyring.v1+json"
    ADMISSION = "application/vnd.denrei.admission.v1+json"
    ENROLMENT = "application/vnd.denrei.enrolment.v1+json"
    FOOTING = "application/vnd.denrei.footing.v1+json"


# What is signed for many letters of a kind; letters of any other kind are signed one by one.
HEADS = {PayloadType.ACKNOWLEDGEMENT: PayloadType.ACKNOWLEDGEMENTS}


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


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The head of a tree of letters: what is signed instead of each of them."""

    root: bytes
    size: Annotated[int, msgspec.Meta(ge=1, le=2**MAX_PATH)]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a letter stands in the tree whose head was signed."""

    index: Annotated[int, msgspec.Meta(ge=0, lt=2**MAX_PATH)]
    path: Annotated[list[bytes], msgspec.Meta(max_length=MAX_PATH)]
    size: Annotated[int, msgspec.Meta(ge=1, le=2**MAX_PATH)]

    def head(self, leaf: bytes) -> Head:
        """Return the head of the tree in which this is a leaf's place. Raises EnvelopeError."""
        try:
            return Head(root=root_of(leaf, self.index, self.size, self.path), size=self.size)
        except PathError as error:
            raise _malformed(str(error)) from None


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as the letter has it: whose it is said to be, and of what."""

    key_id: str
    made: bytes
    place: Place | None = None  # None: it is of the letter itself

    def signed(self, payload_type: PayloadType, message: bytes) -> bytes:
        """Return what it must be a signature of. Raises EnvelopeError."""
        if self.place is None:
            return message
        head = self.place.head(leaf_hash(message))
        return pre_authentication_encoding(HEADS[payload_type], _spell(head))


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope taken apart, of which nobody knows yet who signed it."""

    type: PayloadType
    payload: bytes
    signatures: tuple[Signature, ...]

    @property
    def signers(self) -> list[str]:
        """Return the ids of the keys that it says it is signed by."""
        return [signature.key_id for signature in self.signatures]

    def verify(self, keys: Mapping[str, VerifyKey]) -> Verified:
        """Return the payload if every signature is by a known key. Raises EnvelopeError."""
        message = pre_authentication_encoding(self.type, self.payload)
        for signature in self.signatures:
            key = keys.get(signature.key_id)
            if key is None:
                detail = f"signed by a key nobody here trusts ({signature.key_id})"
                raise EnvelopeError(Flaw.UNKNOWN_KEY, detail)
            if not key.verifies(signature.made, signature.signed(self.type, message)):
                detail = "the signature does not fit: it was altered"
                raise EnvelopeError(Flaw.BAD_SIGNATURE, detail)
        return Verified(self.type, self.payload, frozenset(self.signers))


class _Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A signature as it travels; msgspec spells bytes in base64."""

    keyid: str
    sig: bytes
    tree: Place | msgspec.UnsetType = msgspec.UNSET


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
    made = [Signature(key.public.id, key.sign(message)) for key in keys]
    return _wrap(payload_type, payload, made)


def sign_many(
    payload_type: PayloadType, payloads: Sequence[bytes], key: Signer
) -> tuple[bytes, list[bytes]]:
    """Sign many payloads of a kind at once; return the head's envelope, and that of each."""
    tree = _tree(payload_type, payloads)
    payload = _spell(_head(tree))
    made = key.sign(pre_authentication_encoding(HEADS[payload_type], payload))
    head = _wrap(HEADS[payload_type], payload, [Signature(key.public.id, made)])
    places = [
        Place(index=index, path=tree.path(index), size=tree.size) for index in range(tree.size)
    ]
    return head, [
        _wrap(payload_type, each, [Signature(key.public.id, made, place)])
        for each, place in zip(payloads, places, strict=True)
    ]


def head_of(payload_type: PayloadType, payloads: Sequence[bytes]) -> Head:
    """Return the head of the tree that many payloads of a kind are signed in."""
    return _head(_tree(payload_type, payloads))


def countersign(data: bytes, key: Signer) -> bytes:
    """Return the envelope with one more signature. Raises EnvelopeError if the key has signed."""
    opened = open_envelope(data)
    if key.public.id in opened.signers:
        raise EnvelopeError(Flaw.MALFORMED, "this key has signed it already")
    if len(opened.signatures) == MAX_SIGNATURES:
        raise EnvelopeError(Flaw.MALFORMED, f"it has {MAX_SIGNATURES} signatures already")
    message = pre_authentication_encoding(opened.type, opened.payload)
    signatures = [*opened.signatures, Signature(key.public.id, key.sign(message))]
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
    kind = PayloadType(envelope.payload_type)
    signatures = tuple(_read_signature(signature, kind) for signature in envelope.signatures)
    key_ids = [signature.key_id for signature in signatures]
    if key_ids != sorted(set(key_ids)):
        raise _malformed("one key signed twice, or the keys are not in their one sequence")
    return Opened(kind, envelope.payload, signatures)


def verify(data: bytes, keys: Mapping[str, VerifyKey], types: frozenset[PayloadType]) -> Verified:
    """Return the payload if the type is wanted and every signature is by a known key.

    `keys` maps key ids to keys. Raises EnvelopeError; never anything else, whatever the bytes.
    """
    return open_envelope(data, types).verify(keys)


def peek(data: bytes) -> tuple[PayloadType, bytes]:
    """Return type and payload WITHOUT verifying: for showing stored envelopes only.

    Raises EnvelopeError.
    """
    opened = open_envelope(data)
    return opened.type, opened.payload


def _tree(payload_type: PayloadType, payloads: Iterable[bytes]) -> Tree:
    return Tree([leaf_hash(pre_authentication_encoding(payload_type, each)) for each in payloads])


def _head(tree: Tree) -> Head:
    return Head(root=tree.root, size=tree.size)


def _wrap(kind: PayloadType, payload: bytes, made: Iterable[Signature]) -> bytes:
    signed = [
        _Signature(keyid=each.key_id, sig=each.made, tree=each.place or msgspec.UNSET)
        for each in sorted(made, key=lambda signature: signature.key_id)
    ]
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


def _spell(message: msgspec.Struct) -> bytes:
    """Return canonical JSON: names sorted, no spaces."""
    return msgspec.json.encode(message, order="sorted")


def _read_signature(signature: _Signature, kind: PayloadType) -> Signature:
    if not _KEY_ID.fullmatch(signature.keyid):
        raise _malformed("a key id is 32 hexadecimal digits")
    if len(signature.sig) != _SIGNATURE_BYTES:
        raise _malformed("a signature is not one of Ed25519")
    place = None if isinstance(signature.tree, msgspec.UnsetType) else signature.tree
    if place and (kind not in HEADS or any(len(each) != HASH_BYTES for each in place.path)):
        raise _malformed("it has no such place in a tree of letters")
    return Signature(signature.keyid, signature.sig, place)


def _malformed(detail: str) -> EnvelopeError:
    return EnvelopeError(Flaw.MALFORMED, detail)
