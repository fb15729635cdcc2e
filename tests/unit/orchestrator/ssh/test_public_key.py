"""Public keys in OpenSSH's form: one kind, one spelling, nothing weak."""

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.key import KeyFileError, SigningKey, VerifyKey
from orchestrator.ssh.blob import string
from orchestrator.ssh.public_key import blob_of, fingerprint, read_public_key, show_public_key
from tests.integration.tls.debian import program
from tests.unit.contract.curve import small_order_points

ED25519 = SigningKey.generate().public


def line(kind: str, *parts: bytes) -> bytes:
    return f"{kind} ".encode() + base64.b64encode(b"".join(map(string, parts)))


GOOD = line("ssh-ed25519", b"ssh-ed25519", base64.b64decode(ED25519.text))


def read(path: Path, data: bytes) -> VerifyKey:
    path.write_bytes(data)
    return read_public_key(path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "id.pub"


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b" anna@laptop\n", b" a b c \n\n"])
def test_public_key_is_read_whatever_its_comment(file: Path, ending: bytes) -> None:
    assert read(file, GOOD + ending).text == ED25519.text


def test_public_key_written_is_read_again(file: Path) -> None:
    assert read(file, show_public_key(ED25519).encode()).text == ED25519.text


def test_public_key_of_ssh_keygen_is_read_and_has_its_fingerprint(tmp_path: Path) -> None:
    keygen = program("ssh-keygen", "openssh-client").path
    made = tmp_path / "id"
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", made], check=True)
    shown = subprocess.run([keygen, "-l", "-f", made], check=True, capture_output=True, text=True)
    key = read_public_key(tmp_path / "id.pub")
    assert fingerprint(key) in shown.stdout
    line_ = (tmp_path / "id.pub").read_bytes()
    assert base64.b64decode(line_.split()[1]) == blob_of(key)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "not one line"),
        (GOOD + b"\n" + GOOD, "not one line"),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "is a private key; give its public half"),
        (line("ssh-rsa", b"ssh-rsa", b"e", b"n"), "only keys of type ssh-ed25519"),
        (line("ecdsa-sha2-nistp256", b"x"), "only keys of type ssh-ed25519"),
        (line("sk-ssh-ed25519@openssh.com", b"x"), "a security key signs more"),
        (line("ssh-ed25519-cert-v01@openssh.com", b"x"), "only keys of type ssh-ed25519"),
        (line("ssh-ed25519", b"ssh-rsa", bytes(32)), "what it names is not a key of type"),
        (line("ssh-ed25519", b"ssh-ed25519", bytes(31)), "what it names is not a key of type"),
        (line("ssh-ed25519", b"ssh-ed25519"), "damaged"),
        (GOOD[:-8], "damaged"),
        (b"ssh-ed25519", "damaged"),
        (b"ssh-ed25519 !!!!", "damaged"),
        (line("ssh-ed25519", b"ssh-ed25519", bytes(32), b""), "damaged"),
        (GOOD + b" " + b"x" * 20_000, "not one line"),
        (b'command="x" ' + GOOD, "only keys of type ssh-ed25519"),
    ],
    ids=range(16),
)
def test_public_key_of_no_use_is_refused_with_the_reason(
    file: Path, data: bytes, told: str
) -> None:
    with pytest.raises(KeyFileError, match=told) as caught:
        read(file, data)
    assert str(file) in str(caught.value)


@pytest.mark.parametrize("point", small_order_points(), ids=range(8))
def test_public_key_of_small_order_is_refused(file: Path, point: bytes) -> None:
    """With such a key anybody's signature verifies; an SSH server might not look."""
    with pytest.raises(KeyFileError, match=r"small order|not canonical"):
        read(file, line("ssh-ed25519", b"ssh-ed25519", point))


def test_public_key_that_is_not_there_is_one_sentence(file: Path) -> None:
    with pytest.raises(KeyFileError, match="can't read the public key"):
        read_public_key(file)


@given(st.binary(max_size=200))
def test_public_key_of_any_bytes_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.pub"
    for text in (data, b"ssh-ed25519 " + base64.b64encode(data)):
        try:
            read(path, text)
        except KeyFileError as error:
            assert str(path) in str(error)  # noqa: PT017 - a few are keys
