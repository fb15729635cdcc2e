"""Certificates as rows, documents, lines of CSV, or a calendar."""

from collections.abc import Sequence
from datetime import datetime

import click
from rich.cells import cell_len

from contract.certificate import CertificateVerdict
from contract.instant import show_instant
from orchestrator.certificate import FIELDS, Certificate
from orchestrator.cli.cert_option import CertFormat
from orchestrator.cli.moment import ago, distance
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table, stdout, width_of
from orchestrator.cli.visible import visible

_HEADER = ("host", "verdict", "fails", "seen", "certificate")
_GAPS = 2 * (len(_HEADER) - 1)
_LONGEST_HOST = 20  # of what is set aside for hosts before a path is cut
_NARROWEST = 12


def show(certificates: Sequence[Certificate], format_: CertFormat) -> None:
    """Write certificates to stdout."""
    if format_ is CertFormat.TABLE:
        print_table(Table(_HEADER, _rows(certificates, width_of(stdout()))))
    elif format_ is CertFormat.CSV:
        from orchestrator.cli.cert_csv import to_csv

        click.echo(to_csv(certificates), nl=False)
    elif format_ is CertFormat.ICS:
        from orchestrator.cli.cert_calendar import to_calendar

        click.echo(to_calendar(certificates), nl=False)
    else:
        documents = [certificate_document(each) for each in certificates]
        emit(Format(format_.value), {"certificates": documents}, documents)


def certificate_document(certificate: Certificate) -> Document:
    """Return a certificate for machines: every field, null where it is not known."""
    values = certificate.values
    fields = {name: _plain(values.get(name)) for name in FIELDS}
    seen_as = certificate.fact.verdict.value
    return {**fields, "verdict_when_observed": seen_as, "run_id": certificate.record.run_id}


def plain_moment(value: object) -> str:
    """Return a moment in RFC 3339, UTC."""
    return show_instant(value) if isinstance(value, datetime) else ""


def ending(text: str, width: int) -> str:
    """Return as much of a text's end as fits: of a path, that says more than its beginning."""
    if cell_len(text) <= width:
        return text
    while text and 1 + cell_len(text) > width:
        text = text[1:]
    return f"…{text}"


def _rows(certificates: Sequence[Certificate], width: int) -> list[Row]:
    cells = [_cells(each) for each in certificates]
    columns = zip(_HEADER[:-1], *cells, strict=True)
    widths = [max(len(visible(cell)) for cell in column) for column in columns]
    taken = min(widths[0], _LONGEST_HOST) + sum(widths[1:])
    room = max(width - taken - _GAPS, _NARROWEST)
    return [
        Row((*row, ending(visible(each.name), room)), _notes(each))
        for each, row in zip(certificates, cells, strict=True)
    ]


def _cells(certificate: Certificate) -> tuple[str, ...]:
    fails = distance(certificate.fails_at)
    seen = ago(certificate.record.observed_at)
    return (certificate.record.host, certificate.verdict.value, fails, seen)


def _notes(certificate: Certificate) -> list[str]:
    if certificate.verdict is CertificateVerdict.FRESH:
        return []
    service = f"{certificate.fact.service}: " if certificate.fact.service else ""
    return [f"{service}{certificate.reason}"]


def _plain(value: object) -> object:
    return show_instant(value) if isinstance(value, datetime) else value
