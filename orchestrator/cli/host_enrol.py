"""Tokens on the terminal: one line for one host, name and token for several."""

from collections.abc import Sequence
from urllib.parse import urlsplit

import click

from contract.token import Token
from orchestrator.broker.access import has_own_users
from orchestrator.cli.moment import clock, rfc3339
from orchestrator.cli.output import Format, emit
from orchestrator.enrolment import Invitation, invite
from orchestrator.health import service_trouble
from orchestrator.home import Home
from orchestrator.store.record import ServiceName
from orchestrator.store.store import Store

_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def enrol_hosts(
    home: Home, store: Store, invitations: Sequence[Invitation], format_: Format
) -> None:
    """Make a token for each and write them to stdout. Raises DenreiError."""
    tokens = [invite(home, store, invitation) for invitation in invitations]
    if format_ is not Format.TABLE:
        documents = [_document(token) for token in tokens]
        emit(format_, {"tokens": documents}, documents)
        return
    for token in tokens:
        click.echo(token.spell() if len(tokens) == 1 else f"{token.host} {token.spell()}")
    _advise(home, store, tokens[0], len(tokens))


def _document(token: Token) -> dict[str, object]:
    return {
        "host": token.host,
        "epoch": token.epoch,
        "token": token.spell(),
        "expires_at": rfc3339(token.expires_at),
    }


def _advise(home: Home, store: Store, token: Token, count: int) -> None:
    """Say on stderr what is to be done next, and what will be in the way."""
    whom = f"for {token.host} (epoch {token.epoch})" if count == 1 else "each for its host"
    lines = [f"good once, until {clock(token.expires_at)}, {whom}"]
    if count == 1 and store.hosts.get(token.host):
        lines.append(f"{token.host} is a member already; its former self ends when this is used")
    lines.append("next, on the host:  denrei-worker enrol TOKEN")
    where = urlsplit(token.broker)
    if where.hostname in _HERE or where.scheme == "redis+socket":
        reach = where.hostname or where.path
        lines.append(f"it leads to {reach}, this machine only; for others set host_broker")
    if has_own_users(home) and not home.broker_admin:
        lines.append("first, and when it is admitted: `denrei broker acl` for Redis's ACL file")
    lines += service_trouble(store, ServiceName.REGISTRAR)
    for line in lines:
        click.echo(line, err=True)
