"""How keyrings follow each other: the first by its pinned roots, every other by the one before.

A keyring is signed by its own roots, so its roots must be read before its signatures can be
verified; nothing else of it is used before they are. Every signature must be by a root of the
keyring before or of this one: a stranger's spoils it.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from contract.envelope import EnvelopeError, PayloadType, peek, verify
from contract.error import DenreiError
from contract.key import KeyFileError, VerifyKey
from contract.keyring import Duty, Keyring, Roots
from contract.order import MessageError, decode, encode

FIRST = 1
_KEYRING = frozenset({PayloadType.KEYRING})


class Fault(StrEnum):
    """Why a keyring is not followed."""

    MALFORMED = "keyring_malformed"  # no keyring, or one that contradicts itself
    UNSIGNED = "keyring_unsigned"  # not by enough of its roots, or by somebody else
    OUT_OF_STEP = "keyring_behind"  # not the next one


class SuccessionError(DenreiError):
    """A keyring must not be followed; `fault` names why."""

    def __init__(self, fault: Fault, detail: str) -> None:
        """Keep the named reason beside the sentence."""
        super().__init__(detail)
        self.fault = fault


def fingerprint(roots: Roots) -> str:
    """Return what a set of roots is pinned by: the SHA-256 of its canonical JSON."""
    return hashlib.sha256(encode(roots)).hexdigest()


def open_first(letter: bytes, pinned: str) -> Keyring:
    """Return the first keyring if its roots are those pinned, and enough of them signed it.

    Raises SuccessionError.
    """
    keyring = read_keyring(letter)
    if fingerprint(keyring.roots) != pinned:
        detail = "its roots are not those that were pinned: it is another fleet's"
        raise SuccessionError(Fault.UNSIGNED, detail)
    _check_signed(letter, [keyring.roots])
    return keyring


def open_next(letter: bytes, current: Keyring) -> Keyring:
    """Return the keyring after `current` if enough roots of both signed it.

    Raises SuccessionError.
    """
    keyring = read_keyring(letter)
    if keyring.version != current.version + 1:
        detail = f"version {keyring.version} does not follow version {current.version}"
        raise SuccessionError(Fault.OUT_OF_STEP, detail)
    _check_signed(letter, [current.roots, keyring.roots])
    return keyring


def read_keyring(letter: bytes) -> Keyring:
    """Return a keyring WITHOUT verifying who signed it. Raises SuccessionError."""
    try:
        payload_type, payload = peek(letter)
        keyring = decode(payload, Keyring)
    except (EnvelopeError, MessageError) as error:
        raise SuccessionError(Fault.MALFORMED, str(error)) from None
    if payload_type is not PayloadType.KEYRING:
        raise SuccessionError(Fault.MALFORMED, "it is no keyring")
    check_keyring(keyring)
    return keyring


def lacking(letter: bytes, roots: Iterable[Roots]) -> list[str]:
    """Return what is missing for a letter to be signed by enough of each of these roots.

    A sentence each; none if nothing is missing. Raises SuccessionError for a signature that does
    not fit.
    """
    sets = list(roots)
    keys = {each.id: each for each in (VerifyKey(k.key) for one in sets for k in one.keys)}
    try:
        signed = verify(letter, keys, _KEYRING).key_ids
    except EnvelopeError as error:
        raise SuccessionError(Fault.UNSIGNED, str(error)) from None
    told = []
    for one in sets:
        count = len(signed & {VerifyKey(key.key).id for key in one.keys})
        if count < one.threshold:
            told.append(f"signed by {count} of the {one.threshold} roots that it takes")
    return told


def check_keyring(keyring: Keyring) -> None:
    """See to it that a keyring does not contradict itself. Raises SuccessionError."""
    try:
        complaint = next((text for text in _complaints(keyring) if text), "")
    except KeyFileError as error:
        complaint = str(error)
    if complaint:
        raise SuccessionError(Fault.MALFORMED, complaint)


def _check_signed(letter: bytes, roots: list[Roots]) -> None:
    if missing := lacking(letter, roots):
        raise SuccessionError(Fault.UNSIGNED, missing[0])


def _complaints(keyring: Keyring) -> Iterable[str]:
    roots = keyring.roots
    ids = [VerifyKey(key.key).id for key in roots.keys]
    signing = [VerifyKey(w.key).id for who in keyring.signing for w in who.keys]
    yield _twice("a root key", ids)
    yield _twice("a key", [*signing, *set(ids)])
    yield _twice("the name", [who.name for who in keyring.signing])
    yield _twice("the role", [role.name for role in keyring.roles])
    if roots.threshold > len(ids):
        yield f"it takes {roots.threshold} roots, and there are {len(ids)}"
    if keyring.expires_at <= keyring.issued_at:
        yield "it expires before it was issued"
    known = {role.name for role in keyring.roles}
    for name in sorted(known & set(Duty)):  # policies speak of both
        yield f"a role can't be named {name!r}, which is a service's duty"
    for person in keyring.people:
        if unknown := sorted(set(person.roles) - known):
            yield f"{person.name} has the role {unknown[0]!r}, which is not there"


def _twice(what: str, words: list[str]) -> str:
    """Complain of a word that stands there twice: whose a key is must be beyond doubt."""
    counts: Mapping[str, int] = Counter(words)
    return next((f"{what} {word} stands there twice" for word in words if counts[word] > 1), "")
