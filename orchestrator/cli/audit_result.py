"""What verifying the record came to."""

import click

from orchestrator.audit import Audit, Finding
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table

_HEADER = ("seq", "letter", "host", "run")


def show(audit: Audit, format_: Format) -> None:
    """Write the result to stdout."""
    if format_ is not Format.TABLE:
        findings = [_document(finding) for finding in audit.findings]
        emit(format_, _summary(audit) | {"findings": findings}, [*findings, _summary(audit)])
        return
    if audit.findings:
        print_table(Table(_HEADER, [_row(finding) for finding in audit.findings]))
    counts = ", ".join(f"{count} {kind.value}" for kind, count in audit.counts.items())
    verdict = f"{len(audit.findings)} do not hold" if audit.findings else "all hold"
    click.echo(f"{audit.checked} letters verified ({counts or 'none yet'}): {verdict}")


def _summary(audit: Audit) -> Document:
    return {
        "ok": not audit.findings,
        "checked": audit.checked,
        "counts": {kind.value: count for kind, count in audit.counts.items()},
    }


def _document(finding: Finding) -> Document:
    return {
        "seq": finding.seq,
        "kind": finding.kind.value,
        "host": finding.host,
        "run_id": finding.run_id,
        "digest": finding.digest,
        "problem": finding.problem,
    }


def _row(finding: Finding) -> Row:
    names = (finding.host or "-", finding.run_id or "-")
    cells = (str(finding.seq or "-"), finding.kind.value, *names)
    return Row(cells, [finding.problem])
