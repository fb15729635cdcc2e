"""Every key of a fleet in a thief's hands: each of them tries every kind of letter on a host."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.envelope import PayloadType, sign
from contract.key import SigningKey
from contract.keyring import Keyring
from contract.loader import load_runbook
from contract.order import encode
from tests.attack.judges import host_messages
from tests.unit.worker.letters import (
    ALICE,
    BEAT,
    FLEET,
    HOST_KEY,
    MALLORY,
    NOW,
    OPEN,
    OTHER_RUN_ID,
    RECORDER,
    RUNBOOK,
    SEAL_KEY,
    Remembered,
    acknowledgement,
    cancel,
    gate,
    letter,
    membership,
    order,
    ping,
    sealed,
)
from worker.gate import Gate
from worker.verdict import Accepted, Known, Reason, Refused

CAROL = SigningKey.generate()
KEYRING = FLEET.with_person("carol", CAROL, "approver")
SHIPPED = sorted((Path(__file__).parents[3] / "runbooks").glob("*/*.yaml"))

KEYS: Mapping[str, SigningKey] = {
    "an operator's": ALICE,
    "an approver's": CAROL,
    "the scheduler's": BEAT,
    "the recorder's": RECORDER,
    "the registrar's": FLEET.registrar,
    "a root's": FLEET.root,
    "the host's own": HOST_KEY,
    "another host's": SigningKey.generate(),
    "a stranger's": MALLORY,
}


def admission() -> msgspec.Struct:
    labels: dict[str, Any] = {"labels": {"env": "test"}, "issued_at": NOW + 1}
    return msgspec.structs.replace(membership().admission, **labels)


def next_keyring() -> Keyring:
    return msgspec.structs.replace(KEYRING, version=2, issued_at=NOW)


def scheduled(text: str = f"unattended: true\n{RUNBOOK}", **changes: Any) -> msgspec.Struct:
    beat = {"operator": "beat", "via": "beat", "run_id": OTHER_RUN_ID}
    return order(runbook_yaml=text, **beat | changes)


LETTERS: Mapping[str, tuple[PayloadType, msgspec.Struct]] = {
    "an order": (PayloadType.ORDER, order()),
    "an order in the approver's name": (PayloadType.ORDER, order(operator="carol")),
    "an unattended order": (PayloadType.ORDER, scheduled()),
    "a cancel": (PayloadType.CANCEL, cancel()),
    "a ping": (PayloadType.PING, ping()),
    "the scheduler's ping": (PayloadType.PING, ping(operator="beat")),
    "an acknowledgement": (PayloadType.ACKNOWLEDGEMENT, acknowledgement()),
    "an admission": (PayloadType.ADMISSION, admission()),
    "the next keyring": (PayloadType.KEYRING, next_keyring()),
    **{f"a host's {kind.name.lower()}": (kind, said) for kind, said in host_messages().items()},
}

ALLOWED = {
    ("an operator's", "an order"),
    ("an operator's", "a cancel"),
    ("an operator's", "a ping"),
    ("the scheduler's", "an unattended order"),
    ("the recorder's", "an acknowledgement"),
    ("the registrar's", "an admission"),
    ("a root's", "the next keyring"),
}


def is_believed(blob: bytes) -> bool:
    door = Gate(membership(keyring=KEYRING), OPEN, SEAL_KEY)
    try:
        return not isinstance(door.judge(blob, NOW, Remembered()), Known)
    except Refused:
        return False


@pytest.mark.parametrize("what", LETTERS)
@pytest.mark.parametrize("whose", KEYS)
def test_stolen_key_signs_what_its_owner_may_and_nothing_else(whose: str, what: str) -> None:
    kind, message = LETTERS[what]
    blob = sign(kind, encode(message), [KEYS[whose]])
    assert is_believed(blob) is ((whose, what) in ALLOWED)


@pytest.mark.parametrize(
    ("what", "kind"),
    [(what, kind) for what in LETTERS for kind in PayloadType if kind is not LETTERS[what][0]],
)
def test_message_in_the_envelope_of_another_kind_is_believed_as_neither(
    what: str, kind: PayloadType
) -> None:
    """All keys but a stranger's agree on it; the type is within what they sign."""
    _, message = LETTERS[what]
    for key in (ALICE, BEAT, RECORDER, FLEET.registrar, FLEET.root):
        assert not is_believed(sign(kind, encode(message), [key]))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_scheduler_s_key_starts_of_all_that_is_shipped_only_what_is_unattended(path: Path) -> None:
    runbook = load_runbook(path.read_bytes(), path.name)
    needed = [p for p in runbook.parameters if p.default is None]
    plain = {p.name: "/etc/ssl/a.pem" for p in needed if not p.secret}  # a path, or a command
    digest = sha256(path.read_bytes()).hexdigest()
    context: dict[str, Any] = {"run_id": OTHER_RUN_ID, "runbook_sha256": digest}
    secrets = [sealed(p.name, "A" * 40, **context) for p in needed if p.secret]
    changes = {"runbook": runbook.name, "params": plain, "sealed_params": dict(*secrets)}
    blob = letter(scheduled(path.read_text(), **changes), BEAT)
    if runbook.unattended:
        assert isinstance(gate().judge(blob, NOW, Remembered()), Accepted)
        return
    with pytest.raises(Refused) as caught:
        gate().judge(blob, NOW, Remembered())
    assert caught.value.reason is Reason.WRONG_ROLE
    assert "only people may order it" in caught.value.detail
