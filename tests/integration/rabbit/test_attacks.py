"""Host A against host B, on a real RabbitMQ: B's queue, the reports and everybody's exchanges."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import amqp
import pytest

from contract.essence import content_of
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from lab.rabbit import EmbeddedRabbit
from tests.integration.rabbit.guarded import Guarded
from tests.rabbit_server import emptied

OWN = "from.host.web1"  # web1's own exchange
HEADERS = {"CC": ["host.web2", "enrolments"], "BCC": ["host.web2", "enrolments"]}
QUEUES = ("host.web1", "host.web2", "reports", "enrolments")


@pytest.fixture(scope="module")
def guarded(
    tmp_path_factory: pytest.TempPathFactory, rabbit_server: EmbeddedRabbit
) -> Iterator[Guarded]:
    """One home for all attacks: whatever they try, it must stay as it is."""
    folder = tmp_path_factory.mktemp("attacks") / "home"
    with emptied(rabbit_server) as server, Guarded.build(folder, server) as made:
        yield made
        assert made.apply() == []


@pytest.fixture(scope="module")
def server(guarded: Guarded) -> Iterator[Publisher]:
    wire = guarded.publisher("server", "secret of the server")
    yield wire
    wire.close()


def forged() -> amqp.Message:
    return amqp.Message(content_of("forged"), type=DELIVER_TASK, application_headers=HEADERS)


def send(channel: Any, exchange: str, key: str, message: amqp.Message | None = None) -> None:
    channel.basic_publish(message or forged(), exchange=exchange, routing_key=key)


ATTACKS: Sequence[tuple[str, Callable[[Any], object]]] = (
    ("take another's order", lambda it: it.basic_get("host.web2")),
    ("consume another's queue", lambda it: it.basic_consume("host.web2")),
    ("order another host", lambda it: send(it, "", "host.web2")),
    ("order itself past its exchange", lambda it: send(it, "", "host.web1")),
    ("speak for another host", lambda it: send(it, "from.host.web2", "reports")),
    ("speak to another host by its exchange", lambda it: send(it, "from.host.web2", "host.web2")),
    ("publish to a built-in exchange", lambda it: send(it, "amq.topic", "host.web2")),
    ("delete another's orders", lambda it: it.queue_purge("host.web2")),
    ("delete another's queue", lambda it: it.queue_delete("host.web2")),
    ("delete its own queue", lambda it: it.queue_delete("host.web1")),
    ("bind another's queue", lambda it: it.queue_bind("host.web2", OWN, "x")),
    ("bind the enrolments", lambda it: it.queue_bind("enrolments", OWN, "x")),
    ("bind its own queue to another's", lambda it: it.queue_bind("host.web1", "from.host.web2")),
    ("bind its own queue to all", lambda it: it.queue_bind("host.web1", "amq.fanout")),
    ("unbind another's", lambda it: it.queue_unbind("reports", "from.host.web2", "reports")),
    ("bind an exchange to another's", lambda it: it.exchange_bind("from.host.web2", OWN, "x")),
    ("listen to another's exchange", lambda it: it.exchange_bind(OWN, "from.host.web2", "reports")),
    ("delete another's exchange", lambda it: it.exchange_delete("from.host.web2")),
    ("delete its own exchange", lambda it: it.exchange_delete(OWN)),
    ("make an exchange", lambda it: it.exchange_declare("mine", "fanout")),
    ("make its exchange a fanout", lambda it: it.exchange_declare(OWN, "fanout", durable=True)),
    ("make a queue", lambda it: it.queue_declare("mine")),
    ("make a queue without a name", lambda it: it.queue_declare("", exclusive=True)),
    ("make its own queue anew", lambda it: it.queue_declare("host.web1", durable=True)),
    ("make the queue of a host to come", lambda it: it.queue_declare("host.web3")),
    ("take a report", lambda it: it.basic_get("reports")),
    ("consume the reports", lambda it: it.basic_consume("reports")),
    ("empty the reports", lambda it: it.queue_purge("reports")),
    ("delete the reports", lambda it: it.queue_delete("reports")),
    ("take an enrolment", lambda it: it.basic_get("enrolments")),
    ("answer an enrolment", lambda it: send(it, "", "enrolment.one")),
    ("watch the server's log", lambda it: it.queue_bind("host.web1", "amq.rabbitmq.log", "#")),
    ("trace all letters", lambda it: it.queue_bind("host.web1", "amq.rabbitmq.trace", "#")),
    ("come as another", lambda it: send(it, OWN, "reports", amqp.Message("x", user_id="server"))),
)


@pytest.mark.parametrize(("attack", "act"), ATTACKS, ids=[name for name, _ in ATTACKS])
def test_host_can_t(
    guarded: Guarded, server: Publisher, attack: str, act: Callable[[Any], object]
) -> None:
    """RabbitMQ refuses host A what is host B's, the server's or everybody's; letters stay."""
    before = lying(guarded, server)
    with (
        guarded.speaker("host.web1", "secret of web1") as host,
        pytest.raises((amqp.AccessRefused, amqp.PreconditionFailed)),
    ):
        act(host)
    assert lying(guarded, server) == before


