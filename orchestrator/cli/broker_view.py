"""What was found about the broker, as rows and documents."""

from collections.abc import Sequence

from orchestrator.broker.finding import Finding
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table


def show_findings(findings: Sequence[Finding], format_: Format) -> None:
    """Write the findings to stdout."""
    if format_ is Format.TABLE:
        print_table(Table(("what", "found"), [_row(finding) for finding in findings]))
        return
    documents = [_document(finding) for finding in findings]
    emit(format_, {"findings": documents}, documents)


def _row(finding: Finding) -> Row:
    return Row((finding.subject, finding.found), (finding.remedy,) if finding.remedy else ())


def _document(finding: Finding) -> Document:
    return {
        "what": finding.subject,
        "found": finding.found,
        "good": not finding.remedy,
        "to_do": finding.remedy,
    }
