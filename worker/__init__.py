"""The side that obeys: courier and executor on a host. Never imports the orchestrator."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def worker_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("denrei")
    except PackageNotFoundError:
        return "unknown"
