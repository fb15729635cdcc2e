"""`denrei key`: who may sign, and how that changes."""

import json
from pathlib import Path
from typing import Any

from contract.key import SigningKey
from contract.keyring import RootKey, Roots
from contract.succession import open_next
from orchestrator.amendment import amend
from orchestrator.succession import Succession
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place


def listed(denrei: Denrei) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(denrei("key", "list", "-o", "json").out)
    return document


def states(denrei: Denrei, name: str) -> list[str]:
    return [key["state"] for key in listed(denrei)["keys"] if key["name"] == name]


def test_key_list_names_people_services_roots_and_hosts_that_are_behind(
    place: Place, denrei: Denrei
) -> None:
    said = denrei("key", "list")
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()[1:]] == [
        *(place.home.operator, "beat", "recorder", "registrar", place.home.operator)
    ]
    assert "keyring 1, signed by 1 of 1 roots" in said.err
    denrei("key", "rotate", "beat")
    assert listed(denrei)["hosts_behind"] == sorted(place.sides)


def test_key_rotate_gives_a_new_key_and_lets_the_old_one_count_for_a_while(
    place: Place, denrei: Denrei
) -> None:
    name, before = place.home.operator, place.home.operator_key().public.text
    said = denrei("key", "rotate", name, "--overlap", "2d")
    assert (said.code, said.out) == (
        0,
        "keyring 2 is in force; the server sends it to every host\n",
    )
    assert states(denrei, name) == ["counts", "counts"]
    assert place.home.operator_key().public.text != before
    run = denrei("submit", "look", "--host", "db1", "--detach")
    assert run.code == 0


def test_key_rotate_root_is_signed_by_old_and_new(place: Place, denrei: Denrei) -> None:
    with place.store() as store:
        first = store.keyrings.newest()
    assert denrei("key", "rotate", "root").code == 0
    with place.store() as store:
        following = open_next(store.keyrings.newest_letter(), first)
    root = SigningKey.load(place.home.root_key).public.text
    assert [key.key for key in following.roots.keys] == [root]
    assert denrei("key", "rotate", "beat").code == 0


def test_key_add_and_revoke_a_person(place: Place, denrei: Denrei, tmp_path: Path) -> None:
    made = denrei("key", "new", tmp_path / "bob.pem")
    public = made.out.strip()
    assert SigningKey.load(tmp_path / "bob.pem").public.text == public
    assert denrei("key", "add", "bob", public, "--role", "approver").code == 0
    assert states(denrei, "bob") == ["counts"]
    key_id = SigningKey.load(tmp_path / "bob.pem").public.id
    assert denrei("key", "revoke", key_id[:8]).code == 0
    assert states(denrei, "bob") == ["revoked"]
    again = denrei("key", "revoke", key_id[:8])
    assert (again.code, again.err) == (2, "denrei: that key of bob is revoked already\n")


def test_key_of_no_use_is_refused_and_nothing_changes(place: Place, denrei: Denrei) -> None:
    public = SigningKey.generate().public.text
    weak = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    ours = place.home.operator_key().public.text
    for arguments, words in (
        (("add", "bob", weak, "--role", "approver"), "small order"),
        (("add", "bob", ours, "--role", "approver"), "stands there twice"),
        (("add", "bob", public, "--role", "aprover"), "did you mean 'approver'"),
        (("add", "beat", public, "--role", "approver"), "is there already"),
        (("revoke", "zz"), "`denrei key list` has them"),
        (("revoke", ""), "`denrei key list` has them"),
        (("rotate", "nobody"), "no key at"),
        (("rotate", "beat", "--ssh", "x.pub"), "its key can't be ssh-agent's"),
        (("rotate", "alice", "--ssh", "/absent.pub"), "can't read the public key /absent.pub"),
        (("sign",), "there is nothing to sign"),
    ):
        said = denrei("key", *arguments)
        assert said.code in (1, 2)
        assert words in said.err
    assert listed(denrei)["version"] == 1


def test_key_change_that_takes_two_roots_waits_for_the_second(
    place: Place, denrei: Denrei, tmp_path: Path
) -> None:
    second = SigningKey.generate()
    second.save(tmp_path / "second.pem")
    first = SigningKey.load(place.home.root_key)
    keys = [RootKey(name=n, key=k.public.text) for n, k in (("a", first), ("b", second))]
    with place.store() as store:
        newest = store.keyrings.newest()
        two = amend(newest, newest.issued_at + 1, roots=Roots(threshold=2, keys=keys))
        made = Succession(place.home, store).draft(two, [first, second], newest.issued_at + 1)
        assert made.lacking == ()
    begun = denrei("key", "rotate", "beat")
    assert "keyring 3 is not in force yet: signed by 1 of the 2 roots" in begun.out
    assert listed(denrei)["version"] == 2
    assert denrei("key", "rotate", "recorder").code == 2
    signed = denrei("key", "sign", "--root", tmp_path / "second.pem")
    assert signed.out == "keyring 3 is in force; the server sends it to every host\n"
    assert states(denrei, "beat") == ["counts", "counts"]


def test_key_add_of_a_line_of_openssh_s_says_to_name_the_file(denrei: Denrei) -> None:
    said = denrei("key", "add", "bob", "ssh-ed25519 AAAA bob@here", "--role", "operator")
    assert said.code == 2
    assert "--ssh FILE.pub" in said.err
