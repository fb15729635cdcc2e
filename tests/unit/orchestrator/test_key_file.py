"""Key files under a passphrase: a form that others read too, replaced whole or not at all."""

import base64
import os
import signal
import subprocess
from pathlib import Path
from shutil import which
from typing import NoReturn

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.key import KeyFileError, PassphraseError, SigningKey, is_protected
from orchestrator.key_file import NewKeys, make_key, present, protect
from orchestrator.pbes2 import encrypt
from orchestrator.ssh.agent import AgentKey
from orchestrator.ssh.public_key import show_public_key

WORDS = b"correct horse"


def give(_path: Path) -> bytes:
    return WORDS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "anna.pem"


@settings(max_examples=3)
@given(st.binary(min_size=1, max_size=1000))
def test_encrypted_key_is_opened_by_its_passphrase_alone(passphrase: bytes) -> None:
    pkcs8 = SigningKey.generate().pkcs8(Encoding.DER)
    pem = encrypt(pkcs8, passphrase)
    key = load_pem_private_key(pem, passphrase)
    assert SigningKey(key).pkcs8(Encoding.DER) == pkcs8  # type: ignore[arg-type]  # it is Ed25519
    with pytest.raises(ValueError, match=r"Incorrect password|Invalid|parsing"):
        load_pem_private_key(pem, passphrase + b"x")


def test_encrypted_key_can_be_read_by_openssl_and_is_costly_to_guess(path: Path) -> None:
    """Whoever has the file and no Denrei is not locked out of it, and the cost is as told."""
    if which("openssl") is None:
        pytest.skip("no openssl")
    key = make_key(path, WORDS)
    read = ["openssl", "pkey", "-in", str(path), "-passin", "stdin", "-outform", "DER"]
    done = subprocess.run(read, input=WORDS + b"\n", capture_output=True, check=True)
    assert done.stdout == key.pkcs8(Encoding.DER)
    shown = subprocess.run(
        ["openssl", "asn1parse", "-in", str(path)], capture_output=True, check=True, text=True
    ).stdout
    assert ":scrypt" in shown
    assert [line.rsplit(":")[-1] for line in shown.splitlines() if "INTEGER" in line] == [
        *("4000", "08", "05")
    ]


def test_encrypted_key_is_another_file_each_time() -> None:
    pkcs8 = SigningKey.generate().pkcs8(Encoding.DER)
    assert encrypt(pkcs8, WORDS) != encrypt(pkcs8, WORDS)


def test_key_file_that_openssl_protected_is_taken_too(path: Path) -> None:
    if which("openssl") is None:
        pytest.skip("no openssl")
    key = SigningKey.generate()
    make = ["openssl", "pkcs8", "-topk8", "-passout", "pass:correct horse", "-inform", "DER"]
    done = subprocess.run(make, input=key.pkcs8(Encoding.DER), capture_output=True, check=True)
    path.touch(0o600)
    path.write_bytes(done.stdout)
    assert SigningKey.load(path, give).public.text == key.public.text


def test_key_file_with_a_wrong_passphrase_is_one_sentence_without_it(path: Path) -> None:
    make_key(path, WORDS)
    with pytest.raises(PassphraseError, match=f"wrong passphrase for {path}") as caught:
        SigningKey.load(path, lambda _path: b"battery staple")
    assert "battery" not in repr(caught.value)


def test_key_file_with_a_passphrase_is_refused_where_nobody_can_be_asked(path: Path) -> None:
    """As a service's or a host's key; how to take it off is said."""
    make_key(path, WORDS)
    with pytest.raises(PassphraseError, match=f"denrei key protect --remove --file {path}"):
        SigningKey.load(path)


def test_key_file_without_a_passphrase_asks_for_none(path: Path) -> None:
    make_key(path, None)
    SigningKey.load(path, lambda _path: pytest.fail("asked"))


