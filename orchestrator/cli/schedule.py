"""`denrei schedule`: what runs by the clock."""

import click

from orchestrator.cli.lazy import Group
from orchestrator.cli.output import Format, output_option


@click.group("schedule", cls=Group)
def command() -> None:
    """List what runs by the clock."""


@command.command("list")
@output_option
def list_(format_: Format) -> None:
    """List the schedules: when each is due next, and what became of the last time."""
    from orchestrator.cli import schedule_view
    from orchestrator.cli.session import open_home
    from orchestrator.schedule import load_schedules

    home = open_home()
    schedules = load_schedules(home.schedules)
    with home.open_store() as store:
        latest = store.firings.latest()
        said = schedule_view.beat_trouble(store) if schedules else ""
    schedule_view.show(schedules, latest, format_)
    if said:
        click.echo(said, err=True)
