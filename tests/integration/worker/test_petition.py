"""A host that asks to be let in: it believes its token, and nothing that merely came."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.broker import NO_FILES, BrokerError
from contract.enrolment import (
    Answer,
    Direction,
    EnrolmentError,
    Verdict,
    broker_context,
    cover,
    make_request,
    open_request,
    uncover,
)
from contract.instant import now_ms
from contract.key import SigningKey
from contract.names import DELIVER_TASK, ENROLMENTS_QUEUE, RECORD_TASK, enrolment_queue
from contract.order import encode, letter_digest
from contract.publisher import Publisher
from contract.sealing import seal
from contract.succession import fingerprint
from contract.token import Token
from contract.version import VERSION
from lab.redis import EmbeddedRedis
from tests.fleet_keys import FleetKeys
from tests.queue_reader import QueueReader
from worker.admitted import Admitted
from worker.enrolment import Petition, RejectedError, UnansweredError
from worker.host_keys import HostKeys

OWN_URL = "redis://host.web1:secret@broker:6379/0"
NOWHERE = "redis://127.0.0.1:1/0"
_PATIENCE_S = 20.0


@dataclass
class Counter:
    """The other side: a fleet, its broker, and what it puts into the newcomer's queue."""

    fleet: FleetKeys
    broker: str
    token: Token
    keys: HostKeys
    publisher: Publisher

    @property
    def digest(self) -> str:
        request = make_request(self.token, self.keys.sign, self.keys.seal.public, VERSION)
        return letter_digest(request)

    def admission(self, **changes: Any) -> str:
        keys = {"sign": self.keys.sign, "seal": self.keys.seal}
        return self.fleet.admission("web1", **{**keys, **changes}).decode()

    def answer(self, **changes: Any) -> Answer:
        context = broker_context(self.token.id, "web1", 1)
        members: dict[str, Any] = {
            "request": self.digest,
            "verdict": Verdict.ADMITTED,
            "keyrings": [self.fleet.sign(self.fleet.keyring()).decode()],
            "admission": self.admission(),
            "broker": seal(OWN_URL, self.keys.seal.public, context),
        }
        return Answer(**{**members, **changes})

    def put(self, answer: Answer, key: str = "", direction: Direction = Direction.ANSWER) -> None:
        key = key or self.token.shared_key()
        self.put_raw(cover(key, direction, self.token.id, encode(answer)))

    def put_raw(self, letter: bytes) -> None:
        self.publisher.publish(enrolment_queue(self.token.id), DELIVER_TASK, letter)

    def ask(self, within_s: float = _PATIENCE_S) -> Admitted:
        with Petition(self.token, self.keys, NO_FILES) as petition:
            return petition.ask(within_s, lambda: None)


@pytest.fixture
def counter(tmp_path: Path, clean_redis: EmbeddedRedis) -> Iterator[Counter]:
    fleet = FleetKeys()
    token = Token(
        host="web1",
        epoch=1,
        id="ab" * 16,
        secret="cd" * 32,
        expires_at=now_ms() + 600_000,
        broker=clean_redis.url,
        roots=fingerprint(fleet.keyring().roots),
    )
    keys = HostKeys.at(tmp_path / "sign.pem", tmp_path / "seal.pem")
    publisher = Publisher(clean_redis.url)
    yield Counter(fleet, clean_redis.url, token, keys, publisher)
    publisher.close()


def test_petition_that_is_granted_brings_membership_and_url(counter: Counter) -> None:
    counter.put(counter.answer())
    found = counter.ask()
    assert found.membership.admission.sign == counter.keys.sign.public.text
    assert found.membership.keyring == counter.fleet.keyring()
    assert found.broker == OWN_URL


def test_petition_proves_both_the_token_and_the_key(counter: Counter) -> None:
    counter.put(counter.answer())
    counter.ask()
    with QueueReader(counter.broker, ENROLMENTS_QUEUE) as queue:
        ((task, letter),) = queue.take()
    covered = uncover(letter)
    assert task == RECORD_TASK
    assert covered.is_by(counter.token.shared_key(), Direction.REQUEST)
    assert open_request(covered.body.encode()).sign == counter.keys.sign.public.text
    assert counter.token.secret.encode() not in letter


def test_petition_passes_by_what_nobody_with_the_token_made(counter: Counter) -> None:
    """Forged, reflected, damaged, for another request: the true answer behind them counts."""
    rejected = counter.answer(verdict=Verdict.REJECTED, reason="go away")
    counter.put(rejected, key="00" * 32)
    counter.put(rejected, direction=Direction.REQUEST)
    counter.put(msgspec.structs.replace(rejected, request="0" * 64))
    for letter in (b"", b"{}", b"[]", b"x" * 100_000):
        counter.put_raw(letter)
    counter.put(counter.answer())
    assert counter.ask().broker == OWN_URL


