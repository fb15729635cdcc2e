"""Whose key signs: `--as`, the environment, the home; and a colleague's home of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import SigningKey
from contract.keyring import RootKey
from contract.order import sign_message
from orchestrator.amendment import set_root
from orchestrator.home import Home
from orchestrator.store.record import Kind
from orchestrator.store.store import Store
from tests.signing_host import payload_of
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place

TAKES = pytest.mark.parametrize("how", ["option before", "option after", "environment", "home"])


@pytest.fixture
def bob(place: Place, denrei: Denrei) -> SigningKey:
    """A second person whose key is in the same home."""
    path = place.home.person_key("bob")
    public = denrei("key", "new", path).out.strip()
    roles = ("--role", "operator", "--role", "approver")
    assert denrei("key", "add", "bob", public, *roles).code == 0
    return SigningKey.load(path)


def newest_order(place: Place, run_id: str, host: str = "web1") -> bytes:
    with place.store() as store:
        (letter,) = store.envelopes.list(run_id=run_id, host=host, kinds=[Kind.ORDER])[-1:]
    return letter.data


@TAKES
def test_operator_is_taken_from_option_environment_or_home(
    place: Place,
    denrei: Denrei,
    bob: SigningKey,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments: list[str] = ["submit", "look", "--host", "web1", "--detach"]
    match how:
        case "option before":
            monkeypatch.setenv("DENREI_OPERATOR", "alice")
            arguments = ["--as", "bob", *arguments]
        case "option after":
            arguments = [*arguments, "--as", "bob"]
        case "environment":
            monkeypatch.setenv("DENREI_OPERATOR", "bob")
        case _:
            settings = place.home.path / "denrei.yaml"
            settings.write_text(settings.read_text().replace('"alice"', '"bob"'))
    run_id = denrei(*arguments).out.strip()
    assert b'"operator":"bob"' in payload_of(newest_order(place, run_id), bob, PayloadType.ORDER)


def test_operator_chosen_signs_cancels_pings_and_approvals(
    place: Place, denrei: Denrei, bob: SigningKey
) -> None:
    run_id = denrei("submit", "look", "--host", "web1", "--people", "2", "--detach").out.strip()
    said = denrei("run", "approve", run_id, "--as", "bob", "-y")
    assert "approved by bob" in said.err
    denrei("host", "ping", "web1", "--timeout", "0s", "--as", "bob")
    denrei("run", "cancel", run_id, "-y", "--detach", "--as", "bob")
    with place.store() as store:
        pings = store.envelopes.list(kinds=[Kind.PING])
        cancels = store.envelopes.list(kinds=[Kind.CANCEL])
    assert b'"operator":"bob"' in payload_of(pings[0].data, bob, PayloadType.PING)
    assert b'"operator":"bob"' in payload_of(cancels[0].data, bob, PayloadType.CANCEL)


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("bub", 6, "the keyring knows no person 'bub'; did you mean 'bob'?"),
        ("beat", 1, "'beat' can't be the operator's name"),
        ("../../bob", 1, "'../../bob' can't be the operator's name"),
    ],
)
def test_operator_that_is_nobody_is_told_before_anything_is_signed(
    place: Place, denrei: Denrei, name: str, code: int, told: str
) -> None:
    said = denrei("submit", "look", "--all", "--detach", "--as", name)
    assert said.code == code
    assert told in said.err
    with place.store() as store:
        assert store.runs.list() == []


def test_operator_by_a_key_that_hosts_do_not_believe_is_told(
    place: Place, denrei: Denrei, bob: SigningKey
) -> None:
    """Revoked, or not in the keyring yet: the host would refuse it, and so does the command."""
    path = place.home.person_key("bob")
    path.unlink()
    public = denrei("key", "new", path).out.strip()
    said = denrei("submit", "look", "--all", "--detach", "--as", "bob")
    assert said.code == 6
    assert f"`denrei key add bob {public}`" in said.err
    assert denrei("key", "add", "bob", public).code == 0
    assert denrei("submit", "look", "--all", "--detach", "--as", "bob").code == 0
    denrei("key", "revoke", SigningKey.load(path).public.id)
    said = denrei("submit", "look", "--all", "--detach", "--as", "bob")
    assert said.code == 6
    assert "does not count; `denrei key list` says why" in said.err


@pytest.mark.usefixtures("bob")
def test_operator_s_name_can_be_completed(place: Place) -> None:
    with place.start(
        _DENREI_COMPLETE="bash_complete", COMP_WORDS="denrei --as b", COMP_CWORD="2"
    ) as process:
        out, _ = process.communicate(timeout=20)
    assert out.split() == ["plain,bob"]


def test_key_add_without_roles_is_a_further_key_of_a_person_who_is_there(
    place: Place, denrei: Denrei, bob: SigningKey
) -> None:
    further = SigningKey.generate().public.text
    assert denrei("key", "add", "bob", further).code == 0
    with place.store() as store:
        (person,) = (each for each in store.keyrings.newest().people if each.name == "bob")
    assert [each.key for each in person.keys] == [bob.public.text, further]
    assert person.roles == ["operator", "approver"]
    assert all(each.counts_at(now_ms()) for each in person.keys)
    for arguments, told in (
        (("bob", further, "--role", "operator"), "bob is there already; without --role it is"),
        (("carol", further), "carol is not there yet; give the roles with --role"),
        (("bob", further), "stands there twice"),
        (("beat", SigningKey.generate().public.text), "beat is there already"),
        (("bob",), "give the PUBLIC half of a key, or --ssh"),
        (("bob", further, "--ssh", "x.pub"), "give the PUBLIC half of a key, or --ssh"),
    ):
        said = denrei("key", "add", *arguments)
        assert said.code == 2
        assert told in said.err


def own(place: Place) -> Path:
    """The first home's runbooks."""
    return place.home.runbooks


