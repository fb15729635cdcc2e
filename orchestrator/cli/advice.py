"""What a person who waits should know: whether the server is there, and until when orders wait."""

from contract.instant import now_ms
from orchestrator.cli.moment import clock
from orchestrator.health import is_alive, server_trouble
from orchestrator.store.record import ServiceName
from orchestrator.store.store import Store


def hindrance(store: Store) -> str:
    """Return what hinders letters on their way; or nothing."""
    return "; ".join(server_trouble(store, now_ms()))


def advice(store: Store, expires_at: int) -> str:
    """Return what hinders orders, and until when they wait; or nothing."""
    said = hindrance(store)
    return f"{said}; orders wait until {clock(expires_at)}" if said else ""


def can_end(store: Store) -> bool:
    """Tell whether a dispatcher is alive, which alone ends what nobody answers."""
    dispatcher = store.services.get(ServiceName.DISPATCHER)
    return dispatcher is not None and is_alive(dispatcher, now_ms())
