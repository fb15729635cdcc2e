"""denrei-worker cert: how it stands with a certificate on this host. Nothing else is needed."""

import re
import sys
from pathlib import Path
from typing import Any, get_args

import click

from contract.probe import UNIT_NAME, CertificateState, StartTls
from worker.duration_text import DurationText
from worker.output_option import output_option

EXIT_UNREADABLE = 1
EXIT_NEEDS_WORK = 8
_FILE = "PATH"  # the command that every first argument means which is no command's name


class CertGroup(click.Group):
    """The commands about certificates, of which the nameless one takes a path."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the nameless command's name in front of what belongs to it."""
        if args and args[0] not in {*self.named(), *ctx.help_option_names}:
            args = [_FILE, *args]
        return super().parse_args(ctx, args)

    def named(self) -> set[str]:
        return set(self.commands) - {_FILE}


class _FileCommand(click.Command):
    """The nameless command: what stands for its name in a usage line is the path itself."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return super().collect_usage_pieces(ctx)[:1]


@click.group(
    cls=CertGroup, options_metavar="", subcommand_metavar="PATH [OPTIONS]... | COMMAND [ARGS]..."
)
def cert() -> None:
    """Tell how it stands with certificates on this host. No worker.yaml is needed.

    The first argument is the file of a certificate, unless it is a command; a file that is named
    like one is written with ./ before it. For the options of a file: denrei-worker cert PATH -h
    """


def _absolute(_ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> str | None:
    return str(path.absolute()) if path else None


_PATH = click.Path(readable=False, path_type=Path)  # what can't be read is told by the verdict


@cert.command(_FILE, cls=_FileCommand, short_help="Judge the certificate in a file.")
@click.argument("path", type=click.Path(readable=False), metavar="PATH")
@click.option("--key", type=_PATH, callback=_absolute, help="The private key that belongs to it.")
@click.option("--name", "names", multiple=True, help="A name that it must cover; repeatable.")
@click.option("--pid-file", type=_PATH, callback=_absolute, help="Of the process that uses it.")
@click.option("--unit", help="The systemd unit that uses it.")
@click.option("--host", help="Where the port is.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="The port that shows it.")
@click.option("--server-name", help="Asked for (SNI).  [default: its first DNS name]")
@click.option("--starttls", type=click.Choice(get_args(StartTls)), help="If it begins in plain.")
@click.option("--handshakes", type=click.IntRange(1, 50), default=5, show_default=True)
@click.option("--timeout", type=DurationText(), default="5s", show_default=True, help="For all.")
@click.option(
    "--made-here/--not-made-here",
    default=None,
    help="On this host, or by an authority.  [default: if it is self-signed]",
)
@click.option(
    "--expiring-within",
    type=DurationText(),
    help="So little left is late.  [default: a quarter of its life, at most 30d]",
)
@output_option("table", "json")
def judge_file(path: str, format_: str, **options: Any) -> None:
    """Judge the certificate in a file, by the process that uses it and the port that shows it.

    Exits 0 if it is fresh, 8 if it needs work, and 1 if it can't be read.
    """
    _check(path, options)
    from contract.certificate import CertificateVerdict
    from worker.cert_view import show_state
    from worker.certificate.look import look
    from worker.certificate.own_ports import ask_own_ports
    from worker.root import Root

    host = options.pop("host") or "127.0.0.1"
    names = list(options.pop("names"))
    arguments = CertificateState(path=str(Path(path).absolute()), host=host, names=names, **options)
    state = ask_own_ports(arguments, look(arguments, Root()), Root())
    show_state(state, arguments, format_)
    codes = {CertificateVerdict.FRESH: 0, CertificateVerdict.UNREADABLE: EXIT_UNREADABLE}
    sys.exit(codes.get(state.verdict, EXIT_NEEDS_WORK))


def _check(path: str, options: dict[str, Any]) -> None:
    """Refuse what can't have been meant."""
    if path in cert.named():
        raise click.UsageError(
            f"{path} is a command and comes first; a file of that name is ./{path}"
        )
    if not path or not all(options["names"]):
        raise click.UsageError(f"{'--name' if path else 'PATH'} is empty")
    if options["unit"] is not None and not re.fullmatch(UNIT_NAME, options["unit"]):
        raise click.UsageError(f"--unit: {options['unit']!r} can't be the name of a unit")
    asks_port = _port(options)
    if options["host"] and not asks_port:
        raise click.UsageError("--host needs a --port")
    asks_process = options["pid_file"] or options["unit"]
    for name in ("server_name", "starttls"):
        if options[name] and not asks_port and not asks_process:
            raise click.UsageError(f"--{name.replace('_', '-')} needs a --port")


def _port(options: dict[str, Any]) -> int:
    """Return the port that is to be asked; 0 if none is. It may stand behind the host."""
    from worker.observations.connection import parse_address
    from worker.observations.observation import ObservationError

    try:
        return parse_address(options["host"] or "x", options["port"] or 0).port
    except ObservationError as error:
        raise click.UsageError(f"--host: {error}") from None
