"""Host A against host B, on a real Redis: B's queue, the reports and everybody's keys."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from contract.broker import BrokerError
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from lab.redis import EmbeddedRedis
from tests.integration.orchestrator.guarded import Guarded


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, keeper: EmbeddedRedis) -> Iterator[Guarded]:
    """One home for all attacks: whatever they try, it must stay as it is."""
    with Guarded.build(tmp_path_factory.mktemp("attacks") / "home", keeper) as made:
        yield made
        assert made.apply() == []


ATTACKS: tuple[tuple[str, Callable[[Any], object]], ...] = (
    ("take another's order", lambda it: it.brpop(["host.web2"], 1)),
    ("count another's orders", lambda it: it.llen("host.web2")),
    ("read another's orders", lambda it: it.lrange("host.web2", 0, -1)),
    ("order another host", lambda it: it.lpush("host.web2", "x")),
    ("overtake another's orders", lambda it: it.rpush("host.web2", "x")),
    ("delete another's orders", lambda it: it.delete("host.web2")),
    ("move another's orders", lambda it: it.rpoplpush("host.web2", "host.web1")),
    ("copy another's orders", lambda it: it.copy("host.web2", "host.web1")),
    ("take a report", lambda it: it.brpop(["reports"], 1)),
    ("read the reports", lambda it: it.lrange("reports", 0, -1)),
    ("count the reports", lambda it: it.llen("reports")),
    ("delete the reports", lambda it: it.delete("reports")),
    ("replace the reports", lambda it: it.set("reports", "x")),
    ("overtake the reports", lambda it: it.rpush("reports", "x")),
    ("let the reports expire", lambda it: it.expire("reports", 1)),
    ("take an enrolment", lambda it: it.brpop(["enrolments"], 1)),
    ("answer an enrolment", lambda it: it.lpush("enrolment.one", "x")),
    ("list the keys", lambda it: it.keys("*")),
    ("scan the keys", lambda it: it.scan()),
    ("take a random key", lambda it: it.randomkey()),
    ("empty the server", lambda it: it.flushall()),
    ("watch the others", lambda it: it.execute_command("MONITOR")),
    ("load Lua", lambda it: it.eval("return 1", 0)),
    ("read the settings", lambda it: it.config_get("*")),
    ("change the settings", lambda it: it.config_set("dir", "/srv")),
    ("read the users", lambda it: it.acl_list()),
    ("give itself more", lambda it: it.execute_command("ACL", "SETUSER", "host.web1", "~*")),
    ("see the connections", lambda it: it.client_list()),
    ("kill the connections", lambda it: it.execute_command("CLIENT", "KILL", "USER", "server")),
    ("stop the server", lambda it: it.execute_command("SHUTDOWN", "NOSAVE")),
    ("copy the server", lambda it: it.execute_command("SYNC")),
    ("publish", lambda it: it.publish("celery", "x")),
    ("subscribe", lambda it: it.execute_command("SUBSCRIBE", "*")),
    ("keep a key of its own", lambda it: it.set("mine", "x")),
)


@pytest.mark.parametrize(("attack", "act"), ATTACKS, ids=[name for name, _ in ATTACKS])
def test_host_can_t(guarded: Guarded, attack: str, act: Callable[[Any], object]) -> None:
    """Redis refuses host A what is host B's, the server's or everybody's; letters stay as sent."""
    with guarded.speaker("server", "secret of the server") as server:
        server.lpush("host.web2", "for web2")
    with guarded.speaker("host.web1", "secret of web1") as host:
        host.lpush("reports", "from web1")
        with pytest.raises(redis.exceptions.NoPermissionError):
            act(host)
    with guarded.speaker("server", "secret of the server") as server:
        assert server.brpop(["reports"], 1) == ("reports", "from web1")
        assert server.llen("reports") == 0
    with guarded.speaker("host.web2", "secret of web2") as other:
        assert other.brpop(["host.web2"], 1) == ("host.web2", "for web2")
        assert other.llen("host.web2") == 0


def test_host_can_t_reach_another_s_keys_in_another_database(guarded: Guarded) -> None:
    """SELECT is allowed, since a URL may name a database; the keys stay as closed there."""
    with guarded.speaker("host.web1", "secret of web1") as host:
        host.execute_command("SELECT", 1)
        with pytest.raises(redis.exceptions.NoPermissionError):
            host.lpush("host.web2", "x")


def test_server_s_own_user_reaches_nothing_but_denrei_s_lists(guarded: Guarded) -> None:
    wire = guarded.publisher("server", "secret of the server")
    wire.publish(host_queue("web1"), DELIVER_TASK, b"x")
    with pytest.raises(BrokerError, match="No permissions"):
        wire.publish("anything", DELIVER_TASK, b"x")
    wire.close()
    own = guarded.publisher("host.web1", "secret of web1")
    own.publish(REPORTS_QUEUE, RECORD_TASK, b"x")
    own.close()
    with guarded.speaker("server", "secret of the server") as server:
        assert server.brpop([REPORTS_QUEUE], 1)
    with guarded.speaker("host.web1", "secret of web1") as host:
        assert host.brpop([host_queue("web1")], 1)


def test_default_user_and_wrong_passwords_stay_outside(guarded: Guarded) -> None:
    port, once = guarded.server.port, Retry(NoBackoff(), 0)
    for name, word in (("default", ""), ("host.web1", "secret of web2"), ("host.web9", "x")):
        with (
            redis.Redis(port=port, username=name, password=word, retry=once) as nobody,
            pytest.raises(redis.AuthenticationError),
        ):
            nobody.ping()
