"""The broker's users on a real RabbitMQ: made, changed, revoked, and told of."""

import json
from collections.abc import Iterator
from pathlib import Path

import amqp
import pytest

from contract.broker import BrokerError
from contract.names import (
    DELIVER_TASK,
    ENROLMENTS_QUEUE,
    RECORD_TASK,
    REPORTS_QUEUE,
    enrolment_queue,
    host_queue,
)
from contract.post import Post
from lab.rabbit import EmbeddedRabbit
from orchestrator.broker.acl import digest_of as digest_of_redis
from orchestrator.broker.password import url_for
from orchestrator.broker.plan import Verb
from orchestrator.cli.exit_code import ExitCode
from orchestrator.home import Home
from tests.guarded_home import Denrei, broker_command
from tests.integration.rabbit.guarded import Guarded
from tests.integration.worker.process import running
from tests.waiting import eventually
from tests.wire_reader import WireReader
from tests.worker_host import WorkerHost


@pytest.fixture
def guarded(tmp_path: Path, rabbit: EmbeddedRabbit) -> Iterator[Guarded]:
    """A home with web1 and web2, whose users were made."""
    with Guarded.build(tmp_path / "home", rabbit) as made:
        yield made


@pytest.fixture
def denrei(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Denrei:
    """Run `denrei broker` on the guarded home."""
    return broker_command(guarded.home, monkeypatch, capsys)


def permission(user: str, vhost: str = "denrei", **rights: str) -> dict[str, str]:
    return {"user": user, "vhost": vhost, "configure": "", "write": "", "read": "", **rights}


def is_thrown_out(channel: amqp.Channel) -> bool:
    """Wait for the broker to end a connection."""
    try:
        channel.connection.drain_events(timeout=10)
    except amqp.ConnectionForced:
        return True
    return False


def test_apply_makes_changes_and_revokes_until_nothing_is_left_to_do(guarded: Guarded) -> None:
    """Users follow the inventory; wider rights, further ways and lost queues are put right."""
    assert guarded.apply() == []
    api, vhost = guarded.api, {"vhost": "denrei", "arguments": {}}
    further = {"source": "from.host.web1", "destination": "enrolments", "routing_key": "x"}
    stray = {"name": "host.stray", "password_hash": "", "tags": []}
    api.post(
        "definitions",
        content={
            "bindings": [{**further, **vhost, "destination_type": "queue"}],
            "users": [stray, {**stray, "name": "grafana"}],
        },
    )
    api.delete("queues", "denrei", "host.web2")
    assert guarded.apply() == [
        (Verb.CHANGE, "host.web1"),
        (Verb.CHANGE, "host.web2"),
        (Verb.REVOKE, "host.stray"),
    ]
    api.post("definitions", content={"permissions": [permission("host.web1", write=".*")]})
    api.delete("users", "host.web2")
    assert guarded.apply() == [(Verb.CHANGE, "host.web1"), (Verb.MAKE, "host.web2")]
    assert guarded.apply() == []
    assert "grafana" in guarded.users().names()
    api.delete("users", "grafana")


def test_users_lost_by_the_broker_come_back_with_their_passwords(guarded: Guarded) -> None:
    """Denrei knows no password, and yet no host needs a new one."""
    for name in ("host.web1", "host.web2", "server"):
        guarded.api.delete("users", name)
    guarded.apply()
    wire = guarded.publisher("host.web1", "secret of web1")
    wire.publish(REPORTS_QUEUE, RECORD_TASK, b"x")
    wire.close()
    assert b"secret of web1" not in (guarded.home.path / "store.db").read_bytes()


def test_host_and_server_do_their_work_with_the_rights_they_have(guarded: Guarded) -> None:
    """Orders, cancels, pings, reports and a host's word to itself all arrive."""
    server = guarded.publisher("server", "secret of the server")
    host = guarded.publisher("host.web1", "secret of web1")
    own = url_for(guarded.server.url, "host.web1", "secret of web1")
    host.publish(host_queue("web1"), DELIVER_TASK, b"to myself")
    server.publish(host_queue("web1"), DELIVER_TASK, b"an order")
    server.send([Post(host_queue("web1"), DELIVER_TASK, "a cancel", overtakes=True)])
    with WireReader(own, host_queue("web1")) as reader:
        assert [reader.take()[1] for _ in range(3)] == ["a cancel", "to myself", "an order"]
    host.publish(REPORTS_QUEUE, RECORD_TASK, b"a report")
    with WireReader(guarded.home.broker, REPORTS_QUEUE) as reader:
        assert reader.take() == (RECORD_TASK, "a report")
    for wire in (server, host):
        wire.close()


def test_letters_that_wait_outlive_a_new_password_and_old_connections_do_not(
    guarded: Guarded,
) -> None:
    server = guarded.publisher("server", "secret of the server")
    server.publish(host_queue("web1"), DELIVER_TASK, b"an order")
    with guarded.speaker("host.web1", "secret of web1") as old:
        with guarded.admin() as admin:
            admin.set_host("web1", "newer secret")
        assert is_thrown_out(old)
    own = url_for(guarded.server.url, "host.web1", "newer secret")
    with WireReader(own, host_queue("web1")) as reader:
        assert reader.take() == (DELIVER_TASK, "an order")
    server.close()


def test_host_gone_from_the_inventory_is_thrown_out_with_its_queue(guarded: Guarded) -> None:
    """Its user, its exchange and its queue go, and the connection that it has open is closed."""
    with guarded.speaker("host.web2", "secret of web2") as old:
        guarded.store.hosts.remove("web2", 1)
        assert guarded.apply() == [(Verb.REVOKE, "host.web2")]
        assert is_thrown_out(old)
    known = guarded.api.get("definitions")
    for kind in ("users", "queues", "exchanges", "bindings", "permissions"):
        assert "web2" not in json.dumps(known[kind])


def test_enrolment_s_user_asks_and_takes_its_own_answer_only(guarded: Guarded) -> None:
    """The holder of a token reaches neither another's answer nor any host's queue."""
    with guarded.admin() as admin:
        admin.set_enrolment("one", "secret of one")
        assert guarded.apply() == []
    holder = guarded.publisher("enrol.one", "secret of one")
    holder.publish(ENROLMENTS_QUEUE, RECORD_TASK, b"request")
    with WireReader(guarded.home.broker, ENROLMENTS_QUEUE) as reader:
        assert reader.take() == (RECORD_TASK, "request")
    server = guarded.publisher("server", "secret of the server")
    server.publish(enrolment_queue("one"), DELIVER_TASK, b"answer")
    own = url_for(guarded.server.url, "enrol.one", "secret of one")
    with WireReader(own, enrolment_queue("one")) as reader:
        assert reader.take() == (DELIVER_TASK, "answer")
    for queue in (REPORTS_QUEUE, host_queue("web1"), enrolment_queue("one")):
        with pytest.raises(BrokerError, match="no way to queue"):
            holder.publish(queue, RECORD_TASK, b"x")
    for queue in (ENROLMENTS_QUEUE, REPORTS_QUEUE, host_queue("web1")):
        with (
            guarded.speaker("enrol.one", "secret of one") as raw,
            pytest.raises(amqp.AccessRefused),
        ):
            raw.basic_get(queue)
    with guarded.admin() as admin:
        admin.remove("enrol.one")
    with pytest.raises(BrokerError, match="ACCESS_REFUSED"):
        holder.publish(ENROLMENTS_QUEUE, RECORD_TASK, b"x")
    for wire in (holder, server):
        wire.close()


@pytest.mark.timeout(120)
def test_courier_whose_user_is_not_made_yet_says_so_and_waits(
    guarded: Guarded, tmp_path: Path
) -> None:
    """It is refused, then let in, without being started again and without a traceback."""
    url = url_for(guarded.server.url, "host.web3", "secret of web3")
    host = WorkerHost(tmp_path / "web3", url, "web3")
    with running(host, "courier") as courier:
        courier.await_log("ACCESS_REFUSED")
        with guarded.admin() as admin:
            admin.set_host("web3", "secret of web3")
        server = guarded.publisher("server", "secret of the server")
        server.publish(host_queue("web3"), DELIVER_TASK, b"an order")
        eventually(lambda: len(host.inbox.letters()) == 1, within=40)
        assert courier.popen.poll() is None
        assert "Traceback" not in courier.log.read_text()
        server.close()


def test_acl_is_what_a_rabbitmq_takes_in(guarded: Guarded, denrei: Denrei) -> None:
    """The definitions make the same users that apply would, and hold no password."""
    code, out, err = denrei("acl")
    assert (code, err) == (ExitCode.OK, "")
    for name in ("host.web1", "host.web2", "server"):
        guarded.api.delete("users", name)
    for name in ("host.web1", "host.web2"):
        guarded.api.delete("queues", "denrei", name)
        guarded.api.delete("exchanges", "denrei", f"from.{name}")
    guarded.api.post("definitions", content=json.loads(out))
    assert denrei("apply") == (ExitCode.OK, "", "nothing to change\n")
    assert "secret" not in out


def test_password_is_shown_once_and_opens_the_host_s_queue(
    guarded: Guarded, denrei: Denrei
) -> None:
    code, url, _ = denrei("password", "web1")
    assert code is ExitCode.OK
    with WireReader(url.strip(), host_queue("web1")):
        assert url.startswith("amqp://host.web1:")


def test_password_of_another_kind_of_broker_counts_for_none(
    guarded: Guarded, denrei: Denrei
) -> None:
    """A home that moved here from Redis is told which hosts need a new password."""
    guarded.store.broker_users.put("host.web1", digest_of_redis("of old"))
    code, out, err = denrei("apply")
    assert (code, out) == (ExitCode.OK, "revoke host.web1\n")
    assert "web1 has no user: denrei broker password web1" in err


def test_check_names_each_thing_that_is_not_as_it_should_be(
    guarded: Guarded, denrei: Denrei
) -> None:
    code, out, _ = denrei("check", "-o", "json")
    findings = {found["what"]: found for found in json.loads(out)["findings"]}
    assert code is ExitCode.ERROR
    assert [name for name, found in findings.items() if not found["good"]] == ["guest"]
    assert findings["virtual host"]["found"] == "denrei"
    assert findings["users"]["found"] == "as they should be"
    guarded.store.hosts.remove("web2", 1)
    assert "not as they should be: host.web2" in denrei("check")[1]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://admin:wrong@127.0.0.1:{port}", "does not know this user"),
        ("http://host.web1:secret of web1@127.0.0.1:{port}", "does not know this user"),
        ("http://admin:x@127.0.0.1:1", "refused"),
    ],
)
def test_administrator_who_is_none_is_told_so(
    guarded: Guarded, denrei: Denrei, url: str, told: str
) -> None:
    config = guarded.home.path / "denrei.yaml"
    lines = [line for line in config.read_text().splitlines() if "broker_admin" not in line]
    named = url.format(port=guarded.server.api_port)
    config.write_text("\n".join([*lines, f'broker_admin: "{named}"\n']))
    code, out, err = denrei("apply")
    assert (code, out) == (ExitCode.ERROR, "")
    assert told in err
    assert "Traceback" not in err


@pytest.mark.parametrize("url", ["redis://h/0", "http://h", "https://h:1/x", "amqp://h/v"])
def test_broker_admin_that_is_no_management_of_rabbitmq_is_refused(
    guarded: Guarded, url: str
) -> None:
    config = guarded.home.path / "denrei.yaml"
    config.write_text(config.read_text().replace("broker_admin: ", f"broker_admin: {url} # "))
    with pytest.raises(Exception, match="must be RabbitMQ's management"):
        Home.open(guarded.home.path)
