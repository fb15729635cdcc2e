"""The keyring as rows and as a document."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from contract.key import VerifyKey
from contract.keyring import Keyring, KeyWindow, Person
from orchestrator.cli.moment import rfc3339, stamp
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.table import Row, Table, print_table

_HEADER = ("name", "is", "key id", "state", "until")
_SOON_MS = 30 * 24 * 3600 * 1000
_SHOWN = 12  # digits of a key id; JSON has all
_FEW = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """The keyring in force, and how the fleet stands to it."""

    keyring: Keyring
    behind: Sequence[str]  # hosts that do not follow it yet
    founding_roots: str


def show_keyring(standing: Standing, now: int, format_: Format) -> None:
    """Write who may sign to stdout; what needs a look, to stderr."""
    keyring = standing.keyring
    if format_ is not Format.TABLE:
        keys = [_document(*each, now) for each in _keys(keyring)]
        roots = [_root_document(keyring, at) for at in range(len(keyring.roots.keys))]
        document: Document = {
            "version": keyring.version,
            "expires_at": rfc3339(keyring.expires_at),
            "threshold": keyring.roots.threshold,
            "roots": roots,
            "keys": keys,
            "hosts_behind": list(standing.behind),
            "founding_roots": standing.founding_roots,
        }
        emit(format_, document, keys)
        return
    rows = [_row(*each, now) for each in _keys(keyring)]
    rows += [
        Row((root.name, "root", VerifyKey(root.key).id[:_SHOWN], "counts", "-"))
        for root in keyring.roots.keys
    ]
    print_table(Table(_HEADER, rows))
    threshold, count = keyring.roots.threshold, len(keyring.roots.keys)
    click.echo(f"keyring {keyring.version}, signed by {threshold} of {count} roots", err=True)
    click.echo(f"founded by the roots {standing.founding_roots}", err=True)
    for line in _concerns(keyring, standing.behind, now):
        click.echo(line, err=True)


def state_of(window: KeyWindow, now: int) -> str:
    """Return whether a key counts: `counts`, `revoked`, `expired` or `early`."""
    if window.revoked_at is not None:
        return "revoked"
    if window.counts_at(now):
        return "counts"
    return "expired" if now >= window.not_after else "early"


def _keys(keyring: Keyring) -> Iterator[tuple[str, str, KeyWindow]]:
    for owner in keyring.signing:
        what = ", ".join(owner.roles) if isinstance(owner, Person) else owner.duty.value
        for window in owner.keys:
            yield owner.name, what, window


def _row(name: str, what: str, window: KeyWindow, now: int) -> Row:
    ends = stamp(window.revoked_at or window.not_after)
    return Row((name, what, VerifyKey(window.key).id[:_SHOWN], state_of(window, now), ends))


def _document(name: str, what: str, window: KeyWindow, now: int) -> Document:
    return {
        "name": name,
        "is": what.split(", "),
        "key_id": VerifyKey(window.key).id,
        "state": state_of(window, now),
        "not_before": rfc3339(window.not_before),
        "not_after": rfc3339(window.not_after),
        "revoked_at": rfc3339(window.revoked_at),
    }


def _root_document(keyring: Keyring, at: int) -> Document:
    root = keyring.roots.keys[at]
    return {"name": root.name, "key_id": VerifyKey(root.key).id}


def _concerns(keyring: Keyring, behind: Sequence[str], now: int) -> Iterator[str]:
    if keyring.expires_at - now < _SOON_MS:
        yield f"the keyring expires at {stamp(keyring.expires_at)}: hosts take no order after that"
    for name, _, window in _keys(keyring):
        if window.counts_at(now) and window.not_after - now < _SOON_MS:
            yield f"a key of {name} counts until {stamp(window.not_after)}"
    if behind:
        more = f" and {len(behind) - _FEW} more" if len(behind) > _FEW else ""
        yield f"hosts that do not follow it yet: {', '.join(behind[:_FEW])}{more}"