def lying(guarded: Guarded, server: Publisher) -> list[int]:
    """Return how many letters lie in each queue, where one lies for web2 and one in `reports`."""
    depths = server.waiting_in(QUEUES)
    if not depths[1]:
        server.publish(host_queue("web2"), DELIVER_TASK, b"for web2")
    if not depths[2]:
        server.publish(REPORTS_QUEUE, RECORD_TASK, b"from web2")
    return server.waiting_in(QUEUES)


def test_host_s_own_exchange_leads_nowhere_else(guarded: Guarded, server: Publisher) -> None:
    """A routing key, or a CC or BCC header, of another's queue reaches nobody.

    Under a topic exchange's rules the header would: RabbitMQ 3.10 holds them to the key alone.
    """
    before = lying(guarded, server)
    with guarded.speaker("host.web1", "secret of web1") as host:
        for key in ("host.web2", "enrolments", "enrolment.one", "#", ""):
            send(host, OWN, key)
        send(host, OWN, "reports")
    after = server.waiting_in(QUEUES)
    assert [now - then for now, then in zip(after, before, strict=True)] == [0, 0, 1, 0]


def test_host_learns_of_another_s_queue_no_more_than_its_depth(
    guarded: Guarded, server: Publisher
) -> None:
    """RabbitMQ asks no right of whoever only counts: that much can't be kept from a host."""
    depth = lying(guarded, server)[1]
    host = guarded.publisher("host.web1", "secret of web1")
    assert host.waiting(host_queue("web2")) == depth
    host.close()


def test_server_s_own_user_reaches_nothing_but_denrei_s_queues(guarded: Guarded) -> None:
    for act in (
        lambda it: it.queue_declare("anything"),
        lambda it: it.basic_get("host.web1"),
        lambda it: it.exchange_declare("anything", "fanout"),
        lambda it: send(it, OWN, "reports"),
        lambda it: it.queue_bind("reports", "amq.fanout"),
    ):
        with (
            guarded.speaker("server", "secret of the server") as it,
            pytest.raises(amqp.AccessRefused),
        ):
            act(it)


@pytest.mark.parametrize(
    ("name", "word"), [("guest", "x"), ("host.web1", "secret of web2"), ("host.web9", "x")]
)
def test_wrong_passwords_stay_outside(guarded: Guarded, name: str, word: str) -> None:
    with pytest.raises(amqp.AccessRefused), guarded.speaker(name, word):
        pass


def test_administrator_can_neither_read_nor_write_letters(guarded: Guarded) -> None:
    """As the how-to makes it; it could give itself more, as every administrator can."""
    for act in (
        lambda it: it.basic_get("reports"),
        lambda it: send(it, "", "host.web1"),
        lambda it: it.queue_delete("reports"),
    ):
        with (
            guarded.speaker("admin", "secret of the admin") as it,
            pytest.raises(amqp.AccessRefused),
        ):
            act(it)
