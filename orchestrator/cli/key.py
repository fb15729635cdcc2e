"""`denrei key`: whose keys a fleet trusts, and how they change."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.lazy import Group
from orchestrator.cli.options import Duration, passphrase_option, ssh_option
from orchestrator.cli.output import Format, output_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract.key import Signer
    from contract.keyring import Keyring
    from orchestrator.home import Home
    from orchestrator.store.store import Store
    from orchestrator.succession import Progress, Succession

_ROOTS = click.option(
    "--root",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A root's key file, or the .pub of one in ssh-agent; may be repeated.  "
    "[default: keys/root.pem of the home]",
)


@click.group("key", cls=Group)
def command() -> None:
    """Make and protect keys; list, add, rotate and revoke those that hosts trust."""


@command.command("list")
@output_option
def list_(format_: Format) -> None:
    """List the people, services and roots of the keyring in force, with their keys."""
    from contract.instant import now_ms
    from orchestrator.cli.key_view import Standing, show_keyring
    from orchestrator.cli.session import open_home
    from orchestrator.succession import keyring_in_force

    home = open_home()
    with home.open_store() as store:
        keyring, hosts = keyring_in_force(home, store), store.hosts.all()
    behind = [host.name for host in hosts if host.keyring < keyring.version]
    show_keyring(Standing(keyring, behind, home.roots), now_ms(), format_)
    if home.keyring_draft.exists():
        click.echo(f"a draft waits for signatures: {home.keyring_draft}", err=True)


@command.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@passphrase_option
def new(file: Path, passphrase: bool) -> None:  # noqa: FBT001 - click's signature
    """Make a key in FILE, which must not be there; print its public half.

    That half is what `denrei key add` takes.
    """
    from orchestrator.cli.passphrase import new_passphrase
    from orchestrator.key_file import make_key

    key = make_key(file, new_passphrase(file) if passphrase else None)
    click.echo(key.public.text)
    click.echo(f"key id {key.public.id}", err=True)


@command.command("protect")
@click.argument("name", default="")
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="A key file elsewhere, such as a root's, instead of a NAME.",
)
@click.option("--remove", is_flag=True, help="Take the passphrase off.")
def protect(name: str, file: Path | None, remove: bool) -> None:  # noqa: FBT001 - click's signature
    """Put a person's key file under a passphrase, or under another one.

    NAME is yours if none is given; `root` is the root's key of this home.
    """
    from contract.key import PassphraseError, SigningKey, is_protected
    from orchestrator.cli.passphrase import new_passphrase, passphrases
    from orchestrator.cli.session import open_home
    from orchestrator.key_file import check_protectable, protect

    if file is not None and name:
        raise click.UsageError("give a NAME or --file, not both")
    home = open_home()
    own = home.key_place(name) if name else home.person_key(home.operator)
    path = file or own
    if not remove:
        check_protectable(path, home.service_keys)
    SigningKey.load(path, passphrases())  # the old passphrase is asked for before the new one
    new = None if remove else new_passphrase(path)
    if new is not None and is_protected(path) and new == passphrases()(path):
        raise PassphraseError(f"{path} has this passphrase already")
    protect(path, passphrases(), new)
    click.echo(f"{path} has {'no' if remove else 'a'} passphrase now", err=True)


@command.command("add")
@click.argument("name")
@click.argument("public", default="")
@ssh_option
@click.option("--role", "roles", multiple=True, help="Of a new person; may be repeated.")
@_ROOTS
def add(
    name: str, public: str, ssh: Path | None, roles: tuple[str, ...], roots: tuple[Path, ...]
) -> None:
    """Let a person sign, by the PUBLIC half of their key, as their roles say.

    Without --role it is a further key of a person who is there.
    """
    from contract.key import VerifyKey
    from contract.keyring import Person
    from orchestrator.amendment import add_key, add_person
    from orchestrator.founding import window
    from orchestrator.ssh.public_key import read_public_key

    if bool(public) == (ssh is not None):
        raise click.UsageError("give the PUBLIC half of a key, or --ssh with a file of it")
    if public.startswith("ssh-"):
        raise click.UsageError("that is OpenSSH's form of a key: name its file, --ssh FILE.pub")
    key = read_public_key(ssh) if ssh else VerifyKey(public)

    def added(keyring: "Keyring", now: int) -> "Keyring":
        known = any(person.name == name for person in keyring.people)
        if known and not roles:
            return add_key(keyring, name, window(key, now))
        person = Person(name=name, keys=[window(key, now)], roles=list(roles))
        return add_person(keyring, person, now)

    _change(added, roots)


@command.command("rotate")
@click.argument("name")
@ssh_option
@click.option(
    "--overlap",
    type=Duration(),
    default="7d",
    show_default=True,
    help="How long the old key counts beside the new one.",
)
@_ROOTS
def rotate(name: str, ssh: Path | None, overlap: timedelta, roots: tuple[Path, ...]) -> None:
    """Give a person or a service of this home a new key; `root` gives the home's root one.

    The old key counts on for a while, so that no run is lost. A server that runs must be started
    again within that time to sign with the new key of its service. The new key has the old one's
    passphrase, if that has one.
    """
    from contract.keyring import RootKey
    from orchestrator.amendment import add_key, set_root
    from orchestrator.cli.passphrase import passphrases, same_passphrase
    from orchestrator.cli.session import open_home
    from orchestrator.founding import window
    from orchestrator.rotation import begin

    home = open_home()
    is_root = name == "root"
    begun = begin(home, name, ssh, passphrases())
    same_passphrase(begun.waiting, begun.place)
    old, new = begun.old.public, begun.new.public

    def rotated(keyring: "Keyring", now: int) -> "Keyring":
        if is_root:
            owner = next((r.name for r in keyring.roots.keys if r.key == old.text), name)
            return set_root(keyring, RootKey(name=owner, key=new.text), now)
        length = round(overlap.total_seconds() * 1000)
        return add_key(keyring, name, window(new, now), length)

    _change(rotated, (*_root_files(home, roots), *([begun.waiting] if is_root else [])))


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

    home = open_home()
    with home.open_store() as store:
        succession = _succession(home, store)
        for root in _signers(home, roots):
            progress = succession.sign_draft(root, now_ms())
    _tell(progress)


def _change(change: "Callable[[Keyring, int], Keyring]", roots: tuple[Path, ...]) -> None:
    """Draft the next keyring, sign it, and tell how far it is."""
    from contract.instant import now_ms
    from orchestrator.cli.session import open_home
    from orchestrator.succession import keyring_in_force

    home, now = open_home(), now_ms()
    with home.open_store() as store:
        following = change(keyring_in_force(home, store), now)
        progress = _succession(home, store).draft(following, _signers(home, roots), now)
    _tell(progress)


def _succession(home: "Home", store: "Store") -> "Succession":
    from orchestrator.cli.passphrase import passphrases
    from orchestrator.succession import Succession

    return Succession(home, store, passphrases())


def _signers(home: "Home", roots: tuple[Path, ...]) -> "list[Signer]":
    from orchestrator.cli.passphrase import passphrases
    from orchestrator.key_file import open_signer

    return [open_signer(path, passphrases()) for path in _root_files(home, roots)]


def _root_files(home: "Home", roots: tuple[Path, ...]) -> tuple[Path, ...]:
    from orchestrator.key_file import present

    return roots or (present(home.root_key) or home.root_key,)


def _tell(progress: "Progress") -> None:
    version = progress.keyring.version
    if not progress.lacking:
        click.echo(f"keyring {version} is in force; the server sends it to every host")
        return
    for sentence in progress.lacking:
        click.echo(f"keyring {version} is not in force yet: {sentence}")
    click.echo(f"draft: {progress.draft}; sign it with `denrei key sign --root FILE`", err=True)
