"""Whether a container does its work, asked of what is there: `python -I -m lab.health host|server`.

Asked every few seconds, so each answer imports as little as it can.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lab import process

REDIS_PORT = 6379
STEADY_S = 3.0
_CONNECTIONS = 2  # the courier reads on one and writes on the other
_ESTABLISHED = "01"  # the state in /proc/net/tcp


def host_trouble() -> list[str]:
    """Tell what keeps a host from taking orders."""
    config = os.environ["DENREI_WORKER_CONFIG"]
    trouble = [
        f"no {part} has been running for {STEADY_S:g} s"
        for part in ("courier", "executor")
        if not any(map(_is_steady, process.with_argument(f"--config {config} {part}")))
    ]
    if (found := _connections(REDIS_PORT)) < _CONNECTIONS:
        trouble.append(f"{found} connections to the broker instead of {_CONNECTIONS}")
    return trouble


def server_trouble() -> list[str]:
    """Tell what keeps the server from sending, recording, admitting and firing schedules."""
    from contract.error import DenreiError
    from contract.instant import now_ms
    from orchestrator import health
    from orchestrator.cli.session import open_store
    from orchestrator.store.record import ServiceName

    try:
        with open_store() as store:
            trouble = health.server_trouble(store, now_ms())
            for name in (ServiceName.REGISTRAR, ServiceName.BEAT):
                trouble += health.service_trouble(store, name)
    except DenreiError as error:
        return [str(error)]
    return trouble


ROLES: Mapping[str, Callable[[], list[str]]] = {"host": host_trouble, "server": server_trouble}


def _is_steady(pid: int) -> bool:
    """Tell whether a process lives for longer than one that dies and is started again."""
    started = process.started_at(pid)
    return started is not None and time.time() - started >= STEADY_S


def _connections(port: int) -> int:
    """Count the established connections to a port, of every process in this network."""
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]
    ]
    remote, state = 2, 3
    return sum(
        row[state] == _ESTABLISHED and int(row[remote].rpartition(":")[2], 16) == port
        for row in rows
    )


def main(role: str) -> int:
    """Say what is wrong, if anything; return the exit code."""
    trouble = ROLES[role]()
    sys.stdout.write("\n".join(trouble or ["well"]) + "\n")
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
