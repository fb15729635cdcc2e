"""Courier and executor side by side, for containers and development."""

from contract.supervisor import Charge, Supervisor
from worker.config import Config
from worker.exit_code import EXIT_ASLEEP, EXIT_CONFIG
from worker.mailbox import Mailbox


def run_pair(config: Config) -> int:
    """Run both until told to stop; return the exit code. An executor that sleeps is woken."""
    inbox, option = Mailbox(config.inbox), ("--config", str(config.path))
    executor = Charge(
        "executor", (*option, "executor"), EXIT_ASLEEP, is_wanted=lambda: bool(inbox.letters())
    )
    courier = Charge("courier", (*option, "courier"))
    return Supervisor([executor, courier], final_code=EXIT_CONFIG).run()
