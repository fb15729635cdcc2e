"""The observation tcp, against real listeners and a real proxy."""

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from contract.probe import Tcp
from tests.unit.worker.privilege import forbidden
from worker.observations.observation import Fields, ObservationError
from worker.observations.tcp import observe_tcp
from worker.root import Root


def look(root: Path, host: str, port: int = 443, **options: str) -> Fields:
    return observe_tcp(Tcp(host=host, port=port, **options), Root(root))


@pytest.fixture
def port() -> Iterator[int]:
    """A port on which the kernel accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, and on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@contextmanager
def proxy(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answer one request; give the port and what was asked."""
    asked: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            asked.append(connection.recv(4096))
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked
        thread.join(5)


def test_observe_an_open_port_tells_how_long_it_took(tmp_path: Path, port: int) -> None:
    fields = look(tmp_path, "127.0.0.1", port)
    milliseconds = fields.pop("milliseconds")
    assert isinstance(milliseconds, int)
    assert 0 <= milliseconds < 5000
    assert fields == {"open": True, "error": ""}


def test_observe_a_port_in_the_host_outweighs_port(
    tmp_path: Path, port: int, closed_port: int
) -> None:
    assert look(tmp_path, f"127.0.0.1:{port}", closed_port)["open"] is True
    assert look(tmp_path, f"[127.0.0.1]:{port}", closed_port)["open"] is True


def test_observe_a_name_of_the_roots_own_hosts_file(tmp_path: Path, port: int) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text("127.0.0.1 ws.oms.lab.test\n")
    assert look(tmp_path, f"ws.oms.lab.test:{port}")["open"] is True


def test_observe_a_closed_port_is_knowledge(tmp_path: Path, closed_port: int) -> None:
    fields = look(tmp_path, "127.0.0.1", closed_port)
    assert fields == {"open": False, "error": f"127.0.0.1:{closed_port}: connection refused"}


def test_observe_a_name_nobody_knows_is_knowledge(tmp_path: Path) -> None:
    fields = look(tmp_path, "a..b")
    assert fields["open"] is False
    assert str(fields["error"]).startswith("a..b: ")


def test_observe_no_host_is_unknown(tmp_path: Path) -> None:
    for host in ("a:b", "host:99999", ""):
        with pytest.raises(ObservationError, match="neither a host nor host:port"):
            look(tmp_path, host)


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_observe_through_a_proxy_asks_it_with_the_login(tmp_path: Path, scheme: str) -> None:
    with proxy(b"HTTP/1.1 200 Connection established\r\n\r\n") as (port, asked):
        (tmp_path / "proxy.conf").write_text(f"{scheme}user:p%40ss@127.0.0.1:{port}\n")
        fields = look(tmp_path, "far.example", proxy_file="/proxy.conf")
    assert (fields["open"], fields["error"]) == (True, "")
    assert asked[0].startswith(b"CONNECT far.example:443 HTTP/1.1\r\nHost: far.example:443\r\n")
    assert b"Basic " + base64.b64encode(b"user:p@ss") + b"\r\n\r\n" in asked[0]


def test_observe_through_a_proxy_that_refuses_tells_its_answer(tmp_path: Path) -> None:
    with proxy(b"HTTP/1.1 407 Login first, user:secret\r\n\r\n") as (port, asked):
        (tmp_path / "proxy.conf").write_text(f"user:secret@127.0.0.1:{port}\n")
        fields = look(tmp_path, "far.example", proxy_file="/proxy.conf")
    assert asked
    assert fields == {
        "open": False,
        "error": f"proxy 127.0.0.1:{port} answered 407 for far.example:443",
    }


def test_observe_through_what_is_no_proxy_tells_so(tmp_path: Path) -> None:
    with proxy(b"SSH-2.0\r\n") as (port, _):
        (tmp_path / "proxy.conf").write_text(f"127.0.0.1:{port}")
        error = look(tmp_path, "far.example", proxy_file="/proxy.conf")["error"]
    assert "answered no HTTP" in str(error)


def test_observe_through_a_silent_proxy_times_out(tmp_path: Path, port: int) -> None:
    (tmp_path / "proxy.conf").write_text(f"127.0.0.1:{port}")
    fields = look(tmp_path, "far.example", proxy_file="/proxy.conf", timeout="100ms")
    assert fields == {"open": False, "error": f"proxy 127.0.0.1:{port}: timed out"}


def test_observe_without_a_proxy_file_connects_directly(tmp_path: Path, port: int) -> None:
    assert look(tmp_path, "127.0.0.1", port, proxy_file="/none")["open"] is True
    (tmp_path / "empty").write_text("\n")
    assert look(tmp_path, "127.0.0.1", port, proxy_file="/empty")["open"] is True


def test_observe_a_proxy_line_that_is_none_shows_no_password(tmp_path: Path) -> None:
    (tmp_path / "proxy.conf").write_text("https://user:secret@proxy:x")
    with pytest.raises(ObservationError, match="is not one line") as caught:
        look(tmp_path, "far.example", proxy_file="/proxy.conf")
    assert "secret" not in str(caught.value)


def test_observe_a_proxy_file_that_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    with (
        forbidden(tmp_path / "closed"),
        pytest.raises(ObservationError, match="permission denied"),
    ):
        look(tmp_path, "far.example", proxy_file="/closed/proxy.conf")
