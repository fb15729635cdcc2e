"""What a Redis and a store hold of each host: a connection, a user, letters that wait."""

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import redis

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Found, figure
from benchmarks.simulated.house import House
from contract.names import DELIVER_TASK, host_queue
from contract.post import Post
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.broker.acl import acl_user
from orchestrator.broker.user import HOSTS as HOST_USERS
from orchestrator.broker.user import BrokerUser
from orchestrator.library import Library
from orchestrator.submission import Submission, submit

HOSTS = 500
_KIB = 1024


def measure(bench: Bench) -> Iterator[Found]:
    """Yield what one more of each costs a Redis with append-only file, as the product wants it."""
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedRedis(bench.directory / "redis"))
        client = stack.enter_context(redis.Redis.from_url(server.url))
        names = [f"web{number}" for number in range(HOSTS)]
        with _held(client) as cost:
            begun = time.perf_counter()
            for name in names:
                _make_user(client, name)
            seconds = time.perf_counter() - begun
        how = "a host's user with the rules of the product, of a server's memory"
        yield _kib("redis_kib_per_user", cost, how)
        how = "the same users made one after another, as `ACL SETUSER`"
        yield figure("redis_users_per_s", "/s", [HOSTS / seconds], how)
        with _held(client) as cost:
            waiting = [stack.enter_context(_waiting(server.port, name)) for name in names]
        how = "a connection that waits in BRPOP, of a server's memory"
        yield _kib("redis_kib_per_connection", cost, how)
        del waiting
        yield from _letters(bench, server.url, client)


def _make_user(client: redis.Redis, name: str) -> None:
    digest = hashlib.sha256(os.urandom(16)).hexdigest()
    user = acl_user(BrokerUser(HOST_USERS + name, digest)).fit_for((7, 0, 0))
    client.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", user.name, *user.words
    )


def _letters(bench: Bench, url: str, client: redis.Redis) -> Iterator[Found]:
    """Yield what the order of a shipped check takes: in the store, in a queue, in the file."""
    house = House.build(bench.directory / "home", url, HOSTS)
    with house.home.open_store() as store:
        before = _size(house.home.path)
        submission = Submission(
            runbook=Library().find("check").load(),
            source="check",
            hosts=store.hosts.targets(),
            operator=house.home.operator,
        )
        run = submit(submission, house.home.operator_key(), store)
        orders = [each.data for each in store.envelopes.list(run_id=run.run_id, limit=HOSTS)]
    how = "the order of `oms/check` for one host, in an SQLite store with its indices"
    yield figure(
        "store_kib_per_order", "KiB", [(_size(house.home.path) - before) / len(orders) / _KIB], how
    )
    written = client.info("persistence")["aof_current_size"]
    with _held(client) as cost, closing(Publisher(url)) as publisher:
        queues = [host_queue(f"off{number}") for number in range(HOSTS)]
        publisher.send(
            [
                Post(queue, DELIVER_TASK, order.decode())
                for queue, order in zip(queues, orders, strict=True)
            ]
        )
    yield _kib("redis_kib_per_order", cost, "the same order, waiting in a queue of its own")
    written = client.info("persistence")["aof_current_size"] - written
    how = "the same order, in the append-only file"
    yield figure("redis_aof_kib_per_order", "KiB", [written / len(orders) / _KIB], how)


def _size(home: Path) -> int:
    return sum(each.stat().st_size for each in home.glob("store.db*"))


@contextmanager
def _held(client: redis.Redis) -> Iterator[list[float]]:
    """Give a list that holds, at the end, the bytes for each of the hosts."""
    cost: list[float] = []
    before = client.info("memory")["used_memory"]
    yield cost
    cost.append((client.info("memory")["used_memory"] - before) / HOSTS)


@contextmanager
def _waiting(port: int, name: str) -> Iterator[socket.socket]:
    """Wait for a letter in a queue that gets none."""
    queue = host_queue(name).encode()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        asked = b"*3\r\n$5\r\nBRPOP\r\n$%d\r\n%b\r\n$1\r\n0\r\n" % (len(queue), queue)
        connection.sendall(asked)
        yield connection


def _kib(name: str, cost: list[float], how: str) -> Figure:
    return figure(name, "KiB", [each / _KIB for each in cost], how)
