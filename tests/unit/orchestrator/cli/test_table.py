"""Tables stay readable: no line is wider than the screen, and nothing is lost in a pipe."""

from rich.text import Text

from orchestrator.cli.table import Row, Table

_LONG = "the process was started before the certificate became valid, and " * 3
_TABLE = Table(
    ("host", "state", "outcome"),
    [Row(("web1", "succeeded", "ok")), Row(("db-" + "x" * 70, "failed", "failed"), [_LONG])],
)


def _plain(lines: object) -> list[str]:
    assert not isinstance(lines, Text)
    return [line.plain for line in lines]  # type: ignore[attr-defined]


def test_table_on_a_narrow_screen_fits_and_indents_reasons() -> None:
    """At 80 columns long names are cut with a sign; reasons stand indented below."""
    lines = _plain(_TABLE.lines(80))
    assert max(len(line) for line in lines) <= 80
    assert lines[0].split() == ["HOST", "STATE", "OUTCOME"]
    assert "…" in lines[2]
    assert lines[3].startswith("    the process")


def test_table_into_a_pipe_cuts_nothing() -> None:
    """Without a screen every cell is whole and a reason is one line."""
    lines = _plain(_TABLE.lines())
    assert "db-" + "x" * 70 in lines[2]
    assert lines[3] == "    " + _LONG
    assert len(lines) == 4


def test_table_shows_host_text_without_markup_and_without_control() -> None:
    """What looks like markup stays text; what would act is spelt out."""
    table = Table(("host",), [Row(("[red]x[/red]\x1b[0m",), ["[bold]\x07"])])
    lines = _plain(table.lines(80))
    assert lines[1:] == ["[red]x[/red]\\x1b[0m", "    [bold]\\x07"]


def test_table_without_rows_still_has_its_header() -> None:
    """Nothing found is an empty table, not an error."""
    assert _plain(Table(("host",)).lines(80)) == ["HOST"]
