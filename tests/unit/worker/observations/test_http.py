"""The observation http, against real servers: what was answered, and by whom not."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.probe import Http
from contract.request import RequestError
from tests.unit.worker.observations.servers import (
    Serve,
    in_tls,
    saying,
    server_context,
    serving,
)
from worker.observations.http import observe_http
from worker.observations.observation import Fields, ObservationError
from worker.proc import boot_clock
from worker.root import Root

HEADERS = {"X-Probe": "yes", "accept": "text/plain", "connection": "keep-alive"}
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\nstatus: healthy"


def look(root: Path, url: str, **options: object) -> Fields:
    return observe_http(Http(url=url, **options), Root(root))  # type: ignore[arg-type]


def echo(connection: socket.socket) -> None:
    """Answer with the request itself."""
    asked = connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(asked), asked))


def named(root: Path) -> None:
    """Let this host know the name for which its test certificate is."""
    (root / "etc").mkdir()
    (root / "etc/hosts").write_text("127.0.0.1 a.example b.example\n")


def test_observe_an_answer_gives_every_field(tmp_path: Path) -> None:
    with serving(saying(OK)) as port:
        fields = look(tmp_path, f"http://127.0.0.1:{port}/health", match=r"status: (\w+)")
    milliseconds = fields.pop("milliseconds")
    assert isinstance(milliseconds, int)
    assert 0 <= milliseconds < 5000
    assert fields == {
        "answered": True,
        "error": "",
        "status": 200,
        "body": "status: healthy",
        "matches": True,
        "matched": "healthy",
    }


def test_observe_asks_in_plain_http_and_for_one_answer_only(tmp_path: Path) -> None:
    named(tmp_path)
    with serving(echo) as port:
        url = f"http://a.example:{port}/x/y?q=1#part"
        body = str(look(tmp_path, url, headers=HEADERS)["body"])
    assert body.split("\r\n") == [
        "GET /x/y?q=1 HTTP/1.1",
        f"Host: a.example:{port}",
        "User-Agent: denrei-worker",
        "accept: text/plain",
        "X-Probe: yes",
        "Connection: close",
        "",
        "",
    ]


def test_observe_head_wants_no_body(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 204 None\r\nContent-Length: 99\r\n\r\n"
    with serving(saying(answer)) as port:
        fields = look(tmp_path, f"http://127.0.0.1:{port}", method="HEAD")
    assert (fields["answered"], fields["status"], fields["body"]) == (True, 204, "")


def test_observe_a_redirect_is_told_not_followed(tmp_path: Path) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with serving(saying(answer)) as port:
        assert look(tmp_path, f"http://127.0.0.1:{port}/")["status"] == 302


def test_observe_uses_no_proxy_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with serving(saying(OK)) as port:
        assert look(tmp_path, f"http://127.0.0.1:{port}/")["status"] == 200


def test_observe_a_long_body_is_cut(tmp_path: Path) -> None:
    with serving(saying(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000)) as port:
        assert look(tmp_path, f"http://127.0.0.1:{port}/")["body"] == "x" * 65536


def test_observe_a_body_in_chunks_is_put_together(tmp_path: Path) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    with serving(saying(answer)) as port:
        assert look(tmp_path, f"http://127.0.0.1:{port}/")["body"] == "abcde"


def test_observe_over_tls_only_a_trusted_server_answers(tmp_path: Path) -> None:
    """Signed by whom we know, still valid, and for the name that was asked for."""
    named(tmp_path)
    context = server_context(tmp_path, not_after=datetime(2099, 1, 1, tzinfo=UTC))
    with serving(in_tls(context, saying(OK))) as port:
        url = f"https://a.example:{port}/"
        assert look(tmp_path, url, ca_file="/served.pem")["status"] == 200
        unknown = look(tmp_path, url)
        other = look(tmp_path, url.replace("a.", "b.", 1), ca_file="/served.pem")
    for fields, problem in ((unknown, "self-signed certificate"), (other, "mismatch")):
        assert fields["answered"] is False
        assert "the certificate is not trusted: " in str(fields["error"])
        assert problem in str(fields["error"])


def test_observe_over_tls_an_expired_certificate_is_told(tmp_path: Path) -> None:
    named(tmp_path)
    with serving(in_tls(server_context(tmp_path), saying(OK))) as port:
        fields = look(tmp_path, f"https://a.example:{port}/", ca_file="/served.pem")
    assert "certificate has expired" in str(fields["error"])


def test_observe_over_tls_writes_no_keys_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An observation writes nothing, and who reads that file can read the connection."""
    named(tmp_path)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with serving(in_tls(server_context(tmp_path), saying(OK))) as port:
        look(tmp_path, f"https://a.example:{port}/", ca_file="/served.pem")
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("serve", "problem"),
    [
        (saying(b"SSH-2.0-x\r\n"), "answered no HTTP (BadStatusLine)"),
        (saying(b""), "answered no HTTP (RemoteDisconnected)"),
        (saying(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200), "answered no HTTP (HTTPException)"),
        (saying(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70000), "answered no HTTP (LineTooLong)"),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), ""),
    ],
)
def test_observe_what_is_no_answer_is_knowledge(tmp_path: Path, serve: Serve, problem: str) -> None:
    with serving(serve) as port:
        fields = look(tmp_path, f"http://127.0.0.1:{port}/")
    if problem:
        assert fields == {"answered": False, "error": f"127.0.0.1:{port}: {problem}"}
    else:
        assert fields["body"] == "abc"


