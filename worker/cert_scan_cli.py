"""denrei-worker cert scan: the certificates in use on this host. Nothing else is needed."""

import sys
from pathlib import Path

import click

from worker.cert_cli import EXIT_NEEDS_WORK
from worker.duration_text import DurationText
from worker.output_option import output_option


def _absolute(
    _ctx: click.Context, _parameter: click.Parameter, paths: tuple[Path, ...]
) -> tuple[str, ...]:
    return tuple(str(path.absolute()) for path in paths)


@click.command()
@click.option(
    "--path",
    "paths",
    type=click.Path(path_type=Path),
    multiple=True,
    callback=_absolute,
    help="A further file, or a quoted pattern of files; repeatable.",
)
@click.option("--no-ports", is_flag=True, help="Ask no port.")
@click.option("--no-config", is_flag=True, help="Read no daemon's configuration.")
@click.option(
    "--timeout", type=DurationText(), default="30s", show_default=True, help="For all together."
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path("/"),
    help="Put before every path (chroots, labs).",
)
@output_option("table", "json", "jsonl")
def scan(  # noqa: PLR0913 - one for each option
    *,
    paths: tuple[str, ...],
    no_ports: bool,
    no_config: bool,
    timeout: str,
    root: Path,
    format_: str,
) -> None:
    """Find the certificates in use on this host, and tell how it stands with each.

    Looks at listening ports, at the configuration of the daemons behind them, and at the tools
    that renew certificates. Ports are asked for their certificate; no file is touched.

    Exits 0 if all are fresh, and 8 if one needs work.
    """
    from worker.cert_scan_view import show_scan
    from worker.root import Root
    from worker.scan.discovery import Wishes
    from worker.scan.scan import scan as scan_host

    wishes = Wishes(paths, ports=not no_ports, configurations=not no_config, timeout=timeout)
    found = scan_host(wishes, Root(root.absolute()))
    show_scan(found, format_)
    sys.exit(EXIT_NEEDS_WORK if found.needing_work else 0)
