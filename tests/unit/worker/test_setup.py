"""Preparing a host: all that a worker needs, completed when cut off, and never done twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from contract.error import DenreiError
from contract.key import SealKey, SigningKey
from contract.names import HostNameError
from contract.trust import TrustError, Welcome, load_host_keys, load_welcome
from tests.fleet_keys import FleetKeys
from worker.config import Config, load_config
from worker.courier_config import load_courier_config
from worker.ledger import Ledger
from worker.membership import load_membership
from worker.policy_file import load_policy
from worker.setup import SetupError, prepare, take_welcome

BROKER = "redis://:p%40ss@localhost:6379/0"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(
        path=tmp_path / "etc/worker.yaml",
        name="web1",
        state=tmp_path / "state",
    )


def test_prepare_makes_all_that_the_worker_reads(config: Config) -> None:
    prepare(config, BROKER)
    assert load_config(config.path) == config
    assert load_courier_config(config.courier_config).broker == BROKER
    keys = load_host_keys(config.public)
    assert keys.denrei_host == "web1"
    assert keys.sign == SigningKey.load(config.sign_key).public.text
    assert load_policy(config.policy).runbooks == ("*",)
    Ledger(config.ledger).close()
    for private in (config.courier_config.parent, config.sign_key, config.seal_key, config.ledger):
        assert private.stat().st_mode & 0o077 == 0


def test_prepare_leaves_the_broker_out_of_what_the_executor_reads(config: Config) -> None:
    prepare(config, BROKER)
    assert "p%40ss" not in config.path.read_text()


@pytest.mark.parametrize(
    ("state", "name"), [("st: ate #1", "web1"), ("state", "123"), ("'quoted\"", "true")]
)
def test_prepare_writes_names_that_yaml_would_misread(
    config: Config, tmp_path: Path, state: str, name: str
) -> None:
    odd = replace(config, state=tmp_path / state, name=name)
    prepare(odd, BROKER)
    assert load_config(odd.path) == odd


def test_prepare_twice_is_refused_and_keeps_the_keys(config: Config) -> None:
    prepare(config, BROKER)
    before = config.sign_key.read_bytes()
    with pytest.raises(SetupError, match="exists already"):
        prepare(config, BROKER)
    assert config.sign_key.read_bytes() == before


def test_prepare_after_one_that_was_cut_off_completes_it(config: Config) -> None:
    """worker.yaml comes last: without it nothing is prepared, and what is there is kept."""
    prepare(config, BROKER)
    config.path.unlink()
    config.policy.unlink()
    config.seal_key.unlink()
    before = config.sign_key.read_bytes()
    prepare(config, BROKER)
    assert config.sign_key.read_bytes() == before
    assert load_config(config.path) == config
    load_policy(config.policy)


def test_prepare_where_a_file_is_in_the_way_is_told(config: Config) -> None:
    config.path.parent.write_text("a file")
    with pytest.raises(SetupError, match=r"can't prepare .*etc"):
        prepare(config, BROKER)


def test_prepare_a_name_that_no_host_may_have_is_refused(config: Config) -> None:
    with pytest.raises(HostNameError):
        prepare(replace(config, name="../web1"), BROKER)
    assert not config.state.exists()


def welcome(config: Config, name: str = "web1") -> Welcome:
    fleet = FleetKeys()
    sign, seal = SigningKey.load(config.sign_key), SealKey.load(config.seal_key)
    return Welcome.of(fleet.sign(fleet.keyring()), fleet.admission(name, sign, seal))


def test_take_welcome_is_what_the_worker_goes_by(config: Config) -> None:
    prepare(config, BROKER)
    taken = take_welcome(config, welcome(config))
    assert load_membership(config) == taken
    assert (taken.host, taken.epoch, taken.keyring.version) == ("web1", 1, 1)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"denrei_welcome": 2}'])
def test_welcome_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "welcome.json").write_text(text)
    with pytest.raises(TrustError, match=r"welcome\.json"):
        load_welcome(tmp_path / "welcome.json")


def test_take_welcome_of_another_host_changes_nothing(config: Config) -> None:
    prepare(config, BROKER)
    with pytest.raises(SetupError, match="it welcomes 'web2'"):
        take_welcome(config, welcome(config, "web2"))
    assert not config.keyring.exists()


def test_take_welcome_whose_letters_are_damaged_is_told(config: Config) -> None:
    prepare(config, BROKER)
    for damaged in (Welcome(1, "é", ""), Welcome(1, "QUJD", "QUJD")):
        with pytest.raises(DenreiError):
            take_welcome(config, damaged)
    assert not config.keyring.exists()
