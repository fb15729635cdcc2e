"""The command line of the orchestrator: one file per noun."""

import gc
import sys

_THRESHOLD = 200_000  # new objects before a collection: imports make many, and hardly any garbage


def main() -> None:
    """Run `denrei`: the console script."""
    gc.set_threshold(_THRESHOLD)
    from orchestrator.cli.failure import run_guarded
    from orchestrator.cli.program import program

    code = run_guarded(program, sys.argv[1:])
    gc.freeze()  # else Python looks for garbage in all that was imported before it ends
    sys.exit(code)
