"""Certificates as CSV for spreadsheets, which would take some texts of hosts for formulas.

Such a text gets an apostrophe in front, and so does one that begins with an apostrophe: whoever
reads the file takes one leading apostrophe away and has the text again.
"""

import csv
import io
from collections.abc import Sequence

from orchestrator.certificate import FIELDS, Certificate
from orchestrator.cli.cert_view import plain_moment
from orchestrator.cli.visible import visible

_BETWEEN_NAMES = "; "
# What begins a formula in a spreadsheet, or hides what does.
_FULL_WIDTH = ("\uff1d", "\uff0b", "\uff0d", "\uff20")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", " ", *_FULL_WIDTH, "'")


def to_csv(certificates: Sequence[Certificate]) -> str:
    """Return a header and a line for each certificate, with every field."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(FIELDS)
    for certificate in certificates:
        writer.writerow([_cell(certificate.values.get(name)) for name in FIELDS])
    return out.getvalue()


def _cell(value: object) -> str:
    """Return a value as a cell; numbers are ours and stay what they are."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return text_cell(_BETWEEN_NAMES.join(value))
    return text_cell(value) if isinstance(value, str) else plain_moment(value)


def text_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula, in one line."""
    safe = visible(text)
    return f"'{safe}" if safe.startswith(_FORMULA) else safe
