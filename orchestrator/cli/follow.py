"""Following a run: look, show, wait, until all is over, time is up, or a person turns away."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.cli.progress import Progress
from orchestrator.store.record import HostRun

_PAUSE_S = 0.2


class Ending(StrEnum):
    """Why following ended."""

    ENDED = "ended"  # every host run is in a terminal state
    TIMED_OUT = "timed_out"  # the caller's patience is over
    STUCK = "stuck"  # orders expired, and no server runs that could say so
    DETACHED = "detached"  # a person pressed Ctrl-C


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a run told."""

    host_runs: Sequence[HostRun]
    advice: str = ""  # what a person should know or do, such as that no server runs
    is_stuck: bool = False


def follow(
    look: Callable[[], Sight],
    progress: Progress,
    timeout_s: float | None,
    wait: Callable[[float], object] = time.sleep,
) -> tuple[Ending, Sequence[HostRun]]:
    """Show a run until it has ended or there is a reason to stop; the run itself goes on."""
    give_up = time.monotonic() + timeout_s if timeout_s is not None else float("inf")
    sight = look()
    with progress:
        try:
            while True:
                progress.update(sight.host_runs, sight.advice)
                if ending := _ending(sight, give_up):
                    return ending, sight.host_runs
                wait(min(_PAUSE_S, max(give_up - time.monotonic(), 0)))
                sight = look()
        except KeyboardInterrupt:
            return Ending.DETACHED, sight.host_runs


def _ending(sight: Sight, give_up: float) -> Ending | None:
    if all(host_run.ended for host_run in sight.host_runs):
        return Ending.ENDED
    if time.monotonic() >= give_up:
        return Ending.TIMED_OUT
    return Ending.STUCK if sight.is_stuck else None
