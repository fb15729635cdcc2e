"""What a Redis pays when hosts connect anew: its users, passwords, handshakes, and their memory."""

import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import redis

from benchmarks.bench import Bench
from benchmarks.cost import Footprint, own_cpu_ms
from benchmarks.figure import Found, NotMeasuredError, figure
from benchmarks.resp import command
from benchmarks.tls_redis import NAME, TlsRedis, tls_redis
from contract.names import host_queue
from orchestrator.broker.acl import digest_of, host_user

_USERS = 10_000
_AT_ONCE = 16  # hosts that are in the middle of connecting
_SETTLE_S = 5.0  # Redis gives back what it took for a new connection
_WITHIN_S = 30.0

Connect = Callable[[str, str], socket.socket]


def measure(bench: Bench) -> Iterator[Found]:
    """Yield what ten thousand users cost, and a connection of one of them, without and with TLS."""
    passwords = {f"web{number}": os.urandom(16).hex() for number in range(_USERS)}
    oldest = [host_user(name, digest_of(word)).fit_for((7, 0)) for name, word in passwords.items()]
    lines = "".join(user.line for user in oldest)
    hosts = dict(list(passwords.items())[: bench.choose(500, 5000)])
    with tls_redis(bench.directory / "redis", lines, len(hosts) + 100) as server:
        bench.say(f"{len(hosts):,} hosts connect with TLS, then as many without")
        yield from _storm("redis_tls", server, hosts, partial(_encrypted, server, server.context()))
        yield from _storm("redis", server, hosts, partial(_plain, server))
        how = f"`ACL LOAD` of {_USERS:,} hosts' users"
        yield figure("redis_acl_load_ms_10000", "ms", _reloads(server), how)


def _reloads(server: TlsRedis) -> list[float]:
    found = []
    with redis.Redis(port=server.port) as client:
        for _ in range(3):
            begun = time.perf_counter()
            client.acl_load()
            found.append((time.perf_counter() - begun) * 1000)
    return found


def _storm(name: str, server: TlsRedis, hosts: dict[str, str], connect: Connect) -> Iterator[Found]:
    """Let the hosts connect as fast as one process can, and hold what they opened."""
    how = f"{len(hosts):,} hosts connect at once, each as its user, and wait in BRPOP"
    how += "; TLS 1.3, an ECDSA P-256 key" if name.endswith("tls") else "; no TLS"
    spent, held, begun = own_cpu_ms([server.pid]), _memory(server), time.perf_counter()
    with ExitStack() as stack, ThreadPoolExecutor(_AT_ONCE) as pool:
        for connection in pool.map(connect, hosts, hosts.values()):
            stack.enter_context(connection)
        seconds = time.perf_counter() - begun
        cpu = (own_cpu_ms([server.pid]) - spent) / len(hosts)
        time.sleep(_SETTLE_S)
        kib = (_memory(server) - held) * 1024 / len(hosts)
    yield figure(f"{name}_connections_per_s", "/s", [len(hosts) / seconds], how)
    yield figure(f"{name}_cpu_ms_per_connection", "ms", [cpu], f"{how}; Redis' own CPU time")
    if name.endswith("tls"):  # without it Redis itself counts better: see capacity
        how += "; the growth of its process, OpenSSL's share included"
        yield figure(f"{name}_kib_per_connection", "KiB", [kib], how)


def _memory(server: TlsRedis) -> float:
    return Footprint.of([server.pid]).uss


def _plain(server: TlsRedis, name: str, password: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), _WITHIN_S)
    return _greeted(connection, name, password)


def _encrypted(
    server: TlsRedis, context: ssl.SSLContext, name: str, password: str
) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.tls_port), _WITHIN_S)
    return _greeted(context.wrap_socket(connection, server_hostname=NAME), name, password)


def _greeted(connection: socket.socket, name: str, password: str) -> socket.socket:
    """Say who it is, ask for the first letter, and return the connection once Redis knows it."""
    said = (("AUTH", f"host.{name}", password), ("BRPOP", host_queue(name), "0"))
    connection.sendall(b"".join(command(*words) for words in said))
    if not (answer := connection.recv(64)).startswith(b"+OK"):
        raise NotMeasuredError(f"Redis says {answer!r}")
    return connection
