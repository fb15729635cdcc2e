"""What each program loads before it does anything: its start and its memory, counted in modules.

A name counts, too, that a library looked for in vain. Where `rich` is installed structlog loads it.
"""

import os
import subprocess
from pathlib import Path

import pytest

from contract.names import DELIVER_TASK, host_queue
from contract.publisher import Publisher
from lab.command import find_script
from lab.redis import EmbeddedRedis
from orchestrator.home import Home
from tests.counts.tally import imported
from tests.integration.worker.process import running
from tests.waiting import eventually
from tests.worker_host import WorkerHost

# The modules of the store that a list of runs needs.
STORE = {
    f"orchestrator.store.{name}"
    for name in (
        "among",
        "database",
        "envelopes",
        "many",
        "migration",
        "record",
        "row",
        "runs",
        "schema",
        "store",
    )
}
TELL = "PYTHONPROFILEIMPORTTIME"
HEAVY = {"celery", "kombu", "redis", "cryptography", "cel_expr_python", "sqlalchemy", "alembic"}
# What `denrei --help` has no use for either: its words are a table.
UNUSED = {"yaml", "msgspec", "rich", "structlog", "json", "asyncio", "socket", "ssl", "tempfile"}


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.fixture
def host(tmp_path: Path, clean_redis: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch) -> WorkerHost:
    """A host whose processes tell in their logs what they import."""
    monkeypatch.setenv(TELL, "1")
    return WorkerHost(tmp_path, clean_redis.url)


def loaded(script: str, *arguments: str) -> set[str]:
    """Return the modules that a console script imports to answer."""
    done = subprocess.run(
        [find_script(script), *arguments],
        env={**os.environ, TELL: "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return imported(done.stderr)


@pytest.mark.parametrize(
    ("script", "bound", "absent"),
    [("denrei", 130, HEAVY | UNUSED), ("denrei-worker", 430, HEAVY)],
    ids=["denrei", "denrei-worker"],
)
def test_help_loads_little(script: str, bound: int, absent: set[str]) -> None:
    """Guards `--help` (122 modules, and 384 of the worker's): nothing that takes long to load."""
    modules = loaded(script, "--help")
    assert 50 < len(modules) <= bound
    assert not packages(modules) & absent


def test_list_of_runs_loads_the_store_of_runs_and_no_more(tmp_path: Path) -> None:
    """Guards `run list`: SQLAlchemy, which is more than half of it, and 333 modules beside it."""
    Home.create(tmp_path / "home", "redis://127.0.0.1:1/0", "alice")
    modules = loaded("denrei", "--home", str(tmp_path / "home"), "run", "list")
    beside = {name for name in modules if not name.startswith("sqlalchemy")}
    assert 200 < len(beside) <= 375
    assert not packages(modules) & (HEAVY - {"sqlalchemy"})
    assert not {name for name in modules if name.startswith("orchestrator.store.")} - STORE
    assert not modules & {"contract.loader", "contract.key", "contract.order", "contract.report"}


def test_courier_loads_no_more_than_celery_needs(
    host: WorkerHost, clean_redis: EmbeddedRedis
) -> None:
    """Guards the courier's footprint: 642 modules by when it has carried its first letter."""
    publisher = Publisher(clean_redis.url)
    with running(host, "courier") as process:
        publisher.publish(host_queue(host.config.name), DELIVER_TASK, b"a letter")
        eventually(host.inbox.letters, what="the letter in the inbox")
        modules = imported(process.log.read_text())
    publisher.close()
    assert 300 < len(modules) <= 710
    assert not packages(modules) & {"cel_expr_python", "sqlalchemy", "alembic", "lab"}
    assert not modules & {"asyncio.base_events", "dateutil.parser._parser", "redis.asyncio.client"}
    assert not {name for name in modules if name.startswith("celery.bin")}


def test_executor_loads_no_broker_and_no_store(host: WorkerHost) -> None:
    """Guards the executor's footprint: 431 modules by when it waits for its first order."""
    with running(host, "executor") as process:
        process.await_log("executor_ready")
        modules = imported(process.log.read_text())
    assert 300 < len(modules) <= 475
    assert not packages(modules) & {"celery", "kombu", "redis", "sqlalchemy", "alembic", "lab"}
    assert "click" not in modules
