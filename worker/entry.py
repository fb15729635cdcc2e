"""The console script denrei-worker.

A service is called by its unit in two ways, and never again needs what reads a command line: it
starts without it, a megabyte smaller. All else, `--help` of a service too, is the command line's.
"""

import sys
from typing import NoReturn

from worker.config import config_path
from worker.role import Role, run_role


def main() -> NoReturn:
    """Run the program."""
    match sys.argv[1:]:
        case [Role.COURIER | Role.EXECUTOR as role]:
            run_role(Role(role), config_path(None))
        case ["--config", file, Role.COURIER | Role.EXECUTOR as role]:
            run_role(Role(role), config_path(file))
    from worker.cli import main as command_line

    sys.exit(command_line())
