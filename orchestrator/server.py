"""The server: keeps the orchestrator's services running, each a process of its own."""

import os
from collections.abc import Sequence

from contract.supervisor import Charge, Supervisor
from orchestrator.heartbeat import SUPERVISOR
from orchestrator.home import Home
from orchestrator.service import check_free
from orchestrator.store.record import ServiceName

_NEVER = 256  # no process exits with it: whatever ends a service, it is started again


def run_server(home: Home, services: Sequence[ServiceName]) -> int:
    """Run services until SIGTERM or SIGINT; return the exit code.

    Raises DenreiError if they can't start: better told here, once, than by each of them again and
    again.
    """
    home.open_store().close()
    home.recorder_key()
    home.beat_key()
    home.registrar_key()
    check_free(services, home)
    # The services end themselves when they see that their parent is not this process any more.
    os.environ[SUPERVISOR] = str(os.getpid())
    charges = [
        Charge(name.value, ["--home", str(home.path), "server", "--only", name.value])
        for name in services
    ]
    return Supervisor(charges, final_code=_NEVER).run()
