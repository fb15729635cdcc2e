"""Redis over TLS with certificates on both sides, and what is said when one does not fit."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contract.broker import NO_FILES, BrokerError, BrokerFiles, connection_url
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from contract.redis_transport import OPTIONS
from lab.redis import EmbeddedRedis
from orchestrator.broker.redis_users import RedisUsers
from orchestrator.home import Home
from tests.integration.broker.authority import Authority
from tests.integration.broker.tls_redis import tls_redis
from tests.integration.worker.process import running
from tests.queue_reader import QueueReader
from tests.waiting import eventually
from tests.worker_host import WorkerHost
from worker.mailbox import Care

TLS_HANDSHAKE = b"\x16"  # the first byte of every TLS connection


@dataclass(frozen=True)
class Secured:
    """A Redis over TLS, its authority, and the files of a client that fits."""

    port: int
    authority: Authority
    files: BrokerFiles

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0"

    @property
    def named(self) -> list[tuple[str, str]]:
        """Give the client's files by what the settings call them after `broker_`."""
        return [("ca", self.files.ca), ("cert", self.files.cert), ("key", self.files.key)]

    def publisher(self, files: BrokerFiles, url: str = "") -> Publisher:
        return Publisher(connection_url(url or self.url, files))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let kombu try again at once, and not give a silent port 8 s each time."""
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)
    monkeypatch.setitem(OPTIONS, "socket_timeout", 0.5)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority.make(folder / "ca")
    server = authority.sign("broker", "IP:127.0.0.1")
    with tls_redis(folder / "redis", server) as port:
        yield Secured(port, authority, authority.sign("web1"))


def test_letters_travel_over_tls_with_certificates_on_both_sides(secured: Secured) -> None:
    wire = secured.publisher(secured.files)
    wire.publish(host_queue("web1"), DELIVER_TASK, b"x")
    assert wire.waiting_in([host_queue("web1"), REPORTS_QUEUE]) == [1, 0]
    wire.close()


def test_courier_takes_and_sends_over_tls(secured: Secured, tmp_path: Path) -> None:
    """Celery's own connection and the sender's both show the certificate of courier.yaml."""
    host = WorkerHost(tmp_path, secured.url, "courier1")
    with host.config.courier_config.open("a") as config:
        config.write("".join(f"broker_{name}: {file}\n" for name, file in secured.named))
    wire = secured.publisher(secured.files)
    url = connection_url(secured.url, secured.files)
    with running(host, "courier") as courier, QueueReader(url, REPORTS_QUEUE) as reports:
        wire.publish(host_queue("courier1"), DELIVER_TASK, b"an order")
        eventually(lambda: [path.read_bytes() for path in host.inbox.letters()] == [b"an order"])
        host.outbox.put(b"a report", Care.ONCE)
        assert eventually(reports.take) == [(RECORD_TASK, b"a report")]
        assert "Traceback" not in courier.log.read_text()
    wire.close()


def test_courier_names_what_does_not_fit_and_stays(
    secured: Secured, stranger: BrokerFiles, tmp_path: Path
) -> None:
    """A wrong certificate is a line in its log, not a traceback, and it goes on trying."""
    host = WorkerHost(tmp_path, secured.url, "courier2")
    with host.config.courier_config.open("a") as config:
        config.write(f"broker_ca: {stranger.ca}\n")
    with running(host, "courier") as courier:
        courier.await_log("not of the CA in broker_ca", within=30)
        assert "Traceback" not in courier.log.read_text()
        assert courier.popen.poll() is None


def test_home_s_files_reach_the_wire_and_the_administrator(
    secured: Secured, tmp_path: Path
) -> None:
    """broker_ca, broker_cert and broker_key of denrei.yaml serve both connections."""
    folder = tmp_path / "home"
    Home.create(folder, secured.url, "alice")
    config = folder / "denrei.yaml"
    lines = [f"broker_{name}: {file}\n" for name, file in secured.named]
    config.write_text(f"{config.read_text()}broker_admin: {secured.url}\n{''.join(lines)}")
    home = Home.open(folder)
    wire = Publisher(home.wire)
    assert wire.waiting(REPORTS_QUEUE) == 0
    wire.close()
    with RedisUsers(home.admin_wire) as users:
        assert "default" in users.names()


def test_rediss_never_sends_its_password_in_the_clear() -> None:
    """Whoever poses as the broker gets the greeting of TLS, and no password."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            for _ in range(3):  # kombu asks twice, then we listen for the broker's reason
                client, _address = server.accept()
                heard.append(client.recv(4096))
                client.close()

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        wire = Publisher(f"rediss://host.web1:SECRET@127.0.0.1:{server.getsockname()[1]}/0")
        with pytest.raises(BrokerError):
            wire.waiting(REPORTS_QUEUE)
        wire.close()
        listener.join(10)
    assert [data[:1] for data in heard] == [TLS_HANDSHAKE] * 3
    assert not any(b"SECRET" in data for data in heard)


