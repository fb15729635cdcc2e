"""`denrei key`: whose keys a fleet trusts, and how they change."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.lazy import Group
from orchestrator.cli.options import Duration
from orchestrator.cli.output import Format, output_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.key import Signer
    from contract.keyring import Keyring
    from orchestrator.home import Home
    from orchestrator.succession import Progress

_ROOTS = click.option(
    "--root",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A root's key file; may be repeated.  [default: keys/root.pem of the home]",
)


@click.group("key", cls=Group)
def command() -> None:
    """List, add, rotate and revoke the keys that hosts trust."""


@command.command("list")
@output_option
def list_(format_: Format) -> None:
    """List the people, services and roots of the keyring in force, with their keys."""
    from contract.instant import now_ms
    from orchestrator.cli.key_view import show_keyring
    from orchestrator.cli.session import open_home

    home = open_home()
    with home.open_store() as store:
        keyring, hosts = store.keyrings.newest(), store.hosts.all()
    behind = [host.name for host in hosts if host.keyring < keyring.version]
    show_keyring(keyring, behind, now_ms(), format_)
    if home.keyring_draft.exists():
        click.echo(f"a draft waits for signatures: {home.keyring_draft}", err=True)


@command.command("new")
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> None:
    """Make a key in FILE, which must not be there; print its public half.

    That half is what `denrei key add` takes.
    """
    from contract.key import SigningKey

    key = SigningKey.generate()
    key.save(file)
    click.echo(key.public.text)
    click.echo(f"key id {key.public.id}", err=True)


@command.command("add")
@click.argument("name")
@click.argument("public")
@click.option("--role", "roles", multiple=True, required=True, help="May be repeated.")
@_ROOTS
def add(name: str, public: str, roles: tuple[str, ...], roots: tuple[Path, ...]) -> None:
    """Let a person sign, by the PUBLIC half of their key, as their roles say."""
    from contract.instant import now_ms
    from contract.key import VerifyKey
    from contract.keyring import Person
    from orchestrator.amendment import add_person
    from orchestrator.founding import window

    window_ = window(VerifyKey(public), now_ms())
    person = Person(name=name, keys=[window_], roles=list(roles))
    _change(lambda keyring, now: add_person(keyring, person, now), roots)


@command.command("rotate")
@click.argument("name")
@click.option(
    "--overlap",
    type=Duration(),
    default="7d",
    show_default=True,
    help="How long the old key counts beside the new one.",
)
@_ROOTS
def rotate(name: str, overlap: timedelta, roots: tuple[Path, ...]) -> None:
    """Give a person or a service of this home a new key; `root` gives the home's root one.

    The old key counts on for a while, so that no run is lost. A server that runs must be started
    again within that time to sign with the new key of its service.
    """
    from contract.key import SigningKey
    from contract.keyring import RootKey
    from orchestrator.amendment import add_key, set_root
    from orchestrator.cli.session import open_home
    from orchestrator.founding import SERVICES, window
    from orchestrator.succession import new_key_path

    home = open_home()
    is_root = name == "root"
    place = home.root_key if is_root else home.person_key(name)
    place = home.service_key(name) if name in SERVICES else place
    old = SigningKey.load(place)
    waiting = new_key_path(place)
    key = SigningKey.at(waiting)

    def rotated(keyring: "Keyring", now: int) -> "Keyring":
        if is_root:
            owner = next((r.name for r in keyring.roots.keys if r.key == old.public.text), name)
            return set_root(keyring, RootKey(name=owner, key=key.public.text), now)
        length = round(overlap.total_seconds() * 1000)
        return add_key(keyring, name, window(key.public, now), length)

    _change(rotated, (*(roots or (home.root_key,)), *([waiting] if is_root else [])))


@command.command("revoke")
@click.argument("key_id")
@_ROOTS
def revoke(key_id: str, roots: tuple[Path, ...]) -> None:
    """Let a key count no more, at once: the one whose KEY_ID begins so.

    What hosts have begun by then is not broken off; what waits its turn does not begin.
    """
    from orchestrator.amendment import revoke_key

    _change(lambda keyring, now: revoke_key(keyring, key_id, now), roots)


@command.command("sign")
@_ROOTS
def sign(roots: tuple[Path, ...]) -> None:
    """Add a root's signature to the draft; with enough of them it is in force."""
    from contract.instant import now_ms
    from orchestrator.cli.session import open_home
    from orchestrator.succession import sign_draft

    home = open_home()
    with home.open_store() as store:
        for root in _signers(home, roots):
            progress = sign_draft(home, store, root, now_ms())
    _tell(progress)


def _change(change: "Callable[[Keyring, int], Keyring]", roots: tuple[Path, ...]) -> None:
    """Draft the next keyring, sign it, and tell how far it is."""
    from contract.instant import now_ms
    from orchestrator.cli.session import open_home
    from orchestrator.succession import draft

    home, now = open_home(), now_ms()
    with home.open_store() as store:
        following = change(store.keyrings.newest(), now)
        progress = draft(home, store, following, _signers(home, roots), now)
    _tell(progress)


def _signers(home: "Home", roots: tuple[Path, ...]) -> "list[Signer]":
    from contract.key import SigningKey

    return [SigningKey.load(path) for path in (roots or (home.root_key,))]


def _tell(progress: "Progress") -> None:
    version = progress.keyring.version
    if not progress.lacking:
        click.echo(f"keyring {version} is in force; the server sends it to every host")
        return
    for sentence in progress.lacking:
        click.echo(f"keyring {version} is not in force yet: {sentence}")
    click.echo(f"draft: {progress.draft}; sign it with `denrei key sign --root FILE`", err=True)
