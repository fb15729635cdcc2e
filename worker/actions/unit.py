"""The action `unit`: ask systemd to start, stop, restart or reload a unit."""

from contract.action import Command, Unit
from worker.actions.action import ActionResult, Context
from worker.actions.command import run_command
from worker.systemd import systemctl


def control_unit(arguments: Unit, context: Context) -> ActionResult:
    """Run `systemctl`, as a command would be run.

    What it starts is systemd's own child, none of ours: no process control can reach it.
    """
    program = systemctl(context.root)
    argv = [program, "--no-ask-password", arguments.verb, "--", arguments.name]
    return run_command(Command(argv=argv), context)
