"""The dispatcher: finished orders for ten thousand hosts out of the store, into their queues."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import redis

from benchmarks.bench import Bench
from benchmarks.figure import Found, NotMeasuredError, figure
from benchmarks.simulated.house import House
from contract.loader import load_runbook
from lab.redis import EmbeddedRedis
from orchestrator.submission import Submission, submit

HOSTS = 10_000
_WITHIN_S = 120.0
_RUNBOOK = b"""\
name: pass-a-secret
params:
  token: {secret: true}
observe:
  it: {file: {path: /srv/token}}
steps:
  - name: the token is there
    ensure: it.exists
    do: {file.write: {path: /srv/token, content: "${params.token}"}}
"""


def measure(bench: Bench) -> Iterator[Found]:
    """Yield how many orders get signed, sealed and stored in a second, and how many published."""
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedRedis(bench.directory / "redis"))
        house = House.build(bench.directory / "home", server.url, HOSTS)
        service = house.denrei.start(bench.directory / "log", "server", "--only", "dispatcher")
        stack.callback(service.stop)
        bench.say(f"{HOSTS:,} hosts are admitted")
        client = stack.enter_context(redis.Redis.from_url(server.url))
        trials = [_trial(house, client) for _ in range(bench.choose(1, 5))]
    how = (
        "signed, sealed orders to 10,000 hosts: `denrei server --only dispatcher`, store to queues"
    )
    yield figure("dispatch_per_s", "/s", [HOSTS / trial[1] for trial in trials], how)
    how = "the same orders signed, each with a secret sealed to its host, and stored"
    yield figure("submit_per_s", "/s", [HOSTS / trial[0] for trial in trials], how)


def _trial(house: House, client: redis.Redis) -> tuple[float, float]:
    """Return the seconds until all orders were stored, and from then until they were in Redis."""
    client.flushdb()
    with house.home.open_store() as store:
        submission = Submission(
            runbook=load_runbook(_RUNBOOK, "pass-a-secret.yaml"),
            source="pass-a-secret.yaml",
            hosts=store.hosts.targets(),
            operator=house.home.operator,
            secrets={"token": "correct horse battery staple"},
        )
        begun = time.perf_counter()
        submit(submission, house.home.operator_key(), store)
    stored = time.perf_counter()
    deadline = time.monotonic() + _WITHIN_S
    while (published := client.dbsize()) < HOSTS:  # one queue for each host
        if time.monotonic() >= deadline:
            raise NotMeasuredError(f"after {_WITHIN_S:.0f} s {published:,} are published")
        time.sleep(0.005)
    done = time.perf_counter()
    _end_all(house)
    return stored - begun, done - stored


def _end_all(house: House) -> None:
    """End what nobody takes, or the dispatcher would publish it again in the next trial."""
    with closing(sqlite3.connect(house.home.path / "store.db", timeout=30)) as connection:
        connection.execute("UPDATE host_runs SET state = 'succeeded'")
        connection.commit()
