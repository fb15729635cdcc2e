"""Pings: a signed question to a host's executor, which answers with a signed pong."""

import secrets
from datetime import timedelta

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import Signer
from contract.order import Ping, letter_digest, sign_message
from orchestrator.store.record import Host, Kind, NewEnvelope, PingRecord
from orchestrator.store.store import Store

DEFAULT_LIFETIME = timedelta(seconds=30)


def send_ping(
    host: Host,
    operator: str,
    key: Signer,
    store: Store,
    lifetime: timedelta = DEFAULT_LIFETIME,
) -> PingRecord:
    """Store a ping for the dispatcher to publish; `store.pings.get` tells when it is answered."""
    now = now_ms()
    expires_at = now + round(lifetime.total_seconds() * 1000)
    ping = Ping(
        host=host.name,
        epoch=host.epoch,
        operator=operator,
        nonce=secrets.token_hex(16),
        issued_at=now,
        expires_at=expires_at,
    )
    data = sign_message(PayloadType.PING, ping, key)
    digest = letter_digest(data)
    record = PingRecord(
        nonce=ping.nonce, host=host.name, digest=digest, created_at=now, expires_at=expires_at
    )
    letter = NewEnvelope(kind=Kind.PING, host=host.name, digest=digest, data=data, at=now)
    store.pings.add(record, letter)
    return record
