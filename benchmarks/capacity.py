"""What a Redis and a store hold of each host: a connection, a user, letters that wait."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import redis

from benchmarks.bench import Bench
from benchmarks.cost import own_cpu_ms
from benchmarks.figure import Figure, Found, figure
from benchmarks.resp import command
from benchmarks.simulated.house import House
from contract.names import DELIVER_TASK, host_queue
from contract.post import Post
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.broker.acl import digest_of, host_user
from orchestrator.library import Library
from orchestrator.submission import Submission, submit

HOSTS = 500
_SETTLE_S = 5.0
_WAITS, _WAIT_S = 20, 0.2  # how often each connection asks, and for how long it waits
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
        yield from _connections(server, client, names)
        yield from _letters(bench, server.url, client)


def _make_user(client: redis.Redis, name: str) -> None:
    user = host_user(name, digest_of(os.urandom(16).hex())).fit_for((7, 0))
    client.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", user.name, *user.words
    )


def _connections(
    server: EmbeddedRedis, client: redis.Redis, names: Sequence[str]
) -> Iterator[Found]:
    """Yield what connections take that wait, at first and later, and what asking again costs."""
    with ExitStack() as stack:
        with _held(client) as later:
            with _held(client) as first:
                waiting = [stack.enter_context(_connected(server.port)) for _ in names]
                _ask(waiting, names, 0)
            time.sleep(_SETTLE_S)  # Redis gives back what it took for a new connection
        how = "a connection that waits in BRPOP, of a server's memory"
        yield _kib("redis_kib_per_new_connection", first, f"{how}, at once")
        yield _kib("redis_kib_per_connection", later, f"{how}, {_SETTLE_S:.0f} s later")
    with ExitStack() as stack:
        waiting = [stack.enter_context(_connected(server.port)) for _ in names]
        before = own_cpu_ms([server.pid or os.getpid()])
        for _ in range(_WAITS):
            _ask(waiting, names, _WAIT_S)
            for each in waiting:
                each.recv(64)
        spent = own_cpu_ms([server.pid or os.getpid()]) - before
    how = "a BRPOP that brings nothing, Redis' own CPU time"
    yield figure("redis_us_per_wait", "us", [spent * 1000 / _WAITS / len(names)], how)


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


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port))


def _ask(connections: Sequence[socket.socket], names: Sequence[str], within_s: float) -> None:
    """Wait on each connection for a letter in a queue that gets none."""
    for connection, name in zip(connections, names, strict=True):
        connection.sendall(command("BRPOP", host_queue(name), f"{within_s:g}"))


def _kib(name: str, cost: list[float], how: str) -> Figure:
    return figure(name, "KiB", [each / _KIB for each in cost], how)
