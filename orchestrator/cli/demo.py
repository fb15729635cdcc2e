"""`denrei demo`: the main job on a broker, a server and hosts of its own."""

import click

from orchestrator.cli.lazy import Command


@click.command("demo", cls=Command)
@click.option("--json", "json_output", is_flag=True, help="Print one JSON object as the last line.")
def command(json_output: bool) -> int:  # noqa: FBT001 - click passes options by name
    """Show the main job in under a minute; nothing is left running."""
    from lab.demo import run

    return run(json_output)
