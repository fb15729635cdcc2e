"""Public Ed25519 keys as `ssh-keygen` writes them: `ssh-ed25519 AAAA… comment`."""

import base64
import binascii
import hashlib
from pathlib import Path

from contract.key import KeyFileError, VerifyKey
from orchestrator.ssh.blob import Blob, BlobError, string

KIND = "ssh-ed25519"
_MAX_BYTES = 16 * 1024
_KEY_BYTES = 32


def read_public_key(path: Path) -> VerifyKey:
    """Return the one key of a file. Raises KeyFileError for any other kind, and weak keys."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"can't read the public key {path}: {error.strerror}") from None
    if data.startswith(b"-----BEGIN"):
        raise KeyFileError(f"{path} is a private key; give its public half, the .pub beside it")
    try:
        return _parse(data)
    except KeyFileError as error:
        raise KeyFileError(f"{path}: {error}") from None


def show_public_key(key: VerifyKey) -> str:
    """Return a key as the line that a file holds."""
    return f"{KIND} {base64.b64encode(blob_of(key)).decode()} denrei\n"


def blob_of(key: VerifyKey) -> bytes:
    """Return a key as SSH's protocols name it."""
    return string(KIND.encode()) + string(base64.b64decode(key.text))


def fingerprint(key: VerifyKey) -> str:
    """Return what `ssh-add -l` shows of a key."""
    digest = hashlib.sha256(blob_of(key)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _parse(data: bytes) -> VerifyKey:
    lines = [line for line in data.splitlines() if line.strip()]
    if len(data) > _MAX_BYTES or len(lines) != 1:
        raise KeyFileError(f"not one line that begins with {KIND}")
    kind, _, rest = lines[0].strip().partition(b" ")
    if kind.startswith(b"sk-"):
        message = "a security key signs more than the bytes that it is given; hosts take no such"
        raise KeyFileError(f"{message} signature. Use a key of type {KIND}")
    if kind != KIND.encode():
        raise KeyFileError(f"only keys of type {KIND} can be used: ssh-keygen -t ed25519")
    return VerifyKey(base64.b64encode(_point(rest.split(b" ")[0])).decode())


def _point(text: bytes) -> bytes:
    try:
        blob = Blob(base64.b64decode(text, validate=True))
        kind, point = blob.string(), blob.string()
        blob.end()
    except (binascii.Error, BlobError):
        raise KeyFileError("the key is damaged; copy the file again") from None
    if kind != KIND.encode() or len(point) != _KEY_BYTES:
        raise KeyFileError(f"what it names is not a key of type {KIND}")
    return point
