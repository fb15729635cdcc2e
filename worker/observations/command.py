"""The observation `command`: what a program says that only reads."""

from datetime import timedelta

from contract.duration import parse_duration
from contract.probe import Command
from worker.keeper import Spawn, run
from worker.observations.observation import Fields, ObservationError, looking_at
from worker.root import Root

_GRACE = timedelta(seconds=2)
_BY_SIGNAL = 128  # as shells count


def observe_command(arguments: Command, root: Root) -> Fields:
    """Run the program, and return how it exited and the first 64 KiB of what it said."""
    program = root.locate(arguments.argv[0])
    with looking_at(program):
        try:
            program.stat()
        except (FileNotFoundError, NotADirectoryError):
            return {"exists": False}
    timeout = parse_duration(arguments.timeout)
    ending = run(Spawn(tuple(arguments.argv), root, timeout=timeout, grace=_GRACE))
    if ending.error:
        raise ObservationError(ending.error)
    if ending.timed_out:
        raise ObservationError(f"{program} was still running after {arguments.timeout}")
    code = ending.exit_code if ending.signal is None else _BY_SIGNAL + ending.signal
    return {
        "exists": True,
        "exit_code": code if code is not None else -1,
        "stdout": ending.stdout.head.decode(errors="backslashreplace"),
        "stderr": ending.stderr.head.decode(errors="backslashreplace"),
    }
