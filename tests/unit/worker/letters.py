"""Letters for the gate: what the orchestrator's people and services would sign, and others too."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from contract.envelope import PayloadType, sign_many
from contract.key import SealKey, SealPublicKey, SigningKey
from contract.keyring import Keyring
from contract.order import Acknowledgement, Cancel, Order, Ping, encode, sign_message
from contract.sealing import SealContext, seal
from tests.fleet_keys import FleetKeys
from worker.gate import Gate
from worker.membership import Membership
from worker.policy import Policy
from worker.policy_file import read_policy, shipped_policy

HOST, NOW, MINUTE, DAY = "web1", 1_800_000_000_000, 60_000, 86_400_000
RUN_ID, OTHER_RUN_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FAW"
SECRET = "correct horse battery"

ALICE, BOB, BEAT, RECORDER = (SigningKey.generate() for _ in range(4))
MALLORY, HOST_KEY = SigningKey.generate(), SigningKey.generate()
SEAL_KEY, OTHER_SEAL_KEY = SealKey.generate(), SealKey.generate()
FLEET = FleetKeys("alice", NOW, operator=ALICE, beat=BEAT, recorder=RECORDER)
KEYRING = FLEET.with_person("bob", BOB, "operator")
RUNBOOK = """\
name: restart
params:
  force: {type: boolean, default: false}
  key: {secret: true, default: ""}
  level: {type: enum, values: [low, high], default: low}
observe:
  agent: {command: [/opt/agent/bin/status]}
steps:
- name: runs
  ensure: agent.exists && agent.exit_code == 0
  do:
    command: [/opt/agent/bin/control, restart]
    stdin: ${params.key}
"""
OPEN = read_policy(shipped_policy("permissive").encode(), "permissive.yaml")


@dataclass(slots=True)
class Remembered:
    """A ledger that holds in memory what the gate asks of it."""

    created_at: int = NOW - DAY
    floor: int = 0
    digests: dict[str, str] = field(default_factory=dict)
    cancelled: dict[str, str] = field(default_factory=dict)

    def digest_of(self, run_id: str) -> str | None:
        return self.digests.get(run_id)

    def cancelled_digest(self, run_id: str) -> str | None:
        return self.cancelled.get(run_id)


def membership(host: str = HOST, keyring: Keyring = KEYRING, **admission: Any) -> Membership:
    return FLEET.membership(FLEET.admission(host, HOST_KEY, SEAL_KEY, **admission), keyring)


def gate(policy: Policy = OPEN, host: str = HOST) -> Gate:
    return Gate(membership(host), policy, SEAL_KEY)


def order(**changes: Any) -> Order:
    """An order that is right in everything but the changes; the digest follows the runbook."""
    text = changes.get("runbook_yaml", RUNBOOK)
    members: dict[str, Any] = {
        "host": HOST,
        "epoch": 1,
        "run_id": RUN_ID,
        "runbook": "restart",
        "runbook_sha256": sha256(text.encode()).hexdigest(),
        "runbook_yaml": text,
        "params": {"force": True},
        "sealed_params": {},
        "check": False,
        "operator": "alice",
        "via": "cli",
        "reason": "",
        "issued_at": NOW,
        "not_before": NOW,
        "expires_at": NOW + 15 * MINUTE,
        "nonce": "0" * 32,
        "keyring": 1,
    }
    return Order(**members | changes)


def letter(message: msgspec.Struct, key: SigningKey = ALICE) -> bytes:
    """The signed letter of an order, cancel, ping or acknowledgement."""
    if isinstance(message, Acknowledgement):
        return signed_among_others(message, key)
    kinds = {Cancel: PayloadType.CANCEL, Ping: PayloadType.PING}
    return sign_message(kinds.get(type(message), PayloadType.ORDER), message, key)


def signed_among_others(message: Acknowledgement, key: SigningKey) -> bytes:
    """An acknowledgement as the recorder signs it: together with those of other hosts."""
    others = [acknowledgement(host=f"other{number}") for number in range(2)]
    payloads = [encode(each) for each in (others[0], message, others[1])]
    return sign_many(PayloadType.ACKNOWLEDGEMENT, payloads, key)[1][1]


def cancel(**changes: Any) -> Cancel:
    """A tombstone for `order()` that is right in everything but the changes."""
    members: dict[str, Any] = {
        "host": HOST,
        "epoch": 1,
        "run_id": RUN_ID,
        "order_sha256": "a" * 64,
        "ordered_at": NOW - MINUTE,
        "order_expires_at": NOW + 14 * MINUTE,
        "operator": "alice",
        "kill": False,
        "reason": "",
        "issued_at": NOW,
        "expires_at": NOW + 45 * MINUTE,
        "nonce": "0" * 32,
    }
    return Cancel(**members | changes)


def ping(**changes: Any) -> Ping:
    members: dict[str, Any] = {
        "host": HOST,
        "epoch": 1,
        "operator": "alice",
        "nonce": "0" * 32,
        "issued_at": NOW,
        "expires_at": NOW + MINUTE,
    }
    return Ping(**members | changes)


def acknowledgement(**changes: Any) -> Acknowledgement:
    members: dict[str, Any] = {"host": HOST, "epoch": 1, "digests": ["a" * 64], "at": NOW}
    return Acknowledgement(**members | changes)


def sealed(
    name: str = "key",
    value: str = SECRET,
    *,
    to: SealPublicKey = SEAL_KEY.public,
    **context: Any,
) -> dict[str, str]:
    """A sealed parameter, for this order unless the context says otherwise."""
    members: dict[str, Any] = {
        "run_id": RUN_ID,
        "host": HOST,
        "epoch": 1,
        "runbook_sha256": sha256(RUNBOOK.encode()).hexdigest(),
        "parameter": name,
    }
    return {name: seal(value, to, SealContext(**members | context))}
