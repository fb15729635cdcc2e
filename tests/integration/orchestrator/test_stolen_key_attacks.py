"""Every key of a fleet in a thief's hands: each of them tries every kind of letter on the recorder.

A host's own key may say whatever it likes about its own host; here that is told apart.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from contract.envelope import PayloadType, sign
from contract.key import Signer, SigningKey
from contract.order import Message, encode, letter_digest
from contract.outcome import HostRunState
from contract.report import Report
from orchestrator.claim import LetterError
from orchestrator.inventory import Inventory
from orchestrator.ping import send_ping
from orchestrator.store.record import Run
from tests.attack.judges import host_messages
from tests.orchestrator_house import House
from tests.signing_host import SigningHost
from tests.unit.worker.letters import acknowledgement, cancel, order, ping

FROM_HOSTS = host_messages()
TO_HOSTS: dict[PayloadType, msgspec.Struct] = {
    PayloadType.ORDER: order(),
    PayloadType.CANCEL: cancel(),
    PayloadType.PING: ping(),
    PayloadType.ACKNOWLEDGEMENT: acknowledgement(),
}


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[House]:
    """A home with two hosts; no broker is needed."""
    house = House.build(tmp_path / "home", names=("web1", "web2"))
    yield house
    house.store.close()


def keys(house: House) -> dict[str, Signer]:
    folder = house.home.path / "keys"
    found: dict[str, Signer] = {
        str(p.relative_to(folder)): SigningKey.load(p) for p in folder.rglob("*.pem")
    }
    assert len(found) >= 4
    return {**found, "web2's": house.hosts["web2"].key, "a stranger's": SigningKey.generate()}


def of_web1(kind: PayloadType) -> Message:
    return FROM_HOSTS[kind]


@pytest.mark.parametrize("kind", FROM_HOSTS)
def test_letter_of_a_host_is_believed_by_its_own_key_and_by_no_other_of_the_fleet(
    pair: House, kind: PayloadType
) -> None:
    for whose, key in keys(pair).items():
        with pytest.raises(LetterError):
            pair.recorder().record(sign(kind, encode(of_web1(kind)), [key]))
        assert pair.store.envelopes.list() == [], whose
    own = pair.hosts["web1"].key
    assert pair.recorder().record(sign(kind, encode(of_web1(kind)), [own])).repeated is False


@pytest.mark.parametrize("kind", TO_HOSTS)
def test_letter_for_a_host_is_no_letter_of_one_whoever_signed_it(
    pair: House, kind: PayloadType
) -> None:
    """A host's key gives no orders, not even to the recorder."""
    every = [*keys(pair).values(), pair.hosts["web1"].key]
    for key in every:
        with pytest.raises(LetterError):
            pair.recorder().record(sign(kind, encode(TO_HOSTS[kind]), [key]))
    assert pair.store.envelopes.list() == []


@pytest.mark.parametrize(("kind", "said"), list(itertools.permutations(FROM_HOSTS, 2)))
def test_what_one_kind_says_in_the_envelope_of_another_is_not_believed(
    pair: House, kind: PayloadType, said: PayloadType
) -> None:
    blob = sign(kind, encode(of_web1(said)), [pair.hosts["web1"].key])
    with pytest.raises(LetterError):
        pair.recorder().record(blob)


def letters_about(house: House, run: Run, liar: SigningHost, of: str) -> list[bytes]:
    """Everything that a host could say about a run of somebody else."""
    victims = house.order(run, of)
    return [
        liar.receipt(victims, HostRunState.RUNNING),
        liar.report(victims),
        liar.refusal(victims, "expired", run.run_id),
        liar.refusal(victims, "unknown_key"),
    ]


def test_stolen_host_key_moves_no_run_of_another_host(pair: House) -> None:
    run = pair.submit()
    for letter in letters_about(pair, run, pair.hosts["web2"], "web1"):
        pair.recorder().record(letter)  # it is kept: web2 said it
        assert pair.state(run, "web1") is HostRunState.QUEUED
        assert pair.state(run, "web2") is HostRunState.QUEUED


@pytest.mark.parametrize("epoch", [0, 2, 7])
def test_stolen_host_key_speaks_for_no_other_epoch(pair: House, epoch: int) -> None:
    run = pair.submit()
    other = SigningHost("web1", pair.hosts["web1"].key, epoch=epoch)
    for letter in letters_about(pair, run, other, "web1"):
        with pytest.raises(LetterError):
            pair.recorder().record(letter)


def test_stolen_host_key_answers_no_ping_of_another_host(pair: House) -> None:
    host = Inventory(pair.store).get("web1")
    asked = send_ping(host, "alice", pair.home.operator_key(), pair.store)
    pair.recorder().record(pair.hosts["web2"].pong(asked.nonce))
    unanswered = pair.store.pings.get(asked.nonce)
    assert unanswered is not None
    assert unanswered.ponged_at is None


def test_report_once_made_is_not_taken_back_by_another_one(pair: House) -> None:
    """Such as by a host whose ledger came from a backup; both stay in the record."""
    run, web1 = pair.submit(), pair.hosts["web1"]
    first = web1.report(pair.order(run, "web1"))
    pair.recorder().record(first)
    told = pair.host_run(run, "web1")
    for changes in ({"counter": 2}, {"counter": 1, "reason": "another"}):
        second = web1.report(pair.order(run, "web1"), **changes)
        pair.recorder().record(second)
        assert pair.host_run(run, "web1") == told
        kept = {each.digest for each in pair.store.envelopes.list(run_id=run.run_id)}
        assert {letter_digest(first), letter_digest(second)} <= kept
    assert told.report is not None
    assert msgspec.json.decode(told.report, type=Report).reason == ""
