"""The side that obeys: courier and executor on a host. Never imports the orchestrator."""

from importlib.metadata import PackageNotFoundError, version


def worker_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("denrei")
    except PackageNotFoundError:
        return "unknown"