@pytest.fixture
def join(place: Place, denrei: Denrei, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make carol a home of her own on the store of alice's."""

    def made(*arguments: str) -> Path:
        home = place.folder / "carol"
        store = place.home.path / "store.db"
        base = ("init", "--home", home, "--join", "--operator", "carol", "--store", store)
        said = denrei(*base, *arguments)
        assert said.code == 0, said.err
        assert f"roots     {place.home.roots}\n" in said.out
        return home

    return made


def test_init_join_makes_a_person_s_key_and_no_other(
    place: Place, denrei: Denrei, join: Callable[..., Path]
) -> None:
    with place.store() as store:
        before = store.keyrings.newest_letter()
    home = join()
    assert [path.name for path in (home / "keys").rglob("*.p*") if path.is_file()] == ["carol.pem"]
    assert not (home / "schedules.yaml").exists()
    with place.store() as store:
        assert store.keyrings.newest_letter() == before
    assert Home.open(home).roots == place.home.roots == Home.open(place.home.path).roots
    assert f"founded by the roots {place.home.roots}" in denrei("key", "list").err
    again = denrei("init", "--home", home, "--join", "--operator", "x", "--store", "y")
    assert (again.code, "already; nothing was changed" in again.err) == (1, True)


def test_init_join_ends_with_what_the_others_type_and_then_the_colleague_signs(
    place: Place, denrei: Denrei, join: Callable[..., Path]
) -> None:
    home = join()
    key = SigningKey.load(home / "keys/person/carol.pem")
    said = denrei("submit", "look", "--all", "--detach", "--home", home, "--runbooks", own(place))
    assert said.code == 6
    assert "the keyring knows no person 'carol'" in said.err
    assert denrei("key", "add", "carol", key.public.text, "--role", "operator").code == 0
    submit = ("submit", "look", "--host", "web1", "--detach", "--runbooks", own(place))
    said = denrei(*submit, "--home", home)
    assert said.code == 0, said.err
    order = newest_order(place, said.out.strip())
    assert b'"operator":"carol"' in payload_of(order, key, PayloadType.ORDER)
    for arguments in (("server", "--only", "recorder"), ("key", "revoke", key.public.id)):
        said = denrei("--home", home, *arguments)
        assert said.code == 1
        assert "no key at" in said.err


def test_init_join_says_what_to_type_as_it_will_work(
    place: Place, denrei: Denrei, tmp_path: Path
) -> None:
    """A new name gets roles; a name that is there gets a further key: as from a second machine."""
    store = ("--join", "--store", place.home.path / "store.db")
    for name, ending in (("carol", " --role ROLE"), ("alice", "")):
        said = denrei("init", "--home", tmp_path / f"{name}2", *store, "--operator", name)
        public = SigningKey.load(tmp_path / f"{name}2/keys/person/{name}.pem").public.text
        assert said.err.splitlines()[-1] == f"  denrei key add {name} {public}{ending}"


def test_init_join_where_nobody_has_founded_anything_makes_nothing(
    denrei: Denrei, place: Place, tmp_path: Path
) -> None:
    Store.create(f"sqlite:///{tmp_path / 'empty.db'}").close()
    home = tmp_path / "new"
    base = ("init", "--home", home, "--join", "--operator", "carol")
    for store, code, told in (
        (["--store", tmp_path / "empty.db"], 1, "the store has no keyring: nobody has founded"),
        (["--store", tmp_path / "absent.db"], 1, "there is no store at"),
        (["--store", "postgresql://nobody@127.0.0.1:1/x"], 1, "the store"),
        ([], 2, "--join needs --store: the database that the others use"),
    ):
        said = denrei(*base, *store)
        assert said.code == code, said.err
        assert told in said.err
        assert len([line for line in said.err.splitlines() if line.startswith("denrei:")]) == 1
        assert not home.exists()
    assert not (tmp_path / "absent.db").exists()


def test_store_with_another_fleet_s_keyring_is_not_believed(
    place: Place, denrei: Denrei, join: Callable[..., Path]
) -> None:
    """Whoever can write to the shared store could name people of his own choice there."""
    home = join()
    mallory = Home.create(place.folder / "mallory", "redis://127.0.0.1:1/0", "carol")
    with mallory.open_store() as store:
        letter = store.keyrings.newest_letter()
    with place.store() as store:
        with store._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM keyrings")
        store.keyrings.add(letter, now_ms())
    for arguments in (
        ("submit", "look", "--all", "--runbooks", own(place)),
        ("key", "list"),
        ("key", "add", "mallory", SigningKey.generate().public.text, "--role", "operator"),
    ):
        said = denrei("--home", home, *arguments)
        assert said.code == 2
        assert "its roots are not those that were pinned: it is another fleet's" in said.err


def test_keyring_whose_roots_were_exchanged_is_believed_by_its_chain(
    place: Place, denrei: Denrei, join: Callable[..., Path]
) -> None:
    home = join()
    assert denrei("key", "rotate", "root").code == 0
    assert denrei("--home", home, "key", "list").code == 0
    stranger = SigningKey.generate()
    with place.store() as store:
        newest = store.keyrings.newest()
        (owner,) = newest.roots.keys
        usurped = set_root(newest, RootKey(name=owner.name, key=stranger.public.text), now_ms())
        store.keyrings.add(sign_message(PayloadType.KEYRING, usurped, stranger), now_ms())
    said = denrei("--home", home, "key", "list")
    assert (said.code, "signed by" in said.err) == (2, True)
