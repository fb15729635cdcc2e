"""The orchestrator's home."""

import stat
from pathlib import Path

import pytest

from contract.document import DocumentError
from contract.error import DenreiError
from contract.key import SigningKey
from contract.keyring import Duty, RootKey, Roots
from contract.succession import fingerprint, open_first
from orchestrator.home import Home, HomeError
from orchestrator.library import Origin

BROKER = "redis://:se%20cret@127.0.0.1:6379/0"


def test_home_created_opens_as_it_was_made(tmp_path: Path) -> None:
    created = Home.create(tmp_path / "home", BROKER, "alice@example.org")
    assert Home.open(tmp_path / "home") == created
    with created.open_store() as store:
        assert store.hosts.all() == []


def test_home_first_keyring_names_its_keys_and_is_signed_by_its_root(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", BROKER, "alice")
    with home.open_store() as store:
        keyring = open_first(store.keyrings.newest_letter(), fingerprint(_roots(home)))
    (alice,) = keyring.people
    assert (alice.name, alice.keys[0].key) == ("alice", home.operator_key().public.text)
    assert {each.duty: each.keys[0].key for each in keyring.services} == {
        Duty.SCHEDULER: home.beat_key().public.text,
        Duty.RECORDER: home.recorder_key().public.text,
        Duty.REGISTRAR: home.registrar_key().public.text,
    }


def _roots(home: Home) -> Roots:
    root = SigningKey.load(home.root_key).public.text
    return Roots(threshold=1, keys=[RootKey(name="alice", key=root)])


def test_home_private_files_are_their_owners_alone(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", BROKER, "alice")
    private = [home.path / "denrei.yaml", *(home.path / "keys").rglob("*.pem")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert stat.S_IMODE((home.path / "keys").stat().st_mode) == 0o700


def test_home_created_twice_is_refused_and_left_alone(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", BROKER, "alice")
    before = home.operator_key().public.text
    with pytest.raises(HomeError, match="already"):
        Home.create(tmp_path / "home", BROKER, "mallory")
    assert Home.open(home.path).operator_key().public.text == before


def test_home_begun_and_not_finished_is_made_with_the_same_keys(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", BROKER, "alice")
    before = home.operator_key().public.text
    (home.path / "denrei.yaml").unlink()
    again = Home.create(tmp_path / "home", BROKER, "alice")
    assert again.operator_key().public.text == before
    with again.open_store() as store:
        assert store.keyrings.newest().people[0].keys[0].key == before
        assert store.keyrings.newest_version() == 1


def test_home_absent_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="run `denrei init`"):
        Home.open(tmp_path / "absent")


def test_home_settings_with_a_mistake_tell_the_place(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", BROKER, "alice")
    config = home.path / "denrei.yaml"
    config.write_text(config.read_text().replace("broker:", "broke:"))
    with pytest.raises(DocumentError, match=r"denrei.yaml:1:1: .*did you mean 'broker'"):
        Home.open(home.path)


@pytest.mark.parametrize(
    ("broker", "operator"),
    [
        ("http://x", "alice"),
        ("", "alice"),
        (BROKER, ""),
        (BROKER, "beat"),
        (BROKER, "x" * 65),
        (BROKER, "a/b"),
    ],
)
def test_home_settings_of_no_use_are_refused(tmp_path: Path, broker: str, operator: str) -> None:
    with pytest.raises(DenreiError):
        Home.create(tmp_path / "home", broker, operator)
    assert not (tmp_path / "home").exists()


def test_home_that_nobody_can_write_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeError, match="can't write"):
        Home.create(tmp_path / "file" / "home", BROKER, "alice")


def test_home_runbooks_of_its_own_come_before_the_shipped_ones(tmp_path: Path) -> None:
    home = Home.create(tmp_path / "home", BROKER, "alice")
    (home.runbooks / "check.yaml").write_text("name: check\n")
    assert home.library().find("check").origin is Origin.HOME
