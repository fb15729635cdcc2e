"""Whether the server is there and well, in sentences for people."""

from contract.instant import now_ms
from orchestrator.store.record import Service, ServiceName
from orchestrator.store.store import Store

SILENT_MS = 10_000  # without a sign of life for so long a service counts as gone

_NEEDED = (ServiceName.DISPATCHER, ServiceName.RECORDER)


def server_trouble(store: Store, now: int) -> list[str]:
    """Return what keeps runs from going out and reports from coming in; empty if nothing does."""
    alive = {s.name: s for s in store.services.all() if is_alive(s, now)}
    missing = [name for name in _NEEDED if name not in alive]
    if len(missing) == len(_NEEDED):
        return ["no server is running; start it with `denrei server`"]
    trouble = [f"the {name} is not running; start it with `denrei server`" for name in missing]
    hindered = {alive[name].detail: name for name in reversed(_NEEDED) if name in alive}
    return trouble + [f"the {name} is hindered: {why}" for why, name in hindered.items() if why]


def service_trouble(store: Store, name: ServiceName) -> list[str]:
    """Return what hinders one service; empty if nothing does."""
    service = store.services.get(name)
    if service is None or not is_alive(service, now_ms()):
        return [f"the {name} is not running; start it with `denrei server`"]
    return [f"the {name} is hindered: {service.detail}"] if service.detail else []


def is_alive(service: Service, now: int) -> bool:
    """Tell whether a service has given a sign of life lately."""
    return now - service.beat_at < SILENT_MS