def _other_roots(counter: Counter) -> dict[str, Any]:
    other = FleetKeys()
    keys = counter.keys
    letter = other.admission("web1", keys.sign, keys.seal).decode()
    return {"keyrings": [other.sign(other.keyring()).decode()], "admission": letter}


def _without_roots(counter: Counter) -> dict[str, Any]:
    fleet = counter.fleet
    return {"keyrings": [fleet.sign(fleet.keyring(), SigningKey.generate()).decode()]}


def _skipping(counter: Counter) -> dict[str, Any]:
    fleet = counter.fleet
    third = msgspec.structs.replace(fleet.keyring(), version=3)
    return {"keyrings": [fleet.sign(fleet.keyring()).decode(), fleet.sign(third).decode()]}


def _by_the_recorder(counter: Counter) -> dict[str, Any]:
    registrar = FleetKeys(
        at=counter.fleet.at, root=counter.fleet.root, registrar=counter.fleet.recorder
    )
    keys = counter.keys
    return {"admission": registrar.admission("web1", keys.sign, keys.seal).decode()}


UNTRUE = {
    "another fleet's roots": _other_roots,
    "a keyring that its roots did not sign": _without_roots,
    "a keyring that skips a version": _skipping,
    "no keyring": lambda _: {"keyrings": []},
    "an admission by no registrar": _by_the_recorder,
    "an admission of other keys": lambda it: {
        "admission": it.admission(sign=SigningKey.generate())
    },
    "an admission of another epoch": lambda it: {"admission": it.admission(epoch=2)},
    "no admission": lambda _: {"admission": ""},
    "a URL for somebody else": lambda it: {
        "broker": seal(OWN_URL, it.keys.seal.public, broker_context("0" * 32, "web1", 1))
    },
    "a URL that is none": lambda it: {
        "broker": seal(
            "file:///etc/passwd", it.keys.seal.public, broker_context(it.token.id, "web1", 1)
        )
    },
    "no URL": lambda _: {"broker": ""},
}


@pytest.mark.parametrize("untrue", UNTRUE.values(), ids=UNTRUE)
def test_petition_whose_answer_brings_something_untrue_ends(counter: Counter, untrue: Any) -> None:
    """Whoever has the token can answer; what makes a member must still be true by its roots."""
    counter.put(counter.answer(**untrue(counter)))
    with pytest.raises(EnrolmentError, match=r"must not be believed|no broker's URL"):
        counter.ask()


def test_petition_follows_keyrings_to_the_newest(counter: Counter) -> None:
    """A keyring that came after the token was made is believed by the one before."""
    fleet = counter.fleet
    second = msgspec.structs.replace(fleet.keyring(), version=2)
    letters = [fleet.sign(keyring).decode() for keyring in (fleet.keyring(), second)]
    counter.put(counter.answer(keyrings=letters))
    assert counter.ask().membership.keyring.version == 2


def test_petition_that_is_rejected_says_why_and_ends(counter: Counter) -> None:
    counter.put(counter.answer(verdict=Verdict.REJECTED, reason="the token has expired"))
    with pytest.raises(RejectedError, match="not let in: the token has expired"):
        counter.ask()


def test_petition_that_nobody_answers_ends_in_time(counter: Counter) -> None:
    with pytest.raises(UnansweredError, match="nobody answered"):
        counter.ask(within_s=0.2)


def test_petition_that_is_held_tells_so_once_and_goes_on_asking(counter: Counter) -> None:
    held: list[bool] = []
    counter.put(counter.answer(verdict=Verdict.HELD))
    counter.put(counter.answer(verdict=Verdict.HELD))
    with Petition(counter.token, counter.keys, NO_FILES) as petition:
        with pytest.raises(UnansweredError, match="denrei host accept"):
            petition.ask(0.5, lambda: held.append(True))
        counter.put(counter.answer())
        assert petition.ask(_PATIENCE_S, lambda: held.append(True)).broker == OWN_URL
    assert held[0]


def test_petition_without_a_broker_says_so_at_once(counter: Counter) -> None:
    nowhere = msgspec.structs.replace(counter.token, broker=NOWHERE)
    with (
        Petition(nowhere, counter.keys, NO_FILES) as petition,
        pytest.raises(BrokerError, match="can't reach the broker"),
    ):
        petition.ask(_PATIENCE_S, lambda: None)
