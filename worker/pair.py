"""Courier and executor side by side, for containers and development."""

from contract.supervisor import Supervisor
from worker.config import Config
from worker.exit_code import EXIT_CONFIG


def run_pair(config: Config) -> int:
    """Run both until told to stop; return the exit code."""
    config_option = ("--config", str(config.path))
    commands = [(name, (*config_option, name)) for name in ("executor", "courier")]
    return Supervisor(commands, final_code=EXIT_CONFIG).run()
