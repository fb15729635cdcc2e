"""`denrei server`: dispatcher, recorder, registrar and, if wanted, beat."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.error import DenreiError
from orchestrator.cli.lazy import Command

if TYPE_CHECKING:
    from orchestrator.home import Home
    from orchestrator.store.record import ServiceName

_SERVICES = ("dispatcher", "recorder", "registrar", "beat")


class ServerError(DenreiError):
    """The server can't be started in this way."""


@click.command("server", cls=Command)
@click.option("--beat", is_flag=True, help="Also fire the schedules of schedules.yaml.")
@click.option(
    "--only",
    type=click.Choice(_SERVICES),
    help="Be this one service, in this process: for units and containers of its own.",
)
def command(beat: bool, only: str | None) -> int:  # noqa: FBT001 - click passes options by name
    """Start dispatcher, recorder and registrar; keep them running until SIGTERM or Ctrl-C."""
    from contract import log
    from orchestrator.cli.session import open_home
    from orchestrator.store.record import ServiceName

    if beat and only:
        raise click.UsageError("--beat adds beat to the others; for beat alone use --only beat")
    home = open_home()
    log.configure()
    if only:
        from orchestrator.service import run_service

        run_service(ServiceName(only), home)
        return 0
    wanted = [name for name in ServiceName if beat or name is not ServiceName.BEAT]
    return _supervise(wanted, home)


def _supervise(services: "list[ServiceName]", home: "Home") -> int:
    from contract.supervisor import console_script
    from orchestrator.server import run_server

    if not Path(console_script()).is_file():
        raise ServerError("start the server by its console script, `denrei server`")
    return run_server(home, services)
