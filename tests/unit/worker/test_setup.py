"""Putting an enrolment in place: whole, or completed by being done again; never half believed."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.broker import NO_FILES, BrokerFiles
from contract.key import SealKey, SigningKey
from contract.names import HostNameError
from tests.fleet_keys import FleetKeys
from worker.admitted import Admitted
from worker.config import Config, load_config
from worker.courier_config import load_courier_config
from worker.host_keys import HostKeys
from worker.ledger import Ledger
from worker.ledger_file import LedgerError
from worker.liveness import take
from worker.mailbox import Mailbox
from worker.membership import MembershipError, load_membership
from worker.policy_file import load_policy, shipped_policy
from worker.setup import Choices, Drafts, SetupError, check_idle, epoch_of, make_directories, settle

BROKER = "redis://host.web1:p%40ss@broker:6379/0"
FLEET = FleetKeys()
CHOICES = Choices("permissive", NO_FILES)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(path=tmp_path / "etc/worker.yaml", name="web1", state=tmp_path / "state")


def admitted(config: Config, epoch: int = 1) -> tuple[Drafts, Admitted]:
    """Return the keys that were made for a token, and what the token brought."""
    make_directories(config)
    drafts = Drafts.of(config, f"{epoch:032x}")
    keys = HostKeys.at(drafts.sign, drafts.seal)
    letter = FLEET.admission(config.name, keys.sign, keys.seal, epoch=epoch)
    return drafts, Admitted(FLEET.membership(letter), letter, BROKER)


def enrol(config: Config, epoch: int = 1, choices: Choices = CHOICES) -> None:
    settle(config, *admitted(config, epoch), choices)


def check_member(config: Config, epoch: int = 1) -> None:
    """See to it that a worker finds all that it reads, and each part fits the others."""
    assert load_config(config.path) == config
    found = load_membership(config)
    assert (found.host, found.epoch) == (config.name, epoch)
    assert found.admission.sign == SigningKey.load(config.sign_key).public.text
    assert found.admission.seal == SealKey.load(config.seal_key).public.text
    assert load_courier_config(config.courier_config).broker == BROKER
    load_policy(config.policy)
    Ledger(config.ledger).close()


def test_settle_makes_all_that_the_worker_reads(config: Config) -> None:
    enrol(config)
    check_member(config)
    assert epoch_of(config) == 1
    keys = config.sign_key.parent
    assert {path.name for path in keys.iterdir()} == {"sign.pem", "seal.pem"}
    for private in (config.courier_config.parent, config.sign_key, config.seal_key, config.ledger):
        assert private.stat().st_mode & 0o077 == 0


def test_settle_leaves_the_broker_out_of_what_the_executor_reads(config: Config) -> None:
    enrol(config)
    assert "p%40ss" not in config.path.read_text()


@pytest.mark.parametrize(
    ("state", "name"), [("st: ate #1", "web1"), ("state", "123"), ("'quoted\"", "true")]
)
def test_settle_writes_names_that_yaml_would_misread(
    config: Config, tmp_path: Path, state: str, name: str
) -> None:
    odd = replace(config, state=tmp_path / state, name=name)
    enrol(odd)
    assert load_config(odd.path) == odd


@pytest.mark.parametrize("policy", ["permissive", "strict"])
def test_settle_writes_the_policy_that_was_chosen(config: Config, policy: str) -> None:
    enrol(config, choices=Choices(policy, NO_FILES))
    assert config.policy.read_text() == shipped_policy(policy)


def test_settle_keeps_a_policy_that_is_there(config: Config) -> None:
    config.policy.parent.mkdir()
    config.policy.write_text("runbooks: []\n")
    enrol(config)
    assert config.policy.read_text() == "runbooks: []\n"


def test_settle_tells_the_courier_of_the_files_of_tls(config: Config, tmp_path: Path) -> None:
    drafts, found = admitted(config)
    files = BrokerFiles(ca=str(tmp_path / "ca.pem"))
    secure = replace(found, broker="rediss://broker:6379/0")
    settle(config, drafts, secure, Choices("strict", files))
    assert load_courier_config(config.courier_config).broker_files == files


def test_settle_where_a_file_is_in_the_way_is_told(config: Config) -> None:
    config.path.parent.write_text("a file")
    with pytest.raises(SetupError, match=r"can't write .*etc"):
        enrol(config)


def test_make_directories_for_a_name_that_no_host_may_have_makes_nothing(config: Config) -> None:
    with pytest.raises(HostNameError):
        make_directories(replace(config, name="../web1"))
    assert not config.state.exists()


def test_settle_anew_sets_the_former_epoch_aside(config: Config) -> None:
    """The new self knows no run of the old; what the old one did can still be read."""
    enrol(config)
    former_key, former_ledger = config.sign_key.read_bytes(), config.ledger.read_bytes()
    Mailbox(config.inbox).put(b"an order")
    Mailbox(config.outbox).put(b"a report")
    enrol(config, epoch=2)
    check_member(config, epoch=2)
    assert config.sign_key.read_bytes() != former_key
    aside = config.state / "epoch-1"
    assert (aside / "ledger.db").read_bytes() == former_ledger
    assert {"keyring.json", "admission.json"} <= {path.name for path in aside.iterdir()}
    assert Mailbox(config.inbox).letters() == Mailbox(config.outbox).letters() == []


@pytest.mark.parametrize("process", ["courier", "executor"])
def test_settle_while_a_worker_runs_changes_nothing(config: Config, process: str) -> None:
    enrol(config)
    found = admitted(config, epoch=2)
    lock = config.courier_lock if process == "courier" else config.executor_lock
    with HeldByAnother(lock), pytest.raises(SetupError, match=f"the {process} is running"):
        settle(config, *found, CHOICES)
    check_member(config, epoch=1)
    check_idle(config)


class HeldByAnother:
    """A lock that another process holds for a while."""

    def __init__(self, path: Path) -> None:
        ready, self._hold = os.pipe()
        told, tell = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._hold)
            take(path)
            os.write(tell, b"x")
            os.read(ready, 1)
            os._exit(0)
        os.read(told, 1)
        for descriptor in (ready, told, tell):
            os.close(descriptor)

    def __enter__(self) -> None:
        """Nothing more: it holds it already."""

    def __exit__(self, *_: object) -> None:
        os.close(self._hold)
        os.waitpid(self._pid, 0)


_EFFECTS = frozenset({"os.rename", "os.remove", "os.mkdir", "sqlite3.connect"})


def _dies_at(number: int, config: Config, epoch: int) -> bool:
    """Settle in a process that ends at its n-th change of the disk; tell whether it came to it."""
    found = admitted(config, epoch)
    pid = os.fork()
    if not pid:
        left = iter(range(number))

        def end(event: str, _arguments: Any) -> None:
            if event in _EFFECTS and next(left, None) is None:
                os._exit(1)

        sys.addaudithook(end)
        settle(config, *found, CHOICES)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


@pytest.mark.parametrize("former", [0, 1])
def test_settle_cut_off_anywhere_is_no_member_and_is_completed(tmp_path: Path, former: int) -> None:
    """Killed at each change of the disk: never half a member, and the same token completes it."""
    ends = 0
    for number in range(100):
        folder = tmp_path / str(number)
        config = Config(path=folder / "etc/worker.yaml", name="web1", state=folder / "state")
        if former:
            enrol(config)
        if not _dies_at(number, config, former + 1):
            break
        ends += 1
        for epoch in _starts_as(config):
            check_member(config, epoch)
        if epoch_of(config) <= former:
            enrol(config, former + 1)
        check_member(config, former + 1)
    assert ends >= 8


def _starts_as(config: Config) -> Iterator[int]:
    """Give the epoch as which a worker would start by now, if it would."""
    try:
        Ledger(config.ledger).close()
        yield load_membership(config).epoch
    except (LedgerError, MembershipError):
        return
