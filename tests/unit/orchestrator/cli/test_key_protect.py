"""`denrei key protect`, and every command that makes, exchanges or adopts a protected key."""

import json
import stat
from pathlib import Path

import pytest

from contract.key import SigningKey, is_protected
from contract.keyring import RootKey, Roots
from orchestrator.amendment import amend
from orchestrator.succession import Succession
from tests.unit.orchestrator.cli.conftest import WORDS, Denrei, loads
from tests.unit.orchestrator.cli.place import Place


def test_key_protect_puts_a_passphrase_on_one_s_own_key_and_takes_it_off(
    place: Place, denrei: Denrei, file: Path
) -> None:
    path = place.home.person_key("alice")
    said = denrei("key", "protect")
    assert said == (0, "", f"{path} has a passphrase now\n")
    assert is_protected(path)
    assert loads(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert denrei("submit", "look", "--all", "--detach").code == 0
    assert denrei("key", "protect", "--remove").err == f"{path} has no passphrase now\n"
    assert not is_protected(path)


def test_key_protect_takes_the_root_and_any_file(
    place: Place, denrei: Denrei, file: Path, tmp_path: Path
) -> None:
    assert denrei("key", "protect", "root").code == 0
    assert is_protected(place.home.root_key)
    assert denrei("key", "rotate", "beat").out.startswith("keyring 2 is in force")
    SigningKey.generate().save(tmp_path / "second.pem")
    assert denrei("key", "protect", "--file", tmp_path / "second.pem").code == 0
    assert loads(tmp_path / "second.pem")


@pytest.mark.parametrize("name", ["beat", "recorder", "registrar"])
def test_key_protect_refuses_the_keys_of_services(
    place: Place, denrei: Denrei, file: Path, name: str
) -> None:
    """They sign while nobody is there: the server would not start any more."""
    path = place.home.service_key(name)
    for arguments in ([name], ["--file", str(path)]):
        said = denrei("key", "protect", *arguments)
        assert said.code == 1
        assert f"{path} belongs to a service that signs while nobody is there" in said.err
    assert not is_protected(path)


def test_server_with_a_protected_key_says_what_to_do(
    place: Place, denrei: Denrei, file: Path
) -> None:
    """One that was protected by other means; the cure works."""
    path = place.home.service_key("recorder")
    protected = place.folder / "other.pem"
    denrei("key", "new", protected, "--passphrase")
    protected.replace(path)
    said = denrei("server", "--only", "recorder")
    assert said.code == 1
    cure = f"denrei key protect --remove --file {path}"
    assert cure in said.err
    assert denrei(*cure.split()[1:]).code == 0
    assert not is_protected(path)


def test_key_new_and_init_make_protected_keys(denrei: Denrei, tmp_path: Path, file: Path) -> None:
    made = denrei("key", "new", tmp_path / "bob.pem", "--passphrase")
    assert made.code == 0
    assert loads(tmp_path / "bob.pem")
    home = tmp_path / "new"
    assert denrei("init", "--home", home, "--operator", "alice", "--passphrase").code == 0
    assert loads(home / "keys/person/alice.pem")
    assert loads(home / "keys/root.pem")
    assert not is_protected(home / "keys/service/beat.pem")


def test_key_rotate_gives_the_new_key_the_old_one_s_passphrase(
    place: Place, denrei: Denrei, file: Path
) -> None:
    path, before = place.home.person_key("alice"), place.home.operator_key().public
    for name in ("alice", "root"):
        assert denrei("key", "protect", name).code == 0
    assert denrei("key", "rotate", "alice").out.startswith("keyring 2 is in force")
    assert loads(path)
    assert place.home.operator_key(lambda _: WORDS.encode()).public.text != before.text
    assert loads(path.with_name(f"alice.old-{before.id[:8]}.pem"))
    assert denrei("key", "rotate", "root").out.startswith("keyring 3 is in force")
    assert loads(place.home.root_key)


def test_key_that_waits_for_a_second_root_takes_its_place_by_its_passphrase(
    place: Place, denrei: Denrei, file: Path, tmp_path: Path
) -> None:
    """Without it nothing is in force: a key that nobody can use would sign from then on."""
    first, second = SigningKey.load(place.home.root_key), SigningKey.generate()
    second.save(tmp_path / "second.pem")
    keys = [RootKey(name=n, key=k.public.text) for n, k in (("a", first), ("b", second))]
    with place.store() as store:
        newest = store.keyrings.newest()
        two = amend(newest, newest.issued_at + 1, roots=Roots(threshold=2, keys=keys))
        Succession(place.home, store).draft(two, [first, second], newest.issued_at + 1)
    denrei("key", "protect")
    assert "keyring 3 is not in force yet" in denrei("key", "rotate", "alice").out
    file.write_text("wrong words")
    said = denrei("key", "sign", "--root", tmp_path / "second.pem")
    assert (said.code, "alice.new.pem" in said.err) == (1, True)
    with place.store() as store:
        assert store.keyrings.newest_version() == 2
    file.write_text(WORDS)
    said = denrei("key", "sign", "--root", tmp_path / "second.pem")
    assert said.out.startswith("keyring 3 is in force"), said.err
    assert loads(place.home.person_key("alice"))
    assert denrei("submit", "look", "--all", "--detach").code == 0


def test_key_protect_refuses_a_short_passphrase_and_the_one_that_it_has(
    place: Place, denrei: Denrei, file: Path
) -> None:
    file.write_text("seven77\n")
    said = denrei("key", "protect")
    assert (said.code, said.err) == (1, "denrei: a passphrase has at least 8 characters\n")
    file.write_text(WORDS)
    denrei("key", "protect")
    said = denrei("key", "protect")
    assert said.code == 1
    assert "has this passphrase already" in said.err


def test_key_protect_of_what_is_not_there_or_ssh_agent_s_is_told(
    place: Place, denrei: Denrei, file: Path
) -> None:
    assert "no key at" in denrei("key", "protect", "bob").err
    public = place.home.person_key("bob").with_suffix(".pub")
    public.write_text("ssh-ed25519 x\n")
    for arguments in (["bob"], ["--file", str(public)]):
        said = denrei("key", "protect", *arguments)
        assert said.code == 1
        assert "`ssh-keygen -p` changes that one's passphrase" in said.err
    assert denrei("key", "protect", "bob", "--file", public).code == 2


def test_key_list_needs_no_passphrase(place: Place, denrei: Denrei, file: Path) -> None:
    for name in ("alice", "root"):
        denrei("key", "protect", name)
    file.unlink()
    said = denrei("key", "list", "-o", "json")
    assert said.code == 0
    assert json.loads(said.out)["founding_roots"] == place.home.roots
