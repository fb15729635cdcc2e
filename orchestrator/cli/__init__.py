"""The command line of the orchestrator: one file per noun."""

import sys


def main() -> None:
    """Run `denrei`: the console script."""
    from orchestrator.cli.failure import run_guarded
    from orchestrator.cli.program import program

    sys.exit(run_guarded(program, sys.argv[1:]))
