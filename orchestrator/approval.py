"""Approval: one person more signs the orders of a run, exactly as its operator signed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec

from contract.envelope import EnvelopeError, PayloadType, countersign
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import Signer
from contract.keyring import Keyring, Right
from contract.order import MessageError, Order, decode, letter_digest
from contract.signatory import Signatories, Signatory
from orchestrator.store.record import HostRun, Kind, NewApproval, NewEnvelope, Run
from orchestrator.store.store import Store

_ORDERS = frozenset({PayloadType.ORDER})


class ApprovalError(DenreiError):
    """A run can't be approved: it waits for nothing, or not for this person."""


class ApproverError(ApprovalError):
    """A run waits for approval, but not for this person's."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An order that waits for approval, as its signatures say: not as the store's rows do."""

    host_run: HostRun
    order: Order
    data: bytes
    signed_by: frozenset[str]  # the people whose signatures it has


@dataclass(frozen=True, slots=True)
class Approval:
    """What is to be approved, and by whom: `person` is whose key it is, by the keyring."""

    run: Run
    pending: Sequence[Pending]
    person: str


def prepare(
    run: Run, host_runs: Sequence[HostRun], key: Signer, keyring: Keyring, store: Store
) -> Approval:
    """Return what somebody may approve of a run, by the keyring in force.

    Raises ApprovalError if that is nothing.
    """
    now = now_ms()
    waiting = [host_run for host_run in host_runs if _waits(host_run, now)]
    if not waiting:
        _refuse(run, host_runs, now)
    signatories = Signatories(keyring)
    approver = _approver(signatories, key, now)
    pending = [_read(run, host_run, signatories, store) for host_run in waiting]
    _check_alike(pending)
    for each in pending:
        _check(each, approver, store)
    return Approval(run, pending, approver.name)


def approve(approval: Approval, key: Signer, store: Store) -> list[HostRun]:
    """Sign each order and store it beside the one before; return the host runs after it.

    Raises ApprovalError if none could be stored, because all have moved on meanwhile.
    """
    at = now_ms()
    signed = [_countersigned(approval, each, key, at) for each in approval.pending]
    taken = store.approvals.add(signed)
    if not taken:
        raise ApprovalError(f"run {approval.run.run_id} has moved on just now; look at it again")
    return taken


def _waits(host_run: HostRun, now: int) -> bool:
    return host_run.awaiting and host_run.expires_at > now


def _refuse(run: Run, host_runs: Sequence[HostRun], now: int) -> NoReturn:
    name = f"run {run.run_id}"
    if any(h.cancel_sha256 for h in host_runs) and all(h.ended or h.cancelling for h in host_runs):
        raise ApprovalError(f"{name} was cancelled; nothing was approved")
    if any(host_run.awaits for host_run in host_runs) and run.expires_at <= now:
        message = "has expired before enough people had approved it; submit it again"
        raise ApprovalError(f"{name} {message}")
    states = ", ".join(sorted({host_run.state.value for host_run in host_runs}))
    raise ApprovalError(f"{name} waits for no approval (its hosts: {states}); nothing was approved")


def _approver(signatories: Signatories, key: Signer, now: int) -> Signatory:
    if key.public.id not in signatories:
        raise ApproverError(f"the fleet's keyring does not know your key ({key.public.id})")
    approver = signatories[key.public.id]
    if not approver.window.counts_at(now):
        raise ApproverError(f"your key ({key.public.id}) of {approver.name!r} does not count now")
    return approver


def _read(run: Run, host_run: HostRun, signatories: Signatories, store: Store) -> Pending:
    """Read an order as it was signed. What the rows say beside it could be anybody's word."""
    letter = store.envelopes.get(host_run.order_sha256)
    try:
        if letter is None:
            raise ApprovalError(f"the order for {host_run.host} is not in the store")
        verified = signatories.verify(letter.data, _ORDERS)
        order = decode(verified.payload, Order)
    except (EnvelopeError, MessageError) as error:
        raise ApprovalError(
            f"the order for {host_run.host} is not to be trusted: {error}"
        ) from None
    said = (order.run_id, order.host, order.runbook, order.runbook_sha256, order.operator)
    if said != (run.run_id, host_run.host, run.runbook, run.runbook_sha256, run.operator):
        message = f"the order for {host_run.host} is not what the store says of it"
        raise ApprovalError(f"{message}; nothing was approved")
    people = frozenset(signatories[key_id].name for key_id in verified.key_ids)
    return Pending(host_run, order, letter.data, people)


def _check_alike(pending: Sequence[Pending]) -> None:
    """See to it that who reads one order has read them all, but for the host and its secrets."""
    said = {
        msgspec.json.encode(
            msgspec.structs.replace(each.order, host="", epoch=1, sealed_params={}, nonce="0" * 32)
        )
        for each in pending
    }
    if len(said) > 1:
        raise ApprovalError("the orders for the hosts differ in more than the host; not approved")


def _check(pending: Pending, approver: Signatory, store: Store) -> None:
    host = store.hosts.get(pending.order.host)
    if approver.name in pending.signed_by:
        message = "has signed this run already; it takes another person, not another key"
        raise ApproverError(f"{approver.name} {message}")
    if host is None:
        raise ApprovalError(f"{pending.order.host} is not in the inventory any more")
    if not approver.may(Right.APPROVE, host.labels, pending.order.runbook):
        what = f"approve {pending.order.runbook} on {host.name}"
        raise ApproverError(f"no role of {approver.name} lets them {what}")


def _countersigned(approval: Approval, pending: Pending, key: Signer, at: int) -> NewApproval:
    try:
        data = countersign(pending.data, key)
    except EnvelopeError as error:
        raise ApprovalError(f"the order for {pending.order.host}: {error}") from None
    letter = NewEnvelope(
        kind=Kind.ORDER,
        host=pending.order.host,
        run_id=approval.run.run_id,
        digest=letter_digest(data),
        data=data,
        at=at,
    )
    missing = max(approval.run.people - len({*pending.signed_by, approval.person}), 0)
    return NewApproval(letter=letter, of=pending.host_run.order_sha256, awaits=missing)
