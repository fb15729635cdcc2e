"""Real servers, asked for their certificates: who speaks TLS, and with what."""

import socket
import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.worker.observations.certificates import certificate, key_pem, pem
from tests.unit.worker.observations.servers import Serve, after, in_tls, server_context, serving
from worker.observations.connection import Address
from worker.proc import boot_clock
from worker.root import Root
from worker.scan import handshake
from worker.scan.handshake import Question, Said, ask
from worker.scan.listener import Listener
from worker.scan.owner import Owner
from worker.scan.port import Asked, Port, ask_names, ask_ports, find_ports

OWNER = Owner(1, 1, "web", "", "web")


def hold(connection: socket.socket) -> None:
    """Keep quiet until the other side hangs up."""
    while connection.recv(4096):
        continue


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for silent ports a quarter as long as otherwise."""
    monkeypatch.setattr(handshake, "HANDSHAKE_S", 0.5)


def soon() -> float:
    return boot_clock() + 10


def said(port: int, deadline: float = 10) -> tuple[Said, str]:
    question = Question(Address("127.0.0.1", port))
    [answer] = ask([question], boot_clock() + deadline).values()
    return answer.said, answer.why


def refusing(directory: Path) -> Serve:
    """A server that breaks off with an alert, as for a name that it does not serve."""
    context = server_context(directory)
    context.sni_callback = lambda *_: ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return in_tls(context)


def hanging_up(connection: socket.socket) -> None:
    connection.recv(1)


def greeting(connection: socket.socket) -> None:
    """Speak first, and take a ClientHello for what it is not."""
    connection.sendall(b"SSH-2.0-x\r\n")
    assert connection.recv(4096) == b"", "a handshake was sent to who speaks first"


def answering(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_port_says_whether_it_speaks_tls(tmp_path: Path) -> None:
    with (
        serving(in_tls(server_context(tmp_path))) as tls,
        serving(refusing(tmp_path)) as refuses,
        serving(hanging_up) as hangs_up,
        serving(greeting) as greets,
        serving(answering) as answers,
    ):
        assert said(tls) == (Said.CERTIFICATE, "")
        assert said(refuses)[0] is Said.TLS
        assert said(hangs_up)[0] is Said.PLAIN
        assert said(greets) == (Said.PLAIN, "it speaks first")
        assert said(answers)[0] is Said.PLAIN
    assert said(tls) == (Said.REFUSED, "connection refused")


def test_silent_port_ends_with_its_time_and_holds_up_nobody(tmp_path: Path) -> None:
    """Fifteen silent ones take no longer together than one, and the good one among them is seen."""
    with serving(hold) as silent, serving(in_tls(server_context(tmp_path))) as tls:
        questions = [Question(Address("127.0.0.1", silent), f"n{n}.example") for n in range(15)]
        good = Question(Address("127.0.0.1", tls))
        began = boot_clock()
        answers = ask([*questions, good], soon())
        assert boot_clock() - began < 2
    assert answers[good].said is Said.CERTIFICATE
    assert {answers[question].said for question in questions} == {Said.SILENT}


def test_deadline_ends_everything() -> None:
    with serving(hold) as silent:
        questions = [Question(Address("127.0.0.1", silent), f"n{n}.example") for n in range(40)]
        began = boot_clock()
        answers = ask(questions, began + 0.3)
        assert boot_clock() - began < 1
    assert len(answers) == 40
    assert {answer.said for answer in answers.values()} <= {Said.UNASKED, Said.SILENT}


def by_name(directory: Path) -> Serve:
    """A server with a certificate of its own for one name."""
    other = directory / "other"
    other.mkdir()
    context, second = server_context(directory), server_context(other)

    def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        if name == "b.example":
            connection.context = second

    context.sni_callback = choose
    return in_tls(context)


def asked(port: Port) -> Asked:
    return ask_ports([port], Root(), soon())


def test_name_that_is_asked_for_is_shown_its_own(tmp_path: Path) -> None:
    with serving(by_name(tmp_path)) as number:
        [found] = asked(Port(number, ("127.0.0.1",), OWNER)).tls
        everybodys = found.shown[""]
        ask_names([(found, "a.example"), (found, "b.example")], Root(), soon())
    assert found.shown["a.example"] == everybodys
    assert found.shown["b.example"] != everybodys


@pytest.mark.parametrize(
    ("protocol", "dialogue"),
    [
        ("postgres", [(b"", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), (b"S", b"")]),
        ("imap", [(b"* OK\r\n", b"a001 STARTTLS\r\n"), (b"a001 OK\r\n", b"")]),
    ],
)
def test_port_that_begins_in_plain_text_is_asked_for_tls(
    protocol: str, dialogue: list[tuple[bytes, bytes]], tmp_path: Path
) -> None:
    serve = after(dialogue, in_tls(server_context(tmp_path)))
    with serving(serve) as number:
        port = Port(number, ("127.0.0.1",), OWNER, protocol)  # type: ignore[arg-type]
        [found] = asked(port).tls
    assert found.shown[""].san[0] == "DNS:a.example"


def test_port_that_refuses_starttls_is_plain_and_no_problem() -> None:
    with serving(after([(b"", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), (b"N", b"")], hold)) as number:
        found = asked(Port(number, ("127.0.0.1",), OWNER, "postgres"))
    assert (found.tls, found.silent, found.problems) == ([], [], [])


def test_service_on_both_families_with_one_certificate_is_one(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    own = pem(certificate(key)) + key_pem(key)
    (tmp_path / "own.pem").write_bytes(own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")
    with serving(in_tls(context)) as four, serving(in_tls(context), host="::1", port=four):
        ports = list(
            find_ports([Listener("127.0.0.1", four, 1), Listener("::1", four, 1)], {1: OWNER})
        )
        assert [port.hosts for port in ports] == [("127.0.0.1",), ("::1",)]
        found = ask_ports(ports, Root(), soon())
    assert [str(each.address) for each in found.tls] == [f"127.0.0.1:{four}"]


def test_socket_of_all_addresses_that_takes_no_ipv4_is_asked_by_ipv6(tmp_path: Path) -> None:
    with serving(in_tls(server_context(tmp_path)), host="::1") as six, socket.socket() as nobody:
        nobody.bind(("127.0.0.1", six))  # else somebody else's server may have this number there
        [port] = find_ports([Listener("::", six, 1)], {1: OWNER})
        assert port.hosts == ("127.0.0.1", "::1")
        [found] = ask_ports([port], Root(), soon()).tls
    assert str(found.address) == f"[::1]:{six}"


@pytest.mark.parametrize(
    ("addresses", "hosts"),
    [
        (["0.0.0.0"], [("127.0.0.1",)]),
        (["0.0.0.0", "::"], [("127.0.0.1",), ("::1",)]),
        (["127.0.0.1", "::"], [("127.0.0.1",), ("::1",)]),
        (["10.0.0.5", "::1"], [("10.0.0.5",), ("::1",)]),
        (["0.0.0.0", "0.0.0.0"], [("127.0.0.1",)]),
    ],
)
def test_socket_is_asked_where_it_is_bound(
    addresses: list[str], hosts: list[tuple[str, ...]]
) -> None:
    """One that shares its port with others by SO_REUSEPORT is asked once."""
    found = find_ports([Listener(address, 443, 1) for address in addresses], {1: OWNER})
    assert [port.hosts for port in found] == hosts


def test_port_is_asked_in_its_own_way_and_ssh_never() -> None:
    def owner(program: str) -> Owner:
        return Owner(1, 1, program, "", program)

    owners = {1: owner("postgres"), 2: owner("sshd"), 3: owner("master"), 4: owner("x")}
    listeners = [
        Listener("0.0.0.0", 5433, 1),
        Listener("0.0.0.0", 22, 2),
        Listener("0.0.0.0", 25, 3),
        Listener("0.0.0.0", 465, 3),
        Listener("0.0.0.0", 5432, 4),
    ]
    found = {port.number: port.starttls for port in find_ports(listeners, owners)}
    assert found == {25: "smtp", 465: None, 5432: "postgres", 5433: "postgres"}


def test_port_of_an_unseen_process_is_told_if_it_speaks_tls(tmp_path: Path) -> None:
    with serving(in_tls(server_context(tmp_path))) as tls, serving(answering) as plain:
        ports = [Port(number, ("127.0.0.1",), None) for number in (tls, plain)]
        found = ask_ports(ports, Root(), soon())
    assert [each.port.number for each in found.tls] == [tls]
    assert found.problems == [f"127.0.0.1:{tls}: the process behind it can't be seen, but by root"]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_handshakes_leave_no_socket_open(tmp_path: Path) -> None:
    before = open_files()
    with serving(in_tls(server_context(tmp_path))) as tls, serving(hold) as silent:
        ask([Question(Address("127.0.0.1", number)) for number in (tls, silent)], soon())
        ask([Question(Address("127.0.0.1", silent))], boot_clock() + 0.2)
    assert open_files() == before
