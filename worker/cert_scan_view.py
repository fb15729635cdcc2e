"""What a scan found, as lines for people and as documents for machines."""

import textwrap
from collections.abc import Iterator, Sequence

import click
import msgspec

from contract.certificate import CertificateFact, CertificateVerdict
from worker.display import Document, columns, emit, plain, rfc3339
from worker.scan.judging import severity
from worker.scan.scan import Scan

_WIDTH = 80
_INDENT = "  "
_HEADER = ("VERDICT", "SERVICE", "CERTIFICATE", "ENDS", "RENEWAL")
_SERVICE, _PLACE, _RENEWAL = 16, 21, 10  # what is longer is cut; JSON has all
_FEW = 3  # ports that are named
_TIMES = ("outage_at", "expiring_at", "not_before", "not_after", "observed_at")


def show_scan(scan: Scan, format_: str) -> None:
    """Write the certificates to stdout, and what could not be looked at to stderr."""
    if format_ == "json":
        emit(
            {
                "complete": scan.is_complete,
                "problems": list(scan.problems),
                "silent": list(scan.silent),
                "certificates": [_document(fact) for fact in scan.facts],
            }
        )
    elif format_ == "jsonl":
        for fact in scan.facts:
            emit(_document(fact), indent=None)
    else:
        _show_table(scan)
    for line in _told(scan):
        click.echo(line, err=True)


def _show_table(scan: Scan) -> None:
    if not scan.facts:
        return
    worst_first = sorted(scan.facts, key=lambda fact: -severity(fact.verdict))
    lines = columns([_HEADER, *(_row(fact) for fact in worst_first)])
    click.echo(next(lines))
    for fact, line in zip(worst_first, lines, strict=True):
        click.echo(line)
        for detail in _details(fact):
            click.echo(detail)


def _row(fact: CertificateFact) -> tuple[str, ...]:
    return (
        fact.verdict,
        _cut(fact.service, _SERVICE) or "-",
        _cut_left(fact.path or fact.endpoint, _PLACE),
        (rfc3339(fact.not_after) or "-")[:10],
        _cut(_tool(fact), _RENEWAL) or "-",
    )


def _details(fact: CertificateFact) -> Iterator[str]:
    """Give what does not fit into the row: the whole path, the port, and why it needs work."""
    is_cut = len(plain(fact.path or fact.endpoint)) > _PLACE
    where = plain(fact.path or fact.endpoint) if is_cut else ""
    if fact.path and fact.endpoint:
        where = f"{where} on {plain(fact.endpoint)}".lstrip()
    if where:
        yield _INDENT + where
    if fact.renewal != _tool(fact):
        yield f"{_INDENT}{plain(fact.renewal)}"
    if fact.verdict is not CertificateVerdict.FRESH:
        yield textwrap.fill(
            plain(fact.reason),
            _WIDTH,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_on_hyphens=False,
        )


def _told(scan: Scan) -> Iterator[str]:
    """Say what was not looked at, and how it stands with the whole."""
    for problem in scan.problems:
        yield f"not looked at: {plain(problem)}"
    if scan.silent:
        yield f"taken for plain text, for they did not answer: {_some(scan.silent)}"
    needing = len(scan.needing_work)
    if not scan.facts:
        yield "no certificate in use was found"
    elif needing:
        yield f"certificates that need work: {needing} of {len(scan.facts)}"
    else:
        yield f"certificates in use: {len(scan.facts)}, all fresh"


def _some(ports: Sequence[str]) -> str:
    more = f" and {len(ports) - _FEW} more" if len(ports) > _FEW else ""
    return plain(", ".join(ports[:_FEW])) + more


def _document(fact: CertificateFact) -> Document:
    times = {name: rfc3339(getattr(fact, name)) for name in _TIMES}
    return {**msgspec.to_builtins(fact), **times}


def _tool(fact: CertificateFact) -> str:
    """Return the tool alone, without what is wrong with it."""
    return fact.renewal.partition(",")[0]


def _cut(text: str, width: int) -> str:
    shown = plain(text)
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def _cut_left(text: str, width: int) -> str:
    """Return the end of a path, which tells more than its beginning."""
    shown = plain(text)
    return shown if len(shown) <= width else f"…{shown[1 - width :]}"
