"""Both doors that letters come in by, with genuine letters of every kind for each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from contract.envelope import EnvelopeError, PayloadType, countersign, verify
from contract.key import SigningKey, VerifyKey
from contract.order import Message, MessageError, decode, sign_message
from contract.outcome import HostRunState
from contract.report import Footing, Pong, Receipt, Refusal, Report
from tests.unit.worker.letters import (
    BEAT,
    FLEET,
    HOST_KEY,
    NOW,
    OPEN,
    OTHER_RUN_ID,
    RECORDER,
    RUN_ID,
    RUNBOOK,
    SEAL_KEY,
    Remembered,
    acknowledgement,
    cancel,
    letter,
    membership,
    order,
    ping,
    sealed,
)
from worker.gate import Gate
from worker.verdict import Known, Refused

_CAROL = SigningKey.generate()
_KEYRING = FLEET.with_person("carol", _CAROL, "approver")
_SENDER: dict[str, Any] = {"host": "web1", "epoch": 1, "keyring": 1}
_DIGEST, _NONCE = "a" * 64, "b" * 32
_FROM_HOSTS: Mapping[PayloadType, type[Message]] = {
    PayloadType.RECEIPT: Receipt,
    PayloadType.REPORT: Report,
    PayloadType.REFUSAL: Refusal,
    PayloadType.PONG: Pong,
    PayloadType.FOOTING: Footing,
}


@dataclass(frozen=True, slots=True)
class Door:
    """Where letters come in, the genuine ones, and whether a letter is believed there."""

    name: str
    genuine: tuple[bytes, ...]
    believes: Callable[[bytes], bool]


def doors() -> tuple[Door, ...]:
    """Return the host's door and the recorder's."""
    return (
        Door("host", tuple(_to_hosts()), _host_believes()),
        Door("recorder", tuple(_to_recorder()), _recorder_believes),
    )


def _host_believes() -> Callable[[bytes], bool]:
    gate = Gate(membership(keyring=_KEYRING), OPEN, SEAL_KEY)

    def believes(blob: bytes) -> bool:
        try:
            # A keyring that is known already changes nothing, whoever signed it.
            return not isinstance(gate.judge(blob, NOW, Remembered()), Known)
        except Refused:
            return False

    return believes


def _recorder_believes(blob: bytes) -> bool:
    key = VerifyKey(HOST_KEY.public.text)
    try:
        verified = verify(blob, {key.id: key}, frozenset(_FROM_HOSTS))
        decode(verified.payload, _FROM_HOSTS[verified.type])
    except (EnvelopeError, MessageError):
        return False
    return True


def _to_hosts() -> list[bytes]:
    following = msgspec.structs.replace(_KEYRING, version=2, issued_at=NOW)
    labels: dict[str, Any] = {"labels": {"env": "test"}, "issued_at": NOW + 1}
    admission = msgspec.structs.replace(membership().admission, **labels)
    scheduled = order(
        run_id=OTHER_RUN_ID,
        operator="beat",
        via="beat",
        runbook_yaml=f"unattended: true\n{RUNBOOK}",
    )
    return [
        letter(order(sealed_params=sealed())),
        countersign(letter(order()), _CAROL),
        letter(scheduled, BEAT),
        letter(cancel()),
        letter(ping()),
        letter(acknowledgement(), RECORDER),
        FLEET.sign(following),
        sign_message(PayloadType.ADMISSION, admission, FLEET.registrar),
    ]


def _to_recorder() -> list[bytes]:
    return [sign_message(kind, message, HOST_KEY) for kind, message in host_messages().items()]


def host_messages() -> dict[PayloadType, Message]:
    """Return one message of each kind that a host sends, as web1 would."""
    about: dict[str, Any] = {"run_id": RUN_ID, "order_sha256": _DIGEST}
    messages: list[Message] = [
        Receipt(**_SENDER, **about, state=HostRunState.RUNNING, at=NOW),
        Report(
            **_SENDER,
            **about,
            counter=1,
            state=HostRunState.UNKNOWN,
            outcome=None,
            check=False,
            accepted_at=NOW,
            started_at=NOW,
            ended_at=NOW,
            passes=[],
        ),
        Refusal(
            **_SENDER, run_id=RUN_ID, letter_sha256=_DIGEST, reason="expired", detail="", at=NOW
        ),
        Pong(**_SENDER, nonce=_NONCE, at=NOW, waiting=0, worker="1"),
        Footing(**_SENDER, admission_at=NOW, at=NOW),
    ]
    kinds = {kind: payload_type for payload_type, kind in _FROM_HOSTS.items()}
    return {kinds[type(each)]: each for each in messages}
