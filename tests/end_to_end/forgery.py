"""What an attacker on the wire sends: letters altered, expired, misled, or signed by nobody."""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from contract.envelope import PayloadType, peek
from contract.instant import now_ms
from contract.key import Signer, SigningKey
from contract.order import Order, decode, sign_message
from orchestrator.run_id import new_run_id

Forge = Callable[[Order, Signer], bytes]


def read_order(letter: bytes) -> Order:
    return decode(peek(letter)[1], Order)


def _signed(order: Order, key: Signer, **changes: Any) -> bytes:
    fresh = {"run_id": new_run_id(now_ms()), "nonce": secrets.token_hex(16)}
    changed = msgspec.structs.replace(order, **(fresh | changes))
    return sign_message(PayloadType.ORDER, changed, key)


def alter(letter: bytes, **changes: Any) -> bytes:
    """Change a letter's payload and keep its signature."""
    envelope = json.loads(letter)
    payload = json.loads(base64.b64decode(envelope["payload"])) | changes
    text = json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()
    envelope["payload"] = base64.b64encode(text).decode()
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def tampered(order: Order, key: Signer) -> bytes:
    return alter(_signed(order, key), reason="another reason")


def unsigned(order: Order, _key: Signer) -> bytes:
    return _signed(order, SigningKey.generate())


def expired(order: Order, key: Signer) -> bytes:
    now = now_ms()
    times = {"issued_at": now - 900_000, "not_before": now - 900_000, "expires_at": now - 1}
    return _signed(order, key, **times)


def from_the_future(order: Order, key: Signer) -> bytes:
    now = now_ms()
    return _signed(order, key, issued_at=now + 300_000, expires_at=now + 900_000)


def misaddressed(order: Order, key: Signer) -> bytes:
    return _signed(order, key, host="web2")


def reused(order: Order, key: Signer) -> bytes:
    """Another order under the id of one that ran."""
    return _signed(order, key, run_id=order.run_id)


def from_before_the_ledger(order: Order, key: Signer) -> bytes:
    now = now_ms()
    return _signed(order, key, issued_at=now - 86_400_000, not_before=now - 60_000)


def under_another_name(order: Order, key: Signer) -> bytes:
    return _signed(order, key, operator="mallory")


def with_another_runbook(order: Order, key: Signer) -> bytes:
    return _signed(order, key, runbook_yaml=order.runbook_yaml + "# and more\n")


FORGERIES: Mapping[str, Forge] = {
    "bad_signature": tampered,
    "unknown_key": unsigned,
    "expired": expired,
    "from_the_future": from_the_future,
    "wrong_host": misaddressed,
    "run_id_reused": reused,
    "older_than_ledger": from_before_the_ledger,
    "wrong_operator": under_another_name,
    "digest_mismatch": with_another_runbook,
}