def test_rediss_without_files_trusts_the_system_s_authorities_only(secured: Secured) -> None:
    """A bare rediss:// says what it misses."""
    wire = Publisher(secured.url)
    with pytest.raises(BrokerError, match="not of the CA in broker_ca"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> BrokerFiles:
    """Files of another authority."""
    return Authority.make(tmp_path_factory.mktemp("other") / "ca").sign("web1")


def test_broker_of_another_authority_is_not_believed(
    secured: Secured, stranger: BrokerFiles
) -> None:
    wire = secured.publisher(replace(secured.files, ca=stranger.ca))
    with pytest.raises(BrokerError, match="not of the CA in broker_ca"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_broker_under_another_name_is_not_believed(secured: Secured) -> None:
    """A good certificate of somebody else's is not the broker's."""
    wire = secured.publisher(secured.files, f"rediss://localhost:{secured.port}/0")
    with pytest.raises(BrokerError, match="for another name than the URL's"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_client_without_certificate_is_told_what_to_set(secured: Secured) -> None:
    wire = secured.publisher(BrokerFiles(ca=secured.authority.ca))
    with pytest.raises(BrokerError, match="set broker_cert and broker_key"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_client_of_another_authority_is_told_so(secured: Secured, stranger: BrokerFiles) -> None:
    wire = secured.publisher(replace(stranger, ca=secured.authority.ca))
    with pytest.raises(BrokerError, match="does not know the CA of the certificate in broker_cert"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_expired_client_certificate_is_named(secured: Secured) -> None:
    wire = secured.publisher(secured.authority.sign("expired", days=0))
    with pytest.raises(BrokerError, match="the certificate in broker_cert has expired"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_key_of_another_certificate_is_named(secured: Secured) -> None:
    other = secured.authority.sign("web2")
    wire = secured.publisher(replace(secured.files, key=other.key))
    with pytest.raises(BrokerError, match="broker_key is not the key of"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_missing_file_is_named(secured: Secured) -> None:
    wire = secured.publisher(replace(secured.files, ca="/nowhere/ca.pem"))
    with pytest.raises(BrokerError, match=r"(?s)/nowhere/ca.pem|No such file"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_broker_without_tls_is_named(clean_redis: EmbeddedRedis) -> None:
    wire = Publisher(clean_redis.url.replace("redis://", "rediss://"))
    with pytest.raises(BrokerError, match="is it the right port, one that speaks TLS"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()


def test_expired_broker_is_named(secured: Secured, tmp_path: Path) -> None:
    expired = secured.authority.sign("old", "IP:127.0.0.1", days=0)
    with tls_redis(tmp_path / "redis", expired) as port:
        wire = secured.publisher(secured.files, f"rediss://127.0.0.1:{port}/0")
        with pytest.raises(BrokerError, match="the broker's certificate has expired"):
            wire.waiting(REPORTS_QUEUE)
        wire.close()


def test_plain_url_gets_no_words_of_tls() -> None:
    assert connection_url("redis://h/0", NO_FILES) == "redis://h/0"
