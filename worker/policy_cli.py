"""denrei-worker policy: what this host's own policy says."""

import sys
from datetime import datetime
from pathlib import Path

import click

from contract.document import DocumentError
from contract.parameter import ParameterError
from worker.output_option import output_option

EXIT_USAGE = 2
EXIT_REFUSED = 6


@click.group()
def policy() -> None:
    """Tell what this host's own policy allows."""


@policy.command()
@click.argument("subject", metavar="ORDER_FILE|RUNBOOK")
@click.option("--role", "roles", multiple=True, default=("operator",), show_default=True)
@click.option(
    "--people", type=click.IntRange(1, 8), default=1, show_default=True, help="How many sign it."
)
@click.option("-p", "--param", "params", multiple=True, metavar="K=V", help="Repeatable.")
@click.option(
    "--policy",
    "file",
    type=click.Path(path_type=Path),
    help="Another policy than the one beside worker.yaml.",
)
@output_option("table", "json")
@click.pass_obj
def explain(  # noqa: PLR0913 - one for each option
    path: Path,
    *,
    subject: str,
    roles: tuple[str, ...],
    people: int,
    params: tuple[str, ...],
    file: Path | None,
    format_: str,
) -> None:
    """Tell which rule allows or refuses an order or a runbook, on this host and now.

    RUNBOOK is a file, or the name of a shipped one. An order's signatures are not looked at: who
    asks is what --role and --people say. Exits 0 if it is allowed, and 6 if it is refused.
    """
    from worker.explanation import Asked, ExplanationError
    from worker.explanation import explain as ask
    from worker.policy_file import load_policy
    from worker.policy_view import show_explanation

    given = dict(_pair(param) for param in params)
    file = file or path.parent / "policy.yaml"
    rules = load_policy(file)
    asked = Asked(subject, frozenset(roles), people, given, datetime.now().astimezone())
    try:
        found = ask(rules, asked)
    except (DocumentError, ParameterError, ExplanationError) as error:
        for line in str(error).split("\n"):
            click.echo(f"denrei-worker: {line}", err=True)
        sys.exit(EXIT_USAGE)
    show_explanation(found, rules, str(file), format_)
    sys.exit(0 if found.allowed else EXIT_REFUSED)


@policy.command()
@click.argument("name", type=click.Choice(("strict", "permissive")))
def show(name: str) -> None:
    """Print a policy that comes with Denrei."""
    from worker.policy_file import shipped_policy

    click.echo(shipped_policy(name), nl=False)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="-p")
    return name, value
