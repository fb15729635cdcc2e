"""Names that the shell can complete; what can not be read completes to nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from contract.error import DenreiError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def _hosts() -> dict[str, str]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return {host.name: "" for host in store.hosts.all()}


def _runbooks() -> dict[str, str]:
    from orchestrator.cli.session import open_home

    found = open_home().library().list()
    names = [name for each in found for name in (each.name, each.short) if name]
    return dict.fromkeys(names, "")


def _runs() -> dict[str, str]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        runs = [summary.run for summary in store.runs.list(limit=20)]
    return {run.run_id: run.runbook for run in runs}


def _secrets() -> dict[str, str]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return {stored.name: "" for stored in store.secrets.all()}


def _people() -> dict[str, str]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return {person.name: "" for person in store.keyrings.newest().people}


Completer = Callable[[click.Context, click.Parameter, str], list["CompletionItem"]]


def _completer(known: Callable[[], dict[str, str]]) -> Completer:
    """Return what completes to one of these names, each with a word of help or none."""

    def complete(
        _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list["CompletionItem"]:
        from click.shell_completion import CompletionItem

        try:
            names = known()
        except (DenreiError, OSError):
            return []
        fit = [name for name in names if name.lower().startswith(incomplete.lower())]
        return [CompletionItem(name, help=names[name] or None) for name in fit]

    return complete


complete_host = _completer(_hosts)
complete_runbook = _completer(_runbooks)
complete_run = _completer(_runs)
complete_secret = _completer(_secrets)
complete_person = _completer(_people)
