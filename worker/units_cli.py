"""denrei-worker units: courier and executor as systemd's services."""

from pathlib import Path

import click

from worker.config import load_config


@click.command()
@click.option("--install", is_flag=True, help="Put them in place, as root; else they are printed.")
@click.option(
    "--network",
    type=click.Choice(["all", "local", "none"]),
    default="all",
    show_default=True,
    help="What the executor and its steps may reach: all, this host alone, or nothing.",
)
@click.pass_obj
def units(path: Path, *, install: bool, network: str) -> None:
    """Print or install the systemd units: the courier as a user of its own."""
    from worker.installation import install as put_in_place
    from worker.units import Network, started_by_hand
    from worker.units import units as made_for

    config = load_config(path)
    made = made_for(config, Network(network))
    if not install:
        click.echo("\n".join(f"# {place}\n{text}" for place, text in made.items()), nl=False)
        return
    put_in_place(config, made)
    for place in made:
        click.echo(f"installed {place}")
    click.echo(f"next: systemctl enable --now {' '.join(started_by_hand(config))}", err=True)
