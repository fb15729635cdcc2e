"""`denrei cert`: the fleet's certificates, as its hosts last saw them."""

from typing import TYPE_CHECKING

import click

from orchestrator.cli.cert_option import (
    CertFormat,
    Choice,
    Column,
    choice_options,
    format_option,
)
from orchestrator.cli.lazy import Group

if TYPE_CHECKING:
    from orchestrator.certificate_choice import Condition


@click.group("cert", cls=Group)
def command() -> None:
    """List the fleet's certificates; show what expires and fails when."""


@command.command("list")
@choice_options
@click.option("--sort", type=Column(), default="host", show_default=True, help="By which field.")
@click.option("--reverse", is_flag=True, help="The other way round; what has no value stays last.")
@format_option
def list_(
    hosts: tuple[str, ...],
    condition: "Condition | None",
    sort: str,
    reverse: bool,  # noqa: FBT001 - click passes options by name
    format_: CertFormat,
) -> None:
    """List certificates: how it stands with each, when it fails, and when it was last seen.

    They are what hosts told in signed reports of runs that observe `certificate_state`.
    """
    from orchestrator.certificate_choice import arrange
    from orchestrator.cli.cert_view import show

    certificates = Choice(hosts, condition).read()
    show(arrange(certificates, sort, reverse=reverse), format_)


@command.command("timeline")
@choice_options
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    help="How far to look ahead.  [default: 90, or as far as the first event]",
)
def timeline(hosts: tuple[str, ...], condition: "Condition | None", days: int | None) -> None:
    """Draw what expires and fails when; what fails already comes first."""
    from orchestrator.cli.cert_timeline import show

    show(Choice(hosts, condition).read(), days)
