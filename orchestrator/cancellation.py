"""Cancellation: a signed tombstone for every open host run, stored in one transaction."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from contract.envelope import PayloadType
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import Signer
from contract.order import MAX_CANCEL_LIFE_MS, Cancel, letter_digest, sign_message
from orchestrator.progress import GRACE_MS
from orchestrator.store.record import HostRun, Kind, NewCancel, NewEnvelope, Run
from orchestrator.store.store import Store

_MAX_REASON = 2000


class CancellationError(DenreiError):
    """A run can't be cancelled as it was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What is asked for: whose runs end, how, by whom and why."""

    run: Run
    host_runs: Sequence[HostRun]
    operator: str  # the name under which hosts trust the signing key
    kill: bool = False  # end the commands that run now
    reason: str = ""


def cancel(cancellation: Cancellation, key: Signer, store: Store) -> list[HostRun]:
    """Store a tombstone for each host run that is open, unless its last one is still on its way.

    Return those host runs as they stand then: what was never sent has ended, the rest waits for
    its host. Raises CancellationError; then nothing was stored.
    """
    _check(cancellation.reason)
    wanted = [h for h in cancellation.host_runs if _needs_one(h, kill=cancellation.kill)]
    now = now_ms()
    return store.cancels.add([_tombstone(cancellation, share, key, now) for share in wanted])


def _check(reason: str) -> None:
    if len(reason) > _MAX_REASON:
        raise CancellationError(f"the reason is longer than {_MAX_REASON} characters")
    if any("\ud800" <= character <= "\udfff" for character in reason):
        raise CancellationError("the reason is not valid UTF-8 text")


def _needs_one(host_run: HostRun, *, kill: bool) -> bool:
    if host_run.ended:
        return False
    is_under_way = host_run.cancel_sha256 is not None and host_run.cancel_answered_at is None
    return not is_under_way or (kill and not host_run.cancel_kill)


def _tombstone(cancellation: Cancellation, host_run: HostRun, key: Signer, now: int) -> NewCancel:
    run = cancellation.run
    message = Cancel(
        host=host_run.host,
        epoch=host_run.epoch,
        run_id=run.run_id,
        order_sha256=host_run.order_sha256,
        ordered_at=run.created_at,
        order_expires_at=run.expires_at,
        operator=cancellation.operator,
        kill=cancellation.kill,
        reason=cancellation.reason,
        issued_at=now,
        expires_at=_until(run, now),
        nonce=secrets.token_hex(16),
    )
    data = sign_message(PayloadType.CANCEL, message, key)
    letter = NewEnvelope(
        kind=Kind.CANCEL,
        host=host_run.host,
        run_id=run.run_id,
        digest=letter_digest(data),
        data=data,
        at=now,
    )
    why = f"cancelled by {message.operator}" + (f": {message.reason}" if message.reason else "")
    return NewCancel(letter=letter, kill=message.kill, until=message.expires_at, why=why)


def _until(run: Run, now: int) -> int:
    """Return when the order is over at the latest: begun at its last moment, and run to its end."""
    over = max(run.expires_at, now) + run.timeout_ms + GRACE_MS
    return min(over, now + MAX_CANCEL_LIFE_MS)
