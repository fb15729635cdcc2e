"""ssh-agent: what it answers is believed only if it is a signature that verifies."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contract.envelope import PayloadType, pre_authentication_encoding
from contract.key import SigningKey
from orchestrator.ssh.agent import AgentError, AgentKey
from orchestrator.ssh.blob import number, string
from orchestrator.ssh.public_key import blob_of
from tests.unit.orchestrator.ssh.agents import (
    FAILURE,
    IDENTITIES,
    SIGN_REQUEST,
    SIGNED,
    Answer,
    answering,
    framed,
    identities,
    signature,
    signing,
)

KEY, OTHER = SigningKey.generate(), SigningKey.generate()
MESSAGE = pre_authentication_encoding(PayloadType.ORDER, b"{}")
GOOD = KEY.sign(MESSAGE)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    return tmp_path / "agent"


@pytest.fixture
def key() -> AgentKey:
    return AgentKey(KEY.public, patience=5)


def test_agent_signs_what_hosts_believe(place: Path, key: AgentKey) -> None:
    """A plain Ed25519 signature of the very bytes: nothing in it says where it was made."""
    with answering(place, signing(KEY)):
        assert key.sign(MESSAGE) == GOOD


def test_agent_whose_answer_comes_byte_by_byte_is_heard_out(place: Path, key: AgentKey) -> None:
    whole = framed(signature(GOOD))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(place))
        listener.listen()
        with ThreadPoolExecutor(1) as pool:
            signed = pool.submit(key.sign, MESSAGE)
            connection, _ = listener.accept()
            with connection:
                for byte in whole:
                    connection.sendall(bytes([byte]))
                assert signed.result(5) == GOOD


LIES: dict[str, Answer] = {
    "signature_of_another_message": lambda _: framed(signature(KEY.sign(b"other"))),
    "signature_by_another_key": lambda _: framed(signature(OTHER.sign(MESSAGE))),
    "signature_with_a_bit_turned": lambda _: framed(signature(bytes([GOOD[0] ^ 1]) + GOOD[1:])),
    "signature_too_short": lambda _: framed(signature(GOOD[:-1])),
    "signature_too_long": lambda _: framed(signature(GOOD + b"\0")),
    "signature_empty": lambda _: framed(signature(b"")),
    "signature_of_a_security_key": lambda _: framed(signature(GOOD, b"sk-ssh-ed25519@openssh.com")),
    "signature_of_rsa": lambda _: framed(signature(GOOD, b"rsa-sha2-512")),
    "something_behind_the_signature": lambda _: framed(signature(GOOD) + b"\0"),
    "something_inside_behind_it": lambda _: framed(
        SIGNED + string(string(b"ssh-ed25519") + string(GOOD) + b"\0")
    ),
    "keys_instead_of_a_signature": lambda _: framed(identities(blob_of(KEY.public))),
    "success_instead_of_a_signature": lambda _: framed(b"\6"),
    "length_beyond_its_end": lambda _: framed(SIGNED + number(1000) + GOOD),
    "length_of_4_gigabytes_inside": lambda _: framed(SIGNED + number(2**32 - 1)),
    "length_of_4_gigabytes": lambda _: number(2**32 - 1) + b"x",
    "length_of_257_kilobytes": lambda _: number(257 * 1024) + bytes(257 * 1024),
    "length_of_nothing": lambda _: number(0),
    "half_an_answer": lambda _: framed(signature(GOOD))[:-10],
    "half_a_length": lambda _: b"\0\0",
    "nothing": lambda _: b"",
    "refusal_and_a_torn_list": lambda r: framed(
        FAILURE if r[0] == SIGN_REQUEST else IDENTITIES + number(2) + string(b"x")
    ),
    "refusal_and_a_list_without_end": lambda r: framed(
        FAILURE if r[0] == SIGN_REQUEST else IDENTITIES + number(2**32 - 1)
    ),
    "refusal_of_everything": lambda _: framed(FAILURE),
}


@pytest.mark.parametrize("name", LIES)
def test_agent_that_lies_signs_nothing(place: Path, name: str) -> None:
    with answering(place, LIES[name]), pytest.raises(AgentError, match=re.escape(str(place))):
        AgentKey(KEY.public, patience=0.5).sign(MESSAGE)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300))
@example(FAILURE)
def test_agent_that_answers_any_bytes_signs_nothing(place: Path, answer: bytes) -> None:
    with answering(place, lambda _: framed(answer)), pytest.raises(AgentError):
        AgentKey(KEY.public, patience=5).sign(MESSAGE)


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ((), r"shows no key: run ssh-add, or `ssh-add -X` if it is locked"),
        ((blob_of(OTHER.public),), r"does not have the key SHA256:\S+: run ssh-add for it"),
        ((blob_of(KEY.public),), r"has the key SHA256:\S+ and refused to sign with it"),
    ],
    ids=["locked", "absent", "refused"],
)
def test_agent_that_refuses_is_asked_why(
    place: Path, key: AgentKey, shown: tuple[bytes, ...], told: str
) -> None:
    def answer(request: bytes) -> bytes:
        return framed(FAILURE if request[0] == SIGN_REQUEST else identities(*shown))

    with answering(place, answer), pytest.raises(AgentError, match=told):
        key.sign(MESSAGE)


def test_agent_that_says_nothing_is_given_up(place: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(place))
        silent.listen()
        with pytest.raises(AgentError, match="did not answer in time"):
            AgentKey(KEY.public, patience=0.2).sign(MESSAGE)


def test_agent_that_is_not_there_is_one_sentence(
    place: Path, key: AgentKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AgentError, match=f"no ssh-agent at {place}: No such file"):
        key.sign(MESSAGE)
    place.write_text("")
    with pytest.raises(AgentError, match=f"no ssh-agent at {place}: Connection refused"):
        key.sign(MESSAGE)
    monkeypatch.setenv("SSH_AUTH_SOCK", "x" * 200)
    with pytest.raises(AgentError, match="no ssh-agent at xxx"):
        key.sign(MESSAGE)
    monkeypatch.delenv("SSH_AUTH_SOCK")
    with pytest.raises(AgentError, match="SSH_AUTH_SOCK does not say where one is"):
        key.sign(MESSAGE)


@pytest.mark.parametrize("kind", PayloadType)
def test_letter_can_be_taken_for_nothing_else_that_an_agent_signs(kind: PayloadType) -> None:
    """Logins, certificates and host keys begin with a length; files with SSHSIG; hashes are short.

    A letter begins with DSSEv1: read as a length, more than a thousand million bytes.
    """
    shortest = pre_authentication_encoding(kind, b"{}")
    assert shortest.startswith(b"DSSEv1 ")
    assert int.from_bytes(shortest[:4], "big") > 10**9
    assert not shortest.startswith(b"SSHSIG")
    least = pre_authentication_encoding(kind, b"")
    assert len(least) > 32  # the exchange hash of curve25519-sha256
    assert len(pre_authentication_encoding(kind, b'{"host":"x","epoch":1}')) > 64  # of any
