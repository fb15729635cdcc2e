"""denrei-worker enrol: a host becomes a member of a fleet by the token that it was given."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract.broker import NO_FILES, TLS_KEYS, BrokerFiles
from contract.duration import parse_duration
from worker.config import DEFAULT_STATE, Config, load_config
from worker.courier_config import load_courier_config
from worker.duration_text import DurationText

if TYPE_CHECKING:
    from worker.admitted import Admitted
    from worker.host_keys import HostKeys

EXIT_REFUSED = 6
EXIT_UNDECIDED = 7
_DEFAULT_POLICY = "permissive"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said on the command line, besides the token."""

    state: Path | None
    root: Path | None
    policy: str
    files: tuple[Path | None, Path | None, Path | None]
    within_s: float


@click.command()
@click.argument("token", metavar="TOKEN|@FILE|-")
@click.option("--state", type=click.Path(path_type=Path), help=f"Default: {DEFAULT_STATE}")
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    help="Put before every path and program of a runbook (chroots, labs).",
)
@click.option(
    "--policy",
    type=click.Choice([_DEFAULT_POLICY, "strict"]),
    default=_DEFAULT_POLICY,
    show_default=True,
    help="The policy of a host that has none yet; `denrei-worker policy show` prints them.",
)
@click.option("--broker-ca", "ca", type=_FILE, help="Whom to believe that it is the broker (TLS).")
@click.option("--broker-cert", "cert", type=_FILE, help="What to show to the broker (TLS).")
@click.option("--broker-key", "key", type=_FILE, help="The key of that certificate.")
@click.option(
    "--timeout",
    type=DurationText(),
    default="10m",
    show_default=True,
    help="How long to wait for the answer.",
)
@click.pass_obj
def enrol(  # noqa: PLR0913 - one for each option
    path: Path,
    *,
    token: str,
    state: Path | None,
    root: Path | None,
    policy: str,
    ca: Path | None,
    cert: Path | None,
    key: Path | None,
    timeout: str,
) -> None:
    """Become a member of a fleet by the TOKEN that `denrei host enrol` printed.

    Makes this host's keys, proves that it has them, takes the fleet's keyring by the roots that
    the token names, and writes all that a worker needs. - reads the token from stdin and @FILE
    from a file: so it does not stand in the list of processes. Cut off, it is completed by the
    same token. Exits 6 if this host is not let in, and 7 if nobody decided in time.
    """
    asked = Asked(state, root, policy, (ca, cert, key), parse_duration(timeout).total_seconds())
    sys.exit(_enrol(path, _token_text(token), asked))


def _enrol(path: Path, text: str, asked: Asked) -> int:
    from contract.token import Token
    from worker.enrolment import Petition, RejectedError, UnansweredError
    from worker.host_keys import HostKeys
    from worker.setup import (
        Choices,
        Drafts,
        check_idle,
        clear_drafts,
        epoch_of,
        make_directories,
        settle,
    )

    token = Token.parse(text)
    config = _config(path, token.host, asked)
    if epoch_of(config) == token.epoch:
        clear_drafts(config)
        click.echo(f"{config.name} is a member already, epoch {token.epoch}")
        return 0
    check_idle(config)
    make_directories(config)
    drafts = Drafts.of(config, token.id)
    keys = HostKeys.at(drafts.sign, drafts.seal)
    files = _files(config, token.broker, asked)
    try:
        with Petition(token, keys, files) as petition:
            admitted = petition.ask(asked.within_s, lambda: _tell_held(token.host, keys))
    except (RejectedError, UnansweredError) as error:
        click.echo(f"denrei-worker: {error}", err=True)
        return EXIT_REFUSED if isinstance(error, RejectedError) else EXIT_UNDECIDED
    settle(config, drafts, admitted, Choices(asked.policy, files))
    _tell_done(config, admitted)
    return 0


def _token_text(given: str) -> str:
    """Return the token: as given, from a file, or from stdin."""
    if given == "-":
        return sys.stdin.readline()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="ascii", errors="replace")
    except OSError as error:
        raise click.UsageError(f"can't read {given[1:]}: {error.strerror}") from None


def _config(path: Path, name: str, asked: Asked) -> Config:
    """Return the settings of a host that was one before, or those that were asked for."""
    if not path.exists():
        state, root = asked.state or DEFAULT_STATE, asked.root or Path("/")
        return Config(path=path, name=name, state=state.absolute(), root=root.absolute())
    config = load_config(path)
    if config.name != name:
        raise click.UsageError(f"the token is for {name!r}, and this host is {config.name!r}")
    for option, found in (("state", config.state), ("root", config.root)):
        given = getattr(asked, option)
        if given and given.absolute() != found:
            raise click.UsageError(f"{path} says that {option} is {found}, not {given}")
    return config


def _files(config: Config, broker: str, asked: Asked) -> BrokerFiles:
    """Return the files of TLS: those that were named, or those that the courier has."""
    named = {n: str(f.absolute()) for n, f in zip(TLS_KEYS, asked.files, strict=True) if f}
    if named:
        return BrokerFiles.of(named, broker)
    known = config.courier_config
    return load_courier_config(known).broker_files if known.exists() else NO_FILES


def _tell_held(name: str, keys: "HostKeys") -> None:
    from contract.enrolment import key_fingerprint

    click.echo("held until a person lets this host in who has compared its key:", err=True)
    click.echo(f"  {key_fingerprint(keys.sign.public)}", err=True)
    click.echo(f"on the orchestrator:  denrei host accept {name}", err=True)


def _tell_done(config: Config, admitted: "Admitted") -> None:
    found = admitted.membership
    people = ", ".join(person.name for person in found.keyring.people)
    click.echo(f"{found.host} is a member: epoch {found.epoch}, keyring {found.keyring.version}")
    click.echo(f"orders by {people}, as {config.policy} allows", err=True)
    click.echo("next: denrei-worker run, or denrei-worker units --install for systemd", err=True)
