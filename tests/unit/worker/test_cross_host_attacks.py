"""Every host against every other, and against itself of another epoch: nothing crosses over."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import pytest

from contract.key import SealKey, SigningKey
from tests.unit.worker.letters import (
    FLEET,
    KEYRING,
    NOW,
    OPEN,
    RECORDER,
    SECRET,
    Remembered,
    acknowledgement,
    cancel,
    letter,
    order,
    ping,
    sealed,
)
from worker.gate import Gate
from worker.verdict import Accepted, Reason, Refused


@dataclass(frozen=True)
class Side:
    """One host of one epoch, with keys of its own."""

    name: str
    epoch: int
    key: SigningKey = field(default_factory=SigningKey.generate)
    seal_key: SealKey = field(default_factory=SealKey.generate)

    def __str__(self) -> str:
        return f"{self.name}.{self.epoch}"

    @property
    def who(self) -> dict[str, Any]:
        return {"host": self.name, "epoch": self.epoch}

    def gate(self) -> Gate:
        admission = FLEET.admission(self.name, self.key, self.seal_key, epoch=self.epoch)
        return Gate(FLEET.membership(admission, KEYRING), OPEN, self.seal_key)

    def secret(self) -> dict[str, str]:
        return sealed(to=self.seal_key.public, **self.who)


SIDES = (Side("web1", 1), Side("web1", 2), Side("web2", 1), Side("web10", 1), Side("db1", 3))
PAIRS = list(itertools.permutations(SIDES, 2))


def refused(door: Gate, blob: bytes) -> Reason:
    with pytest.raises(Refused) as caught:
        door.judge(blob, NOW, Remembered())
    return caught.value.reason


@pytest.mark.parametrize("side", SIDES, ids=str)
def test_host_takes_its_own_order_with_its_own_secret(side: Side) -> None:
    """What is refused below is refused for whom it is for, and for nothing else."""
    blob = letter(order(sealed_params=side.secret(), **side.who))
    found = side.gate().judge(blob, NOW, Remembered())
    assert isinstance(found, Accepted)
    assert found.secrets == (SECRET,)


@pytest.mark.parametrize(("meant", "other"), PAIRS, ids=str)
def test_letter_for_one_host_is_refused_by_every_other(meant: Side, other: Side) -> None:
    wanted = Reason.WRONG_EPOCH if meant.name == other.name else Reason.WRONG_HOST
    admitted = FLEET.admission(
        meant.name, meant.key, meant.seal_key, epoch=meant.epoch, issued_at=NOW + 1
    )
    for blob in (
        letter(order(**meant.who)),
        letter(cancel(**meant.who)),
        letter(ping(**meant.who)),
        letter(acknowledgement(**meant.who), RECORDER),
        admitted,
    ):
        assert refused(other.gate(), blob) is wanted


@pytest.mark.parametrize(("meant", "other"), PAIRS, ids=str)
def test_secret_for_one_host_opens_on_no_other(meant: Side, other: Side) -> None:
    """Grafted into an order of the other's own, as a thief with a person's key could do it."""
    grafted = letter(order(sealed_params=meant.secret(), **other.who))
    assert refused(other.gate(), grafted) is Reason.BAD_SECRET
    resealed = sealed(to=other.seal_key.public, **meant.who)
    assert refused(other.gate(), letter(order(sealed_params=resealed, **other.who))) is (
        Reason.BAD_SECRET
    )


@pytest.mark.parametrize(("thief", "victim"), PAIRS, ids=str)
def test_host_s_key_commands_no_other_host(thief: Side, victim: Side) -> None:
    for message in (order, cancel, ping, acknowledgement):
        blob = letter(message(**victim.who), thief.key)
        assert refused(victim.gate(), blob) is Reason.UNKNOWN_KEY
