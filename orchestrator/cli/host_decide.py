"""Deciding on a host that is held: its key is shown, and compared by a person or an option."""

import sys

import click

from contract.enrolment import key_fingerprint
from contract.key import VerifyKey
from orchestrator.cli.moment import ago
from orchestrator.enrolment import InvitationError, accept, held, reject
from orchestrator.store.enrolment_record import Enrolment
from orchestrator.store.store import Store


def accept_host(store: Store, name: str, key: str, *, yes: bool) -> None:
    """Show the key of a held host, ask, and accept it. Raises InvitationError."""
    enrolment = held(store, name)
    found = _show(enrolment)
    if key and _plain(key) != _plain(found):
        raise InvitationError(f"its key is {found}, not {key}; nothing was accepted")
    if not (key or yes):
        if not sys.stdin.isatty():
            raise InvitationError("compare the key: --key FINGERPRINT; or --yes, to trust anybody")
        click.confirm("Does the host show the same key? Accept it?", abort=True, err=True)
    accept(store, enrolment)
    click.echo(f"accepted {name}; it is admitted when it asks again, within seconds", err=True)


def reject_host(store: Store, name: str) -> None:
    """Turn a held host away. Raises InvitationError."""
    enrolment = held(store, name)
    _show(enrolment)
    reject(store, enrolment)
    click.echo(f"rejected {name}; its token is worth nothing any more", err=True)


def _show(enrolment: Enrolment) -> str:
    found = key_fingerprint(VerifyKey(enrolment.sign_key))
    asked = ago(enrolment.claimed_at)
    click.echo(f"{enrolment.host}, epoch {enrolment.epoch}, asked {asked} with the key", err=True)
    click.echo(f"  {found}", err=True)
    return found


def _plain(fingerprint: str) -> str:
    return "".join(fingerprint.split()).lower()
