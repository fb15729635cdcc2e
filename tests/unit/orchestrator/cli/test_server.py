"""`denrei server`: starts its services by the same console script, and stops them all."""

import signal

from orchestrator.store.record import ServiceName
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place
from tests.waiting import eventually


def _alive(place: Place) -> set[ServiceName]:
    with place.store() as store:
        return {service.name for service in store.services.all()}


def test_server_starts_all_services_and_stops_them(place: Place) -> None:
    """Each service leaves its sign of life, even without a broker; SIGTERM ends all of them."""
    process = place.start("server", "--beat")
    try:
        eventually(lambda: _alive(place) == set(ServiceName), within=30.0)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert _alive(place) == set()


def test_server_tells_of_a_broker_that_is_away(place: Place, denrei: Denrei) -> None:
    """What hinders a service reaches whoever submits."""
    process = place.start("server", "--only", "dispatcher")
    try:
        run_id = denrei("submit", "look", "--host", "db1", "--detach").out.strip()
        eventually(lambda: _hindered(place), within=30.0)
        said = denrei("run", "watch", run_id, "--timeout", "10ms")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert said.code == 7
    assert "can't reach the broker" in said.err


def _hindered(place: Place) -> str:
    with place.store() as store:
        dispatcher = store.services.get(ServiceName.DISPATCHER)
    return dispatcher.detail if dispatcher else ""


def test_server_wrong_ways_to_start_are_told(place: Place, denrei: Denrei) -> None:
    """Contradicting options and a missing home end at once."""
    assert denrei("server", "--beat", "--only", "beat").code == 2
    said = denrei("--home", place.folder / "none", "server")
    assert (said.code, said.err.count("\n")) == (1, 1)
