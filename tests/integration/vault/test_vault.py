"""Secrets from a vault, on a real OpenBao: how we log in, what we read, and every clear error."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from contract.document import DocumentError
from orchestrator.secret.local import Environment, Files
from orchestrator.secret.provider import Provider, ProviderError, SecretError
from orchestrator.secret.source import parse_source
from orchestrator.secret.vault import Vault
from tests.integration.vault.bao import ROOT_TOKEN, Bao

Written = Callable[..., Vault]
VALUE = "hunter2 & hunter3"
KNOWN: dict[str, Provider] = {"@": Files(), "env:": Environment()}


@pytest.fixture
def written(tmp_path: Path, bao: Bao, monkeypatch: pytest.MonkeyPatch) -> Written:
    """Write a `vault.yaml` for the server, some lines of it replaced, and a token's file."""

    def read(source: str) -> str:
        found = parse_source(source, KNOWN)
        return KNOWN[found.scheme].read(found.place)

    def write(credential: str = "", **lines: str) -> Vault:
        (tmp_path / "token").write_text((credential or bao.token("web")) + "\n")
        default = {
            "address": bao.address,
            "ca": str(bao.ca),
            "token": f'"@{tmp_path / "token"}"',
        }
        kept = {name: text for name, text in {**default, **lines}.items() if text}
        path = tmp_path / "vault.yaml"
        path.write_text("".join(f"{name}: {text}\n" for name, text in kept.items()))
        return Vault(path, read)

    return write


def app_role(bao: Bao) -> str:
    role_id = bao.ask("GET", "auth/approle/role/denrei/role-id")["data"]["role_id"]
    return f'{{role_id: {role_id}, secret_id: "env:SECRET_ID"}}'


def test_secret_is_read_with_a_token(written: Written) -> None:
    assert written().read("web/db#password") == VALUE


