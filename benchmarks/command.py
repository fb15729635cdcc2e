"""How long a person waits for the command line."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figure import Figure, Found, figure
from lab.command import Script
from orchestrator.home import Home

# Modules are compiled before they are timed, as an installation leaves them.
_INSTALLED = {"PYTHONDONTWRITEBYTECODE": ""}
HOST_RUNS, HOSTS = 1_000_000, 10_000
_DAY_MS = 24 * 3600 * 1000

# Two runs a day on 10,000 hosts. Their letters are left out: the list does not read them.
_RUNS = """
INSERT INTO runs (run_id, runbook, runbook_sha256, source, params, secrets, operator, via, reason,
                  "check", created_at, expires_at, timeout_ms, people)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :runs)
SELECT printf('01BENCH%019d', i), 'check', lower(hex(randomblob(32))), 'check.yaml', '{}', '[]',
       'bench', 'cli', '', 0, :now - (:runs - i) * :step, :now, 60000, 1 FROM n
"""
_HOST_RUNS = """
INSERT INTO host_runs (run_id, host, epoch, state, order_sha256, expires_at, outcome, reason,
                       publishes, next_publish_at, pause_ms, accepted_at, ended_at, awaits,
                       reported_at)
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :hosts)
SELECT run_id, printf('host-%05d', i), 1, 'succeeded', printf('%s%038d', run_id, i), expires_at,
       'ok', '', 1, created_at, 2000, created_at, created_at + 900, 0, created_at + 900
FROM runs, n
"""


def measure_help(bench: Bench) -> Iterator[Found]:
    """Yield how long the help takes to appear."""
    yield _timed("cli_help_ms", Script("denrei", _INSTALLED), ("--help",), bench.choose(10, 30))


def measure_list(bench: Bench) -> Iterator[Found]:
    """Yield how long the list of runs takes over a store that has seen a lot."""
    home = Home.create(bench.directory / "home", "redis://127.0.0.1:1/0", "bench")
    _fill(home.path / "store.db")
    bench.say("a store with 1,000,000 host runs is filled")
    denrei = Script("denrei", {**_INSTALLED, "DENREI_HOME": str(home.path)})
    assert "01BENCH" in denrei.must("run", "list").out  # noqa: S101 - not an empty list is timed
    yield _timed("run_list_ms_1000000", denrei, ("run", "list"), bench.choose(3, 20))


def _timed(name: str, script: Script, words: tuple[str, ...], repeats: int) -> Figure:
    times = []
    script.must(*words)
    for _ in range(repeats):
        begun = time.perf_counter()
        script.must(*words)
        times.append((time.perf_counter() - begun) * 1000)
    how = f"the command `denrei {' '.join(words)}`, from Enter to its end"
    return figure(name, "ms", times, how)


def _fill(path: Path) -> None:
    runs = HOST_RUNS // HOSTS
    values = {
        "now": time.time_ns() // 1_000_000,
        "runs": runs,
        "hosts": HOSTS,
        "step": _DAY_MS // 2,
    }
    connection = sqlite3.connect(path)
    # For as long as it is filled; the command opens it anew.
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-500000"):
        connection.execute(f"PRAGMA {pragma}")
    with connection:
        connection.execute(_RUNS, values)
        connection.execute(_HOST_RUNS, values)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()