def test_observe_a_closed_port_is_knowledge(tmp_path: Path) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        fields = look(tmp_path, f"http://127.0.0.1:{port}/")
    assert fields == {"answered": False, "error": f"127.0.0.1:{port}: connection refused"}


def test_observe_a_server_that_drips_ends_in_time(tmp_path: Path) -> None:
    def drip(connection: socket.socket) -> None:
        connection.settimeout(0.02)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        connection.recv(65536)
        while True:
            connection.sendall(b"x")
            try:
                if not connection.recv(1):
                    return
            except TimeoutError:
                continue

    with serving(drip) as port:
        begun = boot_clock()
        fields = look(tmp_path, f"http://127.0.0.1:{port}/", timeout="300ms")
    assert fields == {"answered": False, "error": f"127.0.0.1:{port}: timed out"}
    assert boot_clock() - begun < 5


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://", "is no URL such as"),
        ("http://a b/", "is no URL such as"),
        ("http://a/\r\nX: y", "is no URL such as"),
        ("http://ä.example/", "is no URL such as"),
        ("ftp://a/", "is no URL such as"),
        ("http://a:99999/", "is no URL: "),
        ("http://[::1/", "is no URL: "),
        ("http://user:hunter2@a/", "may hold no user name"),
        ("http://user:hunter2@a:99999/", "may hold no user name"),
    ],
)
def test_observe_no_url_is_unknown(tmp_path: Path, url: str, complaint: str) -> None:
    with pytest.raises(RequestError, match=complaint) as caught:
        look(tmp_path, url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("header", [{"A B": "x"}, {"A": "x\r\nB: y"}, {"": "x"}, {"A": "\0"}])
def test_observe_with_a_header_that_is_none_asks_nobody(
    tmp_path: Path, header: dict[str, str]
) -> None:
    """No value can bring in a second header or request."""
    with pytest.raises(RequestError, match="is no header of HTTP"):
        look(tmp_path, "http://127.0.0.1:1/", headers=header)


def test_observe_without_its_authorities_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match=r"can't read .*/none: no such file"):
        look(tmp_path, "https://127.0.0.1:1/", ca_file="/none")
    (tmp_path / "empty").touch()
    with pytest.raises(ObservationError, match="holds no certificates"):
        look(tmp_path, "https://127.0.0.1:1/", ca_file="/empty")