def test_secret_is_read_as_an_app_role_whose_token_ends_at_once(
    written: Written, bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A beat that fires every minute must not leave a thousand tokens behind."""
    answer = bao.ask("POST", "auth/approle/role/denrei/secret-id")
    monkeypatch.setenv("SECRET_ID", answer["data"]["secret_id"])
    vault = written(approle=app_role(bao), token="")
    before = bao.accessors()
    assert vault.read("web/db#password") == VALUE
    assert bao.accessors() == before


def test_login_with_a_wrong_secret_id_is_refused_with_the_vaults_own_words(
    written: Written, bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_ID", "not-the-secret-id")
    vault = written(approle=app_role(bao), token="")
    with pytest.raises(ProviderError, match="AppRole login at auth/approle/login failed") as caught:
        vault.read("web/db#password")
    assert "invalid role or secret ID" in str(caught.value)
    assert "not-the-secret-id" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "family", "told"),
    [
        ("other/db#password", ProviderError, "reading secret/data/other/db failed: the token"),
        ("web/none#password", SecretError, "there is no secret at secret/data/web/none"),
        ("web/db#passwort", SecretError, "secret/data/web/db has no field 'passwort'"),
        ("web/db#number", SecretError, "the field 'number' of secret/data/web/db is no text"),
        ("web/db", SecretError, "write vault:PATH#FIELD"),
        ("web/../other/db#password", SecretError, "write vault:PATH#FIELD"),
        ("/web/db#password", SecretError, "write vault:PATH#FIELD"),
        ("#password", SecretError, "write vault:PATH#FIELD"),
    ],
)
def test_secret_that_can_not_be_had_is_told_why(
    written: Written, place: str, family: type[Exception], told: str
) -> None:
    with pytest.raises(family, match=re.escape(told)) as caught:
        written().read(place)
    assert VALUE not in str(caught.value)


def test_secret_whose_newest_version_was_deleted_is_told_so(written: Written, bao: Bao) -> None:
    bao.put("web/old", password="gone-for-good")
    bao.ask("DELETE", "secret/data/web/old")
    with pytest.raises(SecretError, match="the newest version of secret/data/web/old was deleted"):
        written().read("web/old#password")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ({"mount": "kv9"}, "the mount 'kv9' is set by `mount` in vault.yaml"),
        ({"namespace": "no/such"}, "namespace not found"),
        ({"ca": ""}, "is not trusted: .*`ca` in vault.yaml names the authority"),
        ({"ca": "/absent.pem"}, "can't use the CA file /absent.pem"),
        ({"address": "https://127.0.0.1:1"}, "can't reach https://127.0.0.1:1: Connection refused"),
    ],
    ids=str,
)
def test_vault_that_can_not_be_used_is_told_with_what_to_set(
    written: Written, lines: dict[str, str], told: str
) -> None:
    with pytest.raises((ProviderError, SecretError), match=told):
        written(ROOT_TOKEN, **lines).read("web/db#password")


def test_server_of_another_name_is_not_trusted(written: Written, bao: Bao) -> None:
    """A certificate of the right authority for another server gets no token."""
    vault = written(address=bao.address.replace("127.0.0.1", "127.0.0.2"))
    with pytest.raises(ProviderError, match=r"is not trusted: IP address mismatch|can't reach"):
        vault.read("web/db#password")


def test_token_that_is_good_no_more_is_told_and_not_repeated(written: Written, bao: Bao) -> None:
    token = bao.token("web")
    bao.ask("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(ProviderError, match=r"the token has expired, or its policy") as caught:
        written(token).read("web/db#password")
    assert token not in str(caught.value)


def test_token_file_that_is_missing_or_no_token_is_told_before_anything_is_asked(
    written: Written, tmp_path: Path
) -> None:
    with pytest.raises(SecretError, match=r"vault\.yaml: token: can't read /absent"):
        written(token='"@/absent"').read("web/db#password")
    vault = written("two\nlines")
    with pytest.raises(SecretError, match="what was read can't be one"):
        vault.read("web/db#password")


def test_sealed_vault_is_told(written: Written, tmp_path: Path) -> None:
    """On a server of its own: sealing ends it for everybody."""
    (tmp_path / "bao").mkdir()
    with Bao(tmp_path / "bao") as own:
        own.put("web/db", password=VALUE)
        own.ask("PUT", "sys/seal")
        vault = written(ROOT_TOKEN, address=own.address, ca=str(own.ca))
        with pytest.raises(ProviderError, match="the vault is sealed, or not ready"):
            vault.read("web/db#password")


HOSTILE = {
    "silence": (b"", "no answer from .* within 0.3 s"),
    "a redirect": (
        b"HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        "sends us elsewhere, which is not followed",
    ),
    "another protocol": (b"220 mail.example.com ESMTP\r\n", "does not speak HTTP as a vault"),
    "a web page": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
        "does not answer in JSON, so it is no vault",
    ),
    "a deep document": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
        "does not answer in JSON, so it is no vault",
    ),
    "another document": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" + b'{"data": [5]}',
        "is no secret of KV version 2",
    ),
    "too much": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b" " * 2_000_000,
        "answers with more than 1024 KiB",
    ),
}


@pytest.mark.parametrize("answer", HOSTILE)
def test_server_that_is_no_vault_is_told_and_bounded(written: Written, answer: str) -> None:
    """Whatever answers at the address, in a bounded time and without a traceback."""
    data, told = HOSTILE[answer]
    with answering([data] if data else []) as port:
        vault = written(address=f"http://127.0.0.1:{port}", timeout="300ms")
        with pytest.raises(ProviderError, match=told):
            vault.read("web/db#password")


def test_server_that_drips_is_cut_off_in_time(written: Written) -> None:
    """Each byte begins a socket's own time-out anew; the whole has one, too."""
    with answering([b"HTTP/1.1 200 OK\r\n"] + [b"X"] * 400, pause=0.05) as port:
        vault = written(address=f"http://127.0.0.1:{port}", timeout="300ms")
        with pytest.raises(ProviderError, match=r"no answer from .* within 0\.3 s"):
            vault.read("web/db#password")


@contextmanager
def answering(pieces: list[bytes], pause: float = 0.0) -> Iterator[int]:
    """Answer each connection with some bytes, then be silent until the end."""
    ended = threading.Event()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    for piece in pieces:
                        connection.sendall(piece)
                        if ended.wait(pause):
                            return
                    while connection.recv(65536):
                        pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


BAD_SETTINGS = {
    "token: x\n": "1:1: vault.yaml needs 'address'",
    "address: vault\ntoken: x\n": "1:10: address must be like https://vault.example.com:8200",
    "address: http://vault.example.com\ntoken: x\n": "1:10: address must begin with https://",
    "address: https://user@vault:8200\ntoken: x\n": "1:10: address must be like",
    "address: https://vault:99999\ntoken: x\n": "1:10: address must be like",
    "address: https://vault\n": "1:10: vault.yaml needs either `token` or `approle`",
    "address: https://vault\ntoken: x\napprole: {role_id: x, secret_id: x}\n": "needs either",
    "address: https://vault\ntoken: x\ntimeout: 3h\n": "3:10: timeout must be more than nothing",
    "address: https://vault\napprole: {role_id: x}\n": "2:10: approle needs 'secret_id'",
    "address: https://vault\ntoken: x\nmuont: x\n": "3:1: vault.yaml has no 'muont'; did you mean",
    'address: https://vault\ntoken: x\nnamespace: "a\\nb"\n': "3:12: namespace may hold only plain",
}


@pytest.mark.parametrize("text", BAD_SETTINGS)
def test_settings_of_no_use_are_told_with_their_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "vault.yaml").write_text(text)
    with pytest.raises(DocumentError) as caught:
        Vault(tmp_path / "vault.yaml", str).read("a#b")
    assert BAD_SETTINGS[text] in str(caught.value)


def test_home_without_a_vault_says_which_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"can't read .*/vault\.yaml, which says where"):
        Vault(tmp_path / "vault.yaml", str).read("a#b")