def test_key_file_damaged_anywhere_gives_the_key_or_one_sentence(path: Path) -> None:
    """Bits of the algorithm too: a huge cost is an error, not a hanging program."""
    key = make_key(path, WORDS)
    lines = path.read_bytes().splitlines()
    body = base64.b64decode(b"".join(lines[1:-1]))
    for byte in (*range(0, 90, 12), len(body) - 1):
        damaged = bytearray(body)
        damaged[byte] ^= 0x40
        path.write_bytes(b"\n".join([lines[0], base64.b64encode(damaged), lines[-1], b""]))
        try:
            assert SigningKey.load(path, give).public.text == key.public.text
        except KeyFileError as error:
            assert str(path) in str(error)  # noqa: PT017 - some are the key still


@pytest.mark.parametrize(("old", "new"), [(None, WORDS), (WORDS, b"another one"), (WORDS, None)])
def test_protect_keeps_the_key_and_the_mode(
    path: Path, old: bytes | None, new: bytes | None
) -> None:
    key = make_key(path, old)
    protect(path, lambda _path: old or b"", new)
    assert is_protected(path) is (new is not None)
    assert SigningKey.load(path, lambda _path: new or b"").public.text == key.public.text
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_protect_with_a_wrong_passphrase_changes_nothing(path: Path) -> None:
    make_key(path, WORDS)
    before = path.read_bytes()
    with pytest.raises(PassphraseError):
        protect(path, lambda _path: b"battery staple", None)
    assert path.read_bytes() == before


def test_protect_where_others_can_write_is_refused(path: Path) -> None:
    """They could lay a file of theirs where the new one is written, and read the key in it."""
    make_key(path, None)
    before = path.read_bytes()
    for mode in (0o770, 0o707, 0o1777):
        path.parent.chmod(mode)
        with pytest.raises(KeyFileError, match=f"others can write to {path.parent}"):
            protect(path, None, WORDS)
    path.parent.chmod(0o700)
    assert path.read_bytes() == before


def test_protect_of_a_link_protects_the_key_that_it_leads_to(tmp_path: Path, path: Path) -> None:
    """A key on a stick would stay there in the open otherwise, and its link become a copy."""
    (tmp_path / "stick").mkdir()
    make_key(tmp_path / "stick" / "key.pem", None)
    path.symlink_to(tmp_path / "stick" / "key.pem")
    protect(path, None, WORDS)
    assert path.is_symlink()
    assert is_protected(tmp_path / "stick" / "key.pem")


def test_protect_killed_at_any_moment_loses_no_key(path: Path) -> None:
    """Whenever it ends, the file holds the whole key; the next time goes on from there."""
    text = make_key(path, None).public.text
    for turn in range(30):
        child = os.fork()
        if child == 0:
            _protect_until_killed(path, 0.003 + turn * 0.0007)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGALRM
        assert SigningKey.load(path).public.text == text
    protect(path, None, WORDS)
    assert SigningKey.load(path, give).public.text == text


def _protect_until_killed(path: Path, after_s: float) -> NoReturn:
    """Replace the file again and again until the clock, which nothing catches, ends the process."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, after_s)
        while True:
            protect(path, None, None)
    finally:
        os._exit(1)


def test_new_keys_are_made_once_and_taken_up_again(path: Path) -> None:
    """A home that was begun and not finished keeps its keys, and protects them if asked to."""
    plain = NewKeys().person(path)
    keys = NewKeys(passphrase=WORDS, known=give)
    assert keys.person(path).public.text == plain.public.text
    assert is_protected(path)
    assert keys.person(path).public.text == plain.public.text


def test_new_key_of_ssh_agent_makes_a_public_file_alone(path: Path) -> None:
    public = SigningKey.generate().public
    keys = NewKeys(passphrase=WORDS, ssh=public)
    for _ in range(2):
        key = keys.person(path)
        assert isinstance(key, AgentKey)
        assert key.public.text == public.text
    assert [each.name for each in path.parent.iterdir()] == ["anna.pub"]


def test_key_in_two_forms_is_refused_since_nobody_knows_which_one_signs(path: Path) -> None:
    make_key(path, None)
    assert present(path) == path
    path.with_suffix(".pub").write_text(show_public_key(SigningKey.generate().public))
    with pytest.raises(KeyFileError, match=r"anna\.pem and .*anna\.pub are both there"):
        present(path)
