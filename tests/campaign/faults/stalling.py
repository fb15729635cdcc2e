"""A consumer like those that stall: what newer kombus do against a dead connection is switched off.

Before 5.7 kombu does not look at the age of its own BRPOP: when its connection dies, it waits for
ever, in silence. `python -m tests.campaign.faults.stalling courier CONFIG` and `… recorder HOME`
are our own processes on such a kombu; with `deaf` in front, without the self-ping as well, which
is the stall itself. `SELF_PING_S`, `SILENCE_S` (of the recorder; a courier has `keepalive`) and
`SOCKET_TIMEOUT_S` in the environment shorten what takes most of a minute.
"""

import os
import sys
from pathlib import Path

from kombu.transport.redis import MultiChannelPoller

from contract import log, redis_transport
from orchestrator import pulse
from orchestrator.home import Home
from orchestrator.service import run_service
from orchestrator.store.record import ServiceName
from worker import courier
from worker.config import load_config

_FOR_EVER = 1e9


def _look_away(_poller: MultiChannelPoller) -> None:
    """Do as a kombu does that knows nothing of the age of its own BRPOP."""


def main(arguments: list[str]) -> None:
    """Be the courier or the recorder."""
    is_deaf = arguments[0] == "deaf"
    role, path = arguments[-2:]
    setattr(MultiChannelPoller, "maybe_check_brpop_health", _look_away)  # noqa: B010  untyped
    if "SOCKET_TIMEOUT_S" in os.environ:
        redis_transport.OPTIONS["socket_timeout"] = float(os.environ["SOCKET_TIMEOUT_S"])
    for name in ("SELF_PING_S", "SILENCE_S"):
        if name in os.environ:
            setattr(pulse, f"_{name}", float(os.environ[name]))
    if is_deaf:
        pulse._SILENCE_S, courier.PATIENCE = _FOR_EVER, _FOR_EVER
    log.configure(process=role)
    if role == "courier":
        courier.run_courier(load_config(Path(path)))
    run_service(ServiceName.RECORDER, Home.open(Path(path)))


if __name__ == "__main__":
    main(sys.argv[1:])
