"""The recorder: signed reports out of Redis, verified, into the store."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack

import redis
from sqlalchemy import Engine, create_engine, func, select

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Found, NotMeasuredError, figure
from benchmarks.real_fleet import RUNBOOK
from benchmarks.simulated.host import SimulatedHost
from benchmarks.simulated.house import House
from benchmarks.simulated.message import travelling
from contract.loader import load_runbook
from contract.names import REPORTS_QUEUE
from lab.postgresql import PostgresqlError, Programs, postgresql
from lab.redis import EmbeddedRedis
from orchestrator.store.record import Kind
from orchestrator.store.schema import envelopes
from orchestrator.store.store import Store
from orchestrator.submission import Submission, submit
from worker.policy_file import read_policy, shipped_policy

_WITHIN_S = 120.0
_LOOK_S = 0.02
_ASIDE = "bench.prepared"
_HOW = "signed reports of three steps, one a host: out of Redis, verified, stored, acknowledged"


def measure_sqlite(bench: Bench) -> Iterator[Found]:
    """Yield the rate into SQLite, as the product sets it up."""
    yield from _measured(bench, "sqlite", "")


def measure_postgresql(bench: Bench) -> Iterator[Found]:
    """Yield the rate into a PostgreSQL server on this machine."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql(Programs.find()))
        except PostgresqlError as error:
            raise NotMeasuredError(str(error)) from None
        yield from _measured(bench, "postgresql", url)


def _measured(bench: Bench, name: str, store_url: str) -> Iterator[Figure]:
    count = bench.choose(3000, 5000)
    with ExitStack() as stack:
        server = stack.enter_context(EmbeddedRedis(bench.directory / "redis"))
        client = stack.enter_context(redis.Redis.from_url(server.url))
        house = House.build(bench.directory / "home", server.url, count, store_url)
        store = stack.enter_context(house.home.open_store())
        service = house.denrei.start(bench.directory / "log", "server", "--only", "recorder")
        stack.callback(service.stop)
        engine = create_engine(house.home.store_url)
        stack.callback(engine.dispose)
        rates, size = [], _size(engine)
        for number in range(1 + bench.choose(2, 3)):
            _prepare(house, store, client, number)
            bench.say(f"{count:,} signed reports are prepared")
            rates.append(count / _taken(engine, client, count))
        grown = (_size(engine) - size) / count / len(rates) / 1024
        del rates[0]  # its verifier has started only meanwhile
    yield figure(f"recorder_per_s_{name}", "/s", rates, _HOW)
    how = "growth of the database for an order of three steps, its report and the answer to that"
    yield figure(f"recorded_kib_{name}", "KiB", [grown], how)


def _prepare(house: House, store: Store, client: redis.Redis, number: int) -> None:
    """Make an order and a report for every host, and put the reports aside in Redis."""
    submission = Submission(
        runbook=load_runbook(RUNBOOK.read_bytes(), RUNBOOK.name),
        source=RUNBOOK.name,
        hosts=store.hosts.targets(),
        operator=house.home.operator,
        params={"number": number},
    )
    run = submit(submission, house.home.operator_key(), store)
    orders = store.envelopes.list(run_id=run.run_id, kinds=[Kind.ORDER], limit=len(house.hosts))
    letters = {order.host: order.data for order in orders}
    policy = read_policy(shipped_policy("permissive").encode(), "permissive.yaml")
    for identity in house.hosts:
        host = SimulatedHost(identity, policy)
        ((task, report),) = host.take(letters[host.name])
        client.lpush(_ASIDE, json.dumps(travelling(task, report.decode(), REPORTS_QUEUE)))


def _taken(engine: Engine, client: redis.Redis, count: int) -> float:
    """Let the recorder have the reports; return the seconds until all of them are stored."""
    deadline = time.monotonic() + _WITHIN_S
    first, stored = _newest(engine), 0
    client.rename(_ASIDE, REPORTS_QUEUE)
    begun = time.perf_counter()
    while (
        client.llen(REPORTS_QUEUE)
        or _newest(engine) < first + count
        or (stored := _stored(engine, first)) < count
    ):
        if time.monotonic() >= deadline:
            raise NotMeasuredError(f"after {_WITHIN_S:.0f} s {stored:,} reports are stored")
        time.sleep(_LOOK_S)
    return time.perf_counter() - begun


def _newest(engine: Engine) -> int:
    """Return the number of the newest letter: a look that costs the database next to nothing.

    To count reports reads the whole table, on a core that the recorder would use.
    """
    with engine.connect() as connection:
        return int(connection.execute(select(func.max(envelopes.c.seq))).scalar_one() or 0)


def _stored(engine: Engine, after: int) -> int:
    query = select(func.count()).where(envelopes.c.kind == Kind.REPORT, envelopes.c.seq > after)
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def _size(engine: Engine) -> int:
    """Return the bytes of the whole database, indices included."""
    query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    if engine.dialect.name == "postgresql":
        query = "SELECT pg_database_size(current_database())"
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())
