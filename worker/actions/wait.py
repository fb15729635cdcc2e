"""The action `wait`: let time pass, for what settles by itself."""

from contract.action import Wait
from contract.duration import parse_duration, show_duration
from worker.actions.action import ActionResult, Context


def wait(arguments: Wait, context: Context) -> ActionResult:
    """Wait for the duration, or for the step's timeout if that is over before."""
    duration = parse_duration(arguments.duration)
    waiting = min(duration, context.timeout)
    if not context.pause(waiting.total_seconds()):
        return ActionResult(ok=False, summary="ended because the run was cancelled")
    if waiting < duration:
        waited = f"waited only {show_duration(waiting)}: the step's time was over"
        return ActionResult(ok=False, summary=waited, timed_out=True)
    return ActionResult(ok=True, summary=f"waited {show_duration(duration)}")
