"""Reads the file of a certificate, whole or damaged: PEM, DER or PKCS#12, and its key's."""

import base64
import binascii
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from worker.certificate.der import first_element
from worker.certificate.description import DAMAGED, Certificate, public_bytes, quietly, read_der
from worker.certificate.signature import may_have_signed
from worker.certificate.witness import Absent, FileWitness, Held, KeyStatus, Unreadable
from worker.observations.content import open_regular
from worker.observations.observation import ObservationError, looking_at

LARGEST = 1024 * 1024
_LABELS = rb"(?:X509 |TRUSTED )?CERTIFICATE"
_BEGIN = re.compile(rb"-----BEGIN " + _LABELS + rb"-----")
# Up to the next block, or looking for the ends of many that have none would take quadratic time.
_INSIDE = rb"[^-]*+(?:-(?!----BEGIN )[^-]*+)*?"
_BLOCK = re.compile(rb"-----BEGIN (" + _LABELS + rb")-----(" + _INSIDE + rb")-----END \1-----")
_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----" + _INSIDE + rb"-----END \1-----")
_PKCS12_VERSION = b"\x02\x01\x03"  # the first element of every PKCS#12 file, and of no certificate
# As cryptography tells what it could not parse.
_ASN1_ERROR = re.compile(r"asn1 value: ParseError \{ kind: (?P<kind>\w+)(?P<place>.*)")
_MOST_STEPS = 4096  # of a path and all its links


class _UnreadableError(Exception):
    """The content is no certificate; the text goes on after the path."""


def read_certificate(path: Path, key: Path | None = None) -> FileWitness:
    """Read a certificate with its chain, and compare its key. Never raises for what is there."""
    try:
        file = open_regular(path)
        if file is None:
            return Absent(str(path))
        with file, looking_at(path):
            data = file.read(LARGEST + 1)
            changed_at = max(os.fstat(file.fileno()).st_ctime, _links_changed_at(path))
    except ObservationError as error:
        return Unreadable(str(error), was_read=False)
    try:
        held = _parse(data, datetime.fromtimestamp(changed_at, tz=UTC))
    except _UnreadableError as error:
        return Unreadable(f"{path} {error}")
    return _with_key(held, key) if key else held


def _with_key(held: Held, path: Path) -> Held:
    status, note = compare_key(held.leaf, path)
    return Held(held.leaf, held.chain, held.changed_at, status, note, held.note)


def _parse(data: bytes, changed_at: datetime) -> Held:
    if not data.strip():
        raise _UnreadableError("is empty")
    if len(data) > LARGEST:
        raise _UnreadableError(f"is larger than {LARGEST // 1024} KiB")
    if b"-----BEGIN " in data:
        leaf, others, note = _from_pem(data)
    elif _PKCS12_VERSION in data[:8]:
        leaf, others, note = _from_pkcs12(data)
    else:
        leaf, others, note = _certificate(data), [], ""
    return Held(leaf, tuple(_chain(leaf, others)), changed_at, note=note)


def _from_pem(data: bytes) -> tuple[Certificate, list[Certificate], str]:
    """Read all certificates; a file that ends within one is half-written, and not to be used."""
    blocks = [found[2] for found in _BLOCK.finditer(data)]
    begun = len(_BEGIN.findall(data))
    if not begun:
        raise _UnreadableError("holds no readable certificate: there is none among its PEM blocks")
    if begun > len(blocks):
        raise _UnreadableError(f"holds no readable certificate: number {begun} is cut off")
    leaf, others, odd = _certificate(_decode(blocks[0])), [], 0
    for block in blocks[1:]:
        try:
            others.append(_certificate(_decode(block)))
        except _UnreadableError:
            odd += 1
    return leaf, others, f"{odd} of the certificates behind the first can't be read" if odd else ""


def _decode(block: bytes) -> bytes:
    """Return the certificate in a PEM block without what openssl may have put behind it."""
    try:
        data = base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error as error:
        raise _UnreadableError(f"holds no readable certificate: {error}") from None
    return first_element(data)


def _certificate(data: bytes) -> Certificate:
    try:
        return read_der(data)
    except DAMAGED as error:
        raise _UnreadableError(f"holds no readable certificate: {_brief(error)}") from None


