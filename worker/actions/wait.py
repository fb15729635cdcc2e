"""The action `wait`: let time pass, for what settles by itself."""

from contract.action import Wait
from contract.duration import parse_duration, show_duration
from worker.actions.action import ActionResult, Context


def wait(arguments: Wait, context: Context) -> ActionResult:
    """Wait for the duration, or for the step's timeout if that is over before."""
    duration = parse_duration(arguments.duration)
    if duration > context.timeout:
        context.pause(context.timeout.total_seconds())
        waited = f"waited only {show_duration(context.timeout)}: the step's time was over"
        return ActionResult(ok=False, summary=waited)
    context.pause(duration.total_seconds())
    return ActionResult(ok=True, summary=f"waited {show_duration(duration)}")
