"""Names that the shell can complete; what can not be read completes to nothing."""

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

from contract.error import DenreiError


def _hosts() -> list[CompletionItem]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return [CompletionItem(host.name) for host in store.hosts.all()]


def _runbooks() -> list[CompletionItem]:
    from orchestrator.cli.session import open_home

    found = open_home().library().list()
    names = [name for each in found for name in (each.name, each.short) if name]
    return [CompletionItem(name) for name in names]


def _runs() -> list[CompletionItem]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        runs = [summary.run for summary in store.runs.list(limit=20)]
    return [CompletionItem(run.run_id, help=run.runbook) for run in runs]


def _secrets() -> list[CompletionItem]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return [CompletionItem(stored.name) for stored in store.secrets.all()]


def _people() -> list[CompletionItem]:
    from orchestrator.cli.session import open_store

    with open_store() as store:
        return [CompletionItem(person.name) for person in store.keyrings.newest().people]


Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(known: Callable[[], list[CompletionItem]]) -> Completer:
    def complete(
        _ctx: click.Context, _param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            items = known()
        except (DenreiError, OSError):
            return []
        return [item for item in items if item.value.lower().startswith(incomplete.lower())]

    return complete


complete_host = _completer(_hosts)
complete_runbook = _completer(_runbooks)
complete_run = _completer(_runs)
complete_secret = _completer(_secrets)
complete_person = _completer(_people)