def _from_pkcs12(data: bytes) -> tuple[Certificate, list[Certificate], str]:
    for password in (None, b""):
        try:
            with quietly():
                store = pkcs12.load_pkcs12(data, password)
            stored = [store.cert, *store.additional_certs]
            found = [
                read_der(each.certificate.public_bytes(Encoding.DER)) for each in stored if each
            ]
        except DAMAGED as error:
            why = _brief(error)
            continue
        if found:
            return found[0], found[1:], ""
        raise _UnreadableError("is a PKCS#12 file without a certificate")
    if "password" in why.lower():
        raise _UnreadableError("is a PKCS#12 file with a password, or damaged")
    raise _UnreadableError(f"holds no readable certificate: {why}")


def _chain(leaf: Certificate, others: list[Certificate]) -> Iterator[Certificate]:
    """Go from each certificate to who signed it; a root ends the chain and is not part of it."""
    current, left = leaf, list(others)
    while not current.is_self_signed:
        found = [each for each in left if may_have_signed(each, current)]
        if not found or found[0].is_self_signed:
            return
        current = found[0]
        left.remove(current)
        yield current


def compare_key(leaf: Certificate, path: Path) -> tuple[KeyStatus, str]:
    """Tell whether a file holds the certificate's private key, and what is wrong if it can't be."""
    try:
        file = open_regular(path)
        if file is None:
            return KeyStatus.MISSING, f"{path}, its key, is not there"
        with file, looking_at(path):
            data = file.read(LARGEST + 1)
    except ObservationError as error:
        return KeyStatus.UNSEEN, str(error)
    status, note = _compare(leaf, data)
    return status, f"{path} {note}" if note else ""


def _compare(leaf: Certificate, data: bytes) -> tuple[KeyStatus, str]:
    try:
        with quietly():
            found = public_bytes(_load_key(data).public_key())
    except TypeError:  # what cryptography says when a password is needed
        return KeyStatus.ENCRYPTED, "is encrypted: it can't be compared"
    except UnsupportedAlgorithm as error:
        return KeyStatus.UNSUPPORTED, f"can't be compared: {_brief(error)}"
    except DAMAGED as error:
        why = f"holds no readable key: {_brief(error)}" if data.strip() else "is empty"
        return KeyStatus.UNREADABLE, why
    if not leaf.public_key:
        return KeyStatus.UNSUPPORTED, f"can't be compared with a key of {leaf.key_type}"
    if found != leaf.public_key:
        return KeyStatus.MISMATCH, "holds another certificate's key"
    return KeyStatus.MATCHES, ""


def _load_key(data: bytes) -> PrivateKeyTypes:
    if len(data) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST // 1024} KiB")
    if found := _KEY.search(data):
        return load_pem_private_key(found[0], password=None)
    if b"-----BEGIN " in data:
        raise ValueError("there is no whole one among its PEM blocks")
    if _PKCS12_VERSION in data[:8]:
        stored, _, _ = pkcs12.load_key_and_certificates(data, None)
        if stored is None:
            raise ValueError("it is a PKCS#12 file without one")
        return stored
    return load_der_private_key(data, password=None)


def _links_changed_at(path: Path) -> float:
    """Return when the last link on the way was made: a switched link brings an old file in."""
    latest, walked, left = 0.0, Path("/"), [*path.absolute().parts[1:]]
    for _ in range(_MOST_STEPS):
        if not left:
            break
        walked /= left.pop(0)
        if walked.is_symlink():
            latest = max(latest, walked.lstat().st_ctime)
            target = walked.readlink()
            walked = Path("/") if target.is_absolute() else walked.parent
            left = [part for part in target.parts if part != "/"] + left
    return latest


def _brief(error: Exception) -> str:
    first = str(error).strip().partition("\n")[0]
    if found := _ASN1_ERROR.search(first):
        kind = re.sub(r"(?<!^)(?=[A-Z])", " ", found["kind"]).lower()
        names = [name.rpartition("::")[2] for name in re.findall(r'"([^"]+)"', found["place"])]
        return f"ASN.1 with {kind}" + (f" at {'/'.join(names)}" if names else "")
    return first[:200] or type(error).__name__
