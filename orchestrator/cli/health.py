"""What the server's signs of life mean to a person who waits."""

from collections.abc import Iterable

from contract.instant import now_ms
from orchestrator.cli.moment import clock
from orchestrator.store.record import Service, ServiceName

_STALE_MS = 15_000  # a service that lives leaves a sign much more often


def is_serving(services: Iterable[Service]) -> bool:
    """Tell whether a dispatcher is alive, which alone moves and ends host runs."""
    return _alive(services, ServiceName.DISPATCHER) is not None


def advice(services: Iterable[Service], expires_at: int) -> str:
    """Return what hinders orders from being carried out, and until when they wait; or nothing."""
    said = hindrance(services)
    return f"{said} Orders wait until {clock(expires_at)}." if said else ""


def hindrance(services: Iterable[Service]) -> str:
    """Return what hinders letters on their way, in a sentence; or nothing."""
    known = list(services)
    dispatcher = _alive(known, ServiceName.DISPATCHER)
    recorder = _alive(known, ServiceName.RECORDER)
    missing = [
        name
        for name, service in (("dispatcher", dispatcher), ("recorder", recorder))
        if service is None
    ]
    if missing:
        what = "server" if len(missing) > 1 else missing[0]
        return f"No {what} is running; start it with `denrei server`."
    details = [service.detail for service in (dispatcher, recorder) if service and service.detail]
    return f"The server says: {details[0].rstrip('.')}." if details else ""


def _alive(services: Iterable[Service], name: ServiceName) -> Service | None:
    fresh = now_ms() - _STALE_MS
    return next((s for s in services if s.name is name and s.beat_at >= fresh), None)
