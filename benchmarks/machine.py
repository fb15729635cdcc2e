"""The machine that a result was made on, since figures mean nothing without it."""

import os
import platform
import re
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

from lab.redis import find_redis_server


def describe() -> dict[str, object]:
    """Return what bears on the figures."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "redis": _redis(),
        "sqlite": sqlite3.sqlite_version,
        **{name: version(name) for name in ("celery", "kombu", "SQLAlchemy")},
        "load_at_start": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _redis() -> str:
    command = [str(find_redis_server()), "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"\bv=(\S+)", told)
    return found[1] if found else told.strip()
