"""RabbitMQ over TLS with certificates on both sides, and what is said when one does not fit."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contract.broker import BrokerError, BrokerFiles, connection_url
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from lab.redis import free_port
from orchestrator.broker.rabbit_users import RabbitUsers
from tests.integration.broker.authority import Authority
from tests.integration.worker.process import running
from tests.rabbit_server import rabbit_root
from tests.waiting import eventually
from tests.wire_reader import WireReader
from tests.worker_host import WorkerHost
from worker.mailbox import Care

SETTINGS = """\
listeners.ssl.default = 127.0.0.1:{port}
{options}
management.ssl.ip = 127.0.0.1
management.ssl.port = {api_port}
{management}
"""


@dataclass(frozen=True)
class Secured:
    """A RabbitMQ over TLS, its authority, and the files of a client that fits."""

    port: int
    api_port: int
    authority: Authority
    files: BrokerFiles
    expired: BrokerFiles

    @property
    def url(self) -> str:
        return f"amqps://guest:guest@127.0.0.1:{self.port}/denrei"

    def publisher(self, files: BrokerFiles, url: str = "") -> Publisher:
        return Publisher(connection_url(url or self.url, files))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let kombu try again at once."""
    monkeypatch.setattr("kombu.utils.functional.sleep", lambda _: None)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    authority = Authority.make(tmp_path_factory.mktemp("tls") / "ca")
    server = authority.sign("broker", "IP:127.0.0.1")
    named = {
        "cacertfile": server.ca,
        "certfile": server.cert,
        "keyfile": server.key,
        "verify": "verify_peer",
        "fail_if_no_peer_cert": "true",
    }
    options, management = (
        "\n".join(f"{prefix}.{name} = {value}" for name, value in named.items())
        for prefix in ("ssl_options", "management.ssl")
    )
    expired = authority.sign("expired", days=0)  # over by the time that the server is up
    port, api_port = free_port(), free_port()
    settings = SETTINGS.format(port=port, options=options, api_port=api_port, management=management)
    with EmbeddedRabbit(rabbit_root(), settings):
        yield Secured(port, api_port, authority, authority.sign("web1"), expired)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> BrokerFiles:
    """Files of another authority."""
    return Authority.make(tmp_path_factory.mktemp("other") / "ca").sign("web1")


def test_courier_takes_and_sends_over_tls(secured: Secured, tmp_path: Path) -> None:
    """Celery's own connection and the sender's both show the certificate of courier.yaml."""
    host = WorkerHost(tmp_path, secured.url, "courier1")
    named = {"ca": secured.files.ca, "cert": secured.files.cert, "key": secured.files.key}
    with host.config.courier_config.open("a") as config:
        config.write("".join(f"broker_{name}: {file}\n" for name, file in named.items()))
    wire = secured.publisher(secured.files)
    url = connection_url(secured.url, secured.files)
    wire.publish(host_queue("courier1"), DELIVER_TASK, b"an order")
    with running(host, "courier") as courier, WireReader(url, REPORTS_QUEUE) as reports:
        eventually(lambda: [path.read_bytes() for path in host.inbox.letters()] == [b"an order"])
        host.outbox.put(b"a report", Care.ONCE)
        assert reports.take() == (RECORD_TASK, "a report")
        assert "Traceback" not in courier.log.read_text()
    wire.close()


def test_management_is_asked_over_tls_with_the_same_files(
    secured: Secured, stranger: BrokerFiles
) -> None:
    url = f"https://guest:guest@127.0.0.1:{secured.api_port}"
    with RabbitUsers(url, "denrei", secured.files) as users:
        assert users.names() == ["guest"]
    with (
        RabbitUsers(url, "denrei", replace(secured.files, ca=stranger.ca)) as users,
        pytest.raises(BrokerError, match=r"broker_admin https://guest:\*\*@.*not of the CA"),
    ):
        users.names()


def test_broker_that_proves_nothing_is_not_believed(
    secured: Secured, stranger: BrokerFiles
) -> None:
    """Another authority's, none that the system knows, or a good one for another name."""
    other_name = f"amqps://guest:guest@localhost:{secured.port}/denrei"
    for files, url, told in (
        (replace(secured.files, ca=stranger.ca), "", "not of the CA in broker_ca"),
        (replace(secured.files, ca=""), "", "not of the CA in broker_ca"),
        (secured.files, other_name, "for another name than the URL's"),
    ):
        wire = secured.publisher(files, url)
        with pytest.raises(BrokerError, match=told):
            wire.waiting(REPORTS_QUEUE)
        wire.close()


def test_client_whose_certificate_does_not_fit_is_told_so(
    secured: Secured, stranger: BrokerFiles
) -> None:
    other_key = secured.authority.sign("web2").key
    for files, told in (
        (BrokerFiles(ca=secured.authority.ca), "set broker_cert and broker_key"),
        (replace(stranger, ca=secured.authority.ca), "does not know the CA of the certificate"),
        (secured.expired, "the certificate in broker_cert has expired"),
        (replace(secured.files, key=other_key), "broker_key is not the key of"),
        (replace(secured.files, ca="/nowhere/ca.pem"), "No such file"),
    ):
        wire = secured.publisher(files)
        with pytest.raises(BrokerError, match=told):
            wire.waiting(REPORTS_QUEUE)
        wire.close()


def test_amqps_never_sends_its_password_to_a_broker_without_tls(rabbit: EmbeddedRabbit) -> None:
    wire = Publisher(rabbit.url.replace("amqp://", "amqps://"))
    with pytest.raises(BrokerError, match="speaks no TLS on this port"):
        wire.waiting(REPORTS_QUEUE)
    wire.close()
