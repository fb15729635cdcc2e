"""The observation tls, against real servers: what is shown, and who shows nothing."""

import socket
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.probe import X509, Tls
from tests.unit.worker.observations.servers import (
    after,
    in_tls,
    saying,
    server_context,
    serving,
)
from worker.observations.observation import Fields, ObservationError
from worker.observations.tls import observe_tls
from worker.observations.x509 import observe_x509
from worker.proc import boot_clock
from worker.root import Root

LDAP_ASKS = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
LDAP_YES = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
PG_ASKS = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
EHLO = b"EHLO [127.0.0.1]\r\n"

# What a server says and hears in plain text before TLS begins.
DIALOGUES: dict[str, list[tuple[bytes, bytes]]] = {
    "smtp": [
        (b"220-mail.example ESMTP\r\n220 at your service\r\n", EHLO),
        (b"250-mail.example\r\n250-SIZE 1000\r\n250-starttls\r\n250 HELP\r\n", b"STARTTLS\r\n"),
        (b"220 2.0.0 Ready to start TLS\r\n", b""),
    ],
    "imap": [
        (b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n", b"a001 STARTTLS\r\n"),
        (b"* CAPABILITY IMAP4rev1\r\na001 OK Begin TLS now.\r\n", b""),
    ],
    "ldap": [(b"", LDAP_ASKS), (LDAP_YES, b"")],
    "postgres": [(b"", PG_ASKS), (b"S", b"")],
}
REFUSALS: dict[str, tuple[str, list[tuple[bytes, bytes]], str]] = {
    "smtp that is busy": ("smtp", [(b"421 too busy\r\n", b"")], "answered '421 too busy'"),
    "smtp without it": (
        "smtp",
        [(b"220 hi\r\n", EHLO), (b"250 mail.example\r\n", b"")],
        "offers no STARTTLS",
    ),
    "smtp that says no": (
        "smtp",
        [(b"220 hi\r\n", EHLO), (b"250 STARTTLS\r\n", b"STARTTLS\r\n"), (b"454 later\r\n", b"")],
        "answered '454 later'",
    ),
    "smtp without end": ("smtp", [(b"220-" + b"x" * 20000, b"")], "says too much before TLS"),
    "imap without it": (
        "imap",
        [(b"* OK hi\r\n", b"a001 STARTTLS\r\n"), (b"a001 BAD unknown\r\n", b"")],
        "answered 'a001 BAD unknown'",
    ),
    "imap that is no imap": ("imap", [(b"220 hi\r\n", b"")], "answered '220 hi'"),
    "ldap that says no": (
        "ldap",
        [(b"", LDAP_ASKS), (LDAP_YES.replace(b"\x0a\x01\x00", b"\x0a\x01\x02"), b"")],
        "refused StartTLS with result code 2",
    ),
    "ldap that is no ldap": ("ldap", [(b"", LDAP_ASKS), (b"HTTP/1.1 400", b"")], "hung up"),
    "ldap of another shape": (
        "ldap",
        [(b"", LDAP_ASKS), (b"\x30\x03\x02\x01\x01", b"")],
        "answered no LDAP",
    ),
    "ldap without a length": ("ldap", [(b"", LDAP_ASKS), (b"\x30\x80\x00", b"")], "no LDAP"),
    "ldap that is too long": (
        "ldap",
        [(b"", LDAP_ASKS), (b"\x30\x84\xff\xff\xff\xff", b"")],
        "says too much",
    ),
    "postgres without it": ("postgres", [(b"", PG_ASKS), (b"N", b"")], "offers no TLS"),
    "postgres that is older": ("postgres", [(b"", PG_ASKS), (b"E", b"")], "answered b'E'"),
    "nobody there": ("postgres", [(b"", PG_ASKS)], "hung up before TLS"),
}


def look(root: Path, port: int, host: str = "127.0.0.1", **options: str) -> Fields:
    return observe_tls(Tls(host=host, port=port, **options), Root(root))  # type: ignore[arg-type]


def test_observe_a_served_certificate_says_what_the_file_says(tmp_path: Path) -> None:
    """Whether in a file or on a port: the same words, so that the two can be compared."""
    with serving(in_tls(server_context(tmp_path))) as port:
        fields = look(tmp_path, port)
    in_file = observe_x509(X509(path="/served.pem"), Root(tmp_path))
    shared = in_file.keys() & fields.keys()
    assert {name: fields[name] for name in shared} == {name: in_file[name] for name in shared}
    assert len(shared) == 9
    assert {n: fields[n] for n in fields.keys() - shared} == {
        "served": True,
        "open": True,
        "error": "",
        "protocol": "TLSv1.3",
    }


def test_observe_an_old_server_with_a_weak_key_is_seen_all_the_same(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is to be found
    context = server_context(tmp_path, weak)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(in_tls(context)) as port:
        fields = look(tmp_path, port)
    assert (fields["key_type"], fields["protocol"]) == ("rsa-1024", "TLSv1.2")


@pytest.mark.parametrize(
    ("host", "options", "asked"),
    [
        ("web.example", {}, "web.example"),
        ("web.example", {"server_name": "other.example"}, "other.example"),
        ("127.0.0.1", {"server_name": "other.example"}, "other.example"),
        ("127.0.0.1", {}, "nobody"),
    ],
)
def test_observe_asks_for_the_name(
    tmp_path: Path, host: str, options: dict[str, str], asked: str
) -> None:
    """A server with many certificates shows the one that it is asked for (SNI)."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text("127.0.0.1 web.example\n")
    plain = server_context(tmp_path)
    (tmp_path / "asked").mkdir()
    wanted = server_context(tmp_path / "asked")

    def choose(connection: ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        if name == asked:
            connection.context = wanted

    plain.sni_callback = choose  # type: ignore[assignment]
    with serving(in_tls(plain)) as port:
        fields = look(tmp_path, port, host, **options)
    place = "/served.pem" if asked == "nobody" else "/asked/served.pem"
    in_file = observe_x509(X509(path=place), Root(tmp_path))
    assert fields["sha256"] == in_file["sha256"]


@pytest.mark.parametrize("protocol", DIALOGUES)
def test_observe_after_starttls_sees_the_certificate(tmp_path: Path, protocol: str) -> None:
    with serving(after(DIALOGUES[protocol], in_tls(server_context(tmp_path)))) as port:
        fields = look(tmp_path, port, starttls=protocol)
    assert (fields["served"], fields["error"]) == (True, "")
    assert fields["sha256"] == observe_x509(X509(path="/served.pem"), Root(tmp_path))["sha256"]


@pytest.mark.parametrize("what", REFUSALS)
def test_observe_whom_starttls_is_refused_by_is_knowledge(tmp_path: Path, what: str) -> None:
    protocol, dialogue, problem = REFUSALS[what]
    with serving(after(dialogue, lambda _connection: None)) as port:
        fields = look(tmp_path, port, starttls=protocol)
    assert (fields["served"], fields["open"]) == (False, True)
    assert problem in str(fields["error"])
    assert fields.keys() == {"served", "open", "error"}


def test_observe_a_port_that_speaks_no_tls_is_knowledge(tmp_path: Path) -> None:
    with serving(saying(b"SSH-2.0-x\r\n")) as port:
        fields = look(tmp_path, port)
    assert fields["open"] is True
    assert str(fields["error"]).startswith(f"127.0.0.1:{port}: no TLS: ")


def test_observe_a_server_that_hangs_up_is_knowledge(tmp_path: Path) -> None:
    def hang_up(connection: socket.socket) -> None:
        connection.recv(1)

    with serving(hang_up) as port:
        fields = look(tmp_path, port)
    assert fields["served"] is False


def test_observe_a_closed_port_is_not_open(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        fields = look(tmp_path, port)
    assert fields == {
        "served": False,
        "open": False,
        "error": f"127.0.0.1:{port}: connection refused",
    }


@pytest.mark.parametrize("starttls", [{}, {"starttls": "smtp"}])
def test_observe_a_silent_server_ends_in_time(tmp_path: Path, starttls: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        begun = boot_clock()
        fields = look(tmp_path, port, timeout="100ms", **starttls)
    assert fields["error"] == f"127.0.0.1:{port}: timed out"
    assert boot_clock() - begun < 5


def test_observe_a_server_that_drips_ends_in_time(tmp_path: Path) -> None:
    """One deadline for all of it: a byte now and then does not move it."""

    def drip(connection: socket.socket) -> None:
        connection.settimeout(0.02)
        while True:
            connection.sendall(b"2")
            try:
                connection.recv(1)
            except TimeoutError:
                continue
            return

    with serving(drip) as port:
        begun = boot_clock()
        fields = look(tmp_path, port, starttls="smtp", timeout="200ms")
    assert "timed out" in str(fields["error"])
    assert boot_clock() - begun < 5


def test_observe_no_host_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match="neither a host nor host:port"):
        look(tmp_path, 443, "a:b")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(answer=st.binary(max_size=60), protocol=st.sampled_from(sorted(DIALOGUES)))
def test_observe_whatever_a_server_says_is_no_certificate(
    tmp_path: Path, answer: bytes, protocol: str
) -> None:
    """Hostile bytes before TLS become a sentence, never a traceback or a certificate."""
    with serving(after([(answer, b"")], lambda _connection: None)) as port:
        fields = look(tmp_path, port, starttls=protocol, timeout="500ms")
    assert fields["served"] is False
    assert fields["error"]
