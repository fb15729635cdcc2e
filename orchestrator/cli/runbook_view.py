"""Runbooks as rows, documents and text."""

from collections.abc import Sequence

import click

from contract.document import DocumentError
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table
from orchestrator.cli.visible import visible, visible_lines
from orchestrator.library import Found

_HEADER = ("runbook", "short", "from", "file")


def show_runbooks(found: Sequence[Found], format_: Format) -> None:
    """Write the runbooks to stdout, the broken ones with what is wrong with them."""
    documents = [_document(runbook) for runbook in found]
    if format_ is not Format.TABLE:
        emit(format_, {"runbooks": documents}, documents)
        return
    rows = [
        Row((d["name"], d["short"], d["origin"], d["file"]), d["problems"] or [d["summary"]])
        for d in documents
    ]
    print_table(Table(_HEADER, rows))


def show_runbook(found: Found) -> None:
    """Write a runbook's text to stdout and its origin to stderr. Raises DocumentError."""
    click.echo(f"{visible(found.file)} ({found.origin})", err=True)
    try:
        runbook = found.load()
    except DocumentError:
        # A broken file may hold anything, also what would act on the terminal.
        for line in visible_lines(found.data.decode(errors="replace")):
            click.echo(line)
        raise
    click.echo(f"sha256 {runbook.digest}", err=True)
    attended = "a schedule may start it" if runbook.unattended else "only people may start it"
    click.echo(f"risk {runbook.risk}; {attended}", err=True)
    click.echo(runbook.source, nl=False)


def _document(found: Found) -> Document:
    document: Document = {
        "name": found.name,
        "short": found.short,
        "origin": found.origin.value,
        "file": found.file,
    }
    try:
        runbook = found.load()
    except DocumentError as error:
        return document | {"summary": "", "problems": error.lines()}
    parameters = [
        {
            "name": parameter.name,
            "type": parameter.type.value,
            "secret": parameter.secret,
            "default": parameter.default,
            "summary": parameter.summary,
        }
        for parameter in runbook.parameters
    ]
    return document | {
        "summary": runbook.summary,
        "sha256": runbook.digest,
        "steps": len(runbook.steps),
        "changes": runbook.changes,
        "risk": runbook.risk.value,
        "unattended": runbook.unattended,
        "params": parameters,
        "profiles": runbook.profiles,
        "problems": [],
    }
