"""The gate: bytes, keys, clock and ledger in; an order or a named refusal out. No I/O.

Every rule by which a letter is believed is here, in this order:

* the envelope: size, shape, type, known keys, every signature
* the signers: each key counts now, by the keyring; the keyring itself has not expired
* the message: its shape and protocol version
* the address: this host, of this epoch, and no other
* the right: an order's operator is among those who signed it, and a role lets them order this
  runbook on a host with these labels; who else signed it may approve it. A schedule's is signed by
  the scheduler alone, an acknowledgement by the recorder
* the keyring: an order that goes by a later one waits until that has come
* the ledger: a run that is known already is not taken again; a run id is never used twice; what
  was cancelled is not taken any more
* the clock: not from the future, not before its time, not after its expiry, not older than the
  ledger, not below the floor that accepted orders have set
* the runbook: its digest, its name, its language
* the parameters: plain ones by their types, secrets by opening them
* the host's policy: the runbook, who wants it, and everything that it can touch

Keyrings and admissions have rules of their own: `worker.authority`.
"""

from collections.abc import Iterable
from typing import Any

from contract.envelope import EnvelopeError, PayloadType, Verified, peek
from contract.key import SealKey
from contract.keyring import Duty, Right
from contract.order import (
    PROTOCOL,
    Acknowledgement,
    Cancel,
    Message,
    MessageError,
    Order,
    Ping,
    decode,
    letter_digest,
)
from contract.signatory import Signatory
from worker.authority import Authority, is_duty
from worker.contents import Contents
from worker.membership import Membership
from worker.policy import Policy, Ruling, refused
from worker.request import request_of
from worker.validity import (
    Memory,
    check_cancel,
    check_order,
    check_ping,
    check_that_it_never_came,
)
from worker.verdict import (
    Accepted,
    Acknowledged,
    Pinged,
    Reason,
    Refused,
    Repeated,
    TakenBack,
    Verdict,
)


class Gate:
    """Knows whom to believe and what the host allows; judges one letter at a time."""

    def __init__(self, membership: Membership, policy: Policy, seal_key: SealKey) -> None:
        """Prepare the keys."""
        self._authority = Authority(membership)
        self._policy = policy
        self._contents = Contents(seal_key)
        self._last: Accepted | None = None  # what is opened again as soon as it is accepted

    @property
    def membership(self) -> Membership:
        """Return what this gate goes by."""
        return self._authority.membership

    def follow(self, membership: Membership) -> None:
        """Go by another keyring or admission from now on."""
        self._authority = Authority(membership)

    def judge(self, letter: bytes, now: int, memory: Memory) -> Verdict:
        """Return what to do with a letter that came in at `now` (ms). Raises Refused."""
        match _type(letter):
            case PayloadType.KEYRING:
                return self._authority.follow(letter)
            case PayloadType.ADMISSION:
                return self._authority.admit(letter, now)
        verified, signers = self._authority.open(letter, now)
        match verified.type:
            case PayloadType.ACKNOWLEDGEMENT:
                return self._acknowledgement(verified, signers)
            case PayloadType.PING:
                return self._ping(verified, signers, now)
            case PayloadType.CANCEL:
                return self._cancel(verified, signers, now, memory)
            case _:
                return self._order(verified, signers, letter, now, memory)

    def reopen(self, letter: bytes) -> Accepted:
        """Read an order again that the host's own ledger holds: it was judged when it came.

        Raises Refused if the letter, the runbook or the secrets can't be read any more.
        """
        last = self._last
        if last is None or last.digest != letter_digest(letter):
            last = self._remembered(self._contents.read(letter))
        return last

    def _remembered(self, accepted: Accepted) -> Accepted:
        """Keep an order for the next look at it; secrets are not kept."""
        self._last = None if accepted.secrets else accepted
        return accepted

    def permit(self, accepted: Accepted, now: int) -> None:
        """Ask once more just before an order begins, which may be long after it came.

        Raises Refused if it has expired, or who signed it is trusted no more, or the policy does
        not allow it (any more).
        """
        order = accepted.order
        if order.expires_at <= now:
            raise Refused(Reason.EXPIRED, "it expired while it waited its turn", order.run_id)
        self._authority.check_not_revoked(accepted.key_ids, order.run_id)
        standing = self._authority.standing(order, accepted.key_ids)
        self._check_rulings(self._policy.rulings(request_of(accepted, standing, now)), order)

    def _check_rulings(self, rulings: Iterable[Ruling], order: Order) -> None:
        if against := refused(rulings):
            reason, detail = against
            raise Refused(reason, detail, order.run_id)

    def _message(self, verified: Verified, kind: type[Any]) -> Any:
        try:
            message: Message = decode(verified.payload, kind)
        except MessageError as error:
            raise Refused(Reason.MALFORMED, str(error)) from None
        run_id = getattr(message, "run_id", None)
        ours = self.membership
        if message.v != PROTOCOL:
            detail = f"protocol {message.v} is not spoken here, only {PROTOCOL}"
            raise Refused(Reason.UNSUPPORTED_VERSION, detail, run_id)
        if message.host != ours.host:
            detail = f"it is for {message.host!r}; this is {ours.host!r}"
            raise Refused(Reason.WRONG_HOST, detail, run_id)
        if message.epoch != ours.epoch:
            detail = f"it is for epoch {message.epoch} of this host; this is {ours.epoch}"
            raise Refused(Reason.WRONG_EPOCH, detail, run_id)
        return message

    def _acknowledgement(self, verified: Verified, signers: list[Signatory]) -> Acknowledged:
        if not is_duty(signers, Duty.RECORDER):
            raise _not_theirs(signers)
        message: Acknowledgement = self._message(verified, Acknowledgement)
        return Acknowledged(tuple(message.digests))

    def _ping(self, verified: Verified, signers: list[Signatory], now: int) -> Pinged:
        ping: Ping = self._message(verified, Ping)
        self._authority.check_right(_operator(ping, signers, alone=True), Right.PING)
        check_ping(ping, now)
        return Pinged(ping)

    def _cancel(
        self, verified: Verified, signers: list[Signatory], now: int, memory: Memory
    ) -> TakenBack:
        cancel: Cancel = self._message(verified, Cancel)
        self._authority.check_right(_operator(cancel, signers, alone=True), Right.CANCEL)
        digest = cancel.order_sha256
        known = memory.digest_of(cancel.run_id)
        if {known, memory.cancelled_digest(cancel.run_id)} - {None, digest}:
            detail = "this host knows another order with this run id"
            raise Refused(Reason.RUN_ID_REUSED, detail, cancel.run_id)
        check_cancel(cancel, now)
        if known is None:
            check_that_it_never_came(cancel, memory)
        return TakenBack(cancel)

    def _order(
        self,
        verified: Verified,
        signers: list[Signatory],
        letter: bytes,
        now: int,
        memory: Memory,
    ) -> Accepted | Repeated:
        order: Order = self._message(verified, Order)
        self._check_ordered(order, signers)
        self._authority.check_order_not_ahead(order)
        digest = letter_digest(letter)
        known = memory.digest_of(order.run_id)
        if known == digest:
            return Repeated(order.run_id)
        if known is not None:
            detail = "another order with this run id was accepted before"
            raise Refused(Reason.RUN_ID_REUSED, detail, order.run_id)
        if memory.cancelled_digest(order.run_id) is not None:
            raise Refused(Reason.CANCELLED, "it was cancelled before it came", order.run_id)
        check_order(order, now, memory)
        # Before anything that is in it is read.
        self._check_rulings([self._policy.runbook(order.runbook, order.runbook_sha256)], order)
        accepted = self._contents.open(order, digest, sorted(verified.key_ids))
        if is_duty(signers, Duty.SCHEDULER) and not accepted.runbook.unattended:
            detail = f"{order.runbook!r} is not marked `unattended: true`: only people may order it"
            raise Refused(Reason.WRONG_ROLE, detail, order.run_id)
        self.permit(accepted, now)
        return self._remembered(accepted)

    def _check_ordered(self, order: Order, signers: list[Signatory]) -> None:
        """See to it that those who signed an order may: its operator, and who approves it."""
        is_scheduled = is_duty(signers, Duty.SCHEDULER)
        if is_scheduled != (order.via == "beat"):
            _check_people(signers, may_schedule=True)
            raise _not_theirs(signers, order)
        if is_scheduled:
            _operator(order, signers, may_schedule=True)
            return
        operator = _operator(order, signers)
        self._authority.check_right(operator, Right.ORDER, order.runbook)
        for other in signers:
            if other.name != operator.name:
                self._authority.check_right(other, Right.APPROVE, order.runbook)


def _type(letter: bytes) -> PayloadType:
    try:
        return peek(letter)[0]
    except EnvelopeError as error:
        raise Refused(Reason(error.flaw.value), str(error)) from None


def _operator(
    message: Order | Cancel | Ping,
    signers: list[Signatory],
    *,
    alone: bool = False,
    may_schedule: bool = False,
) -> Signatory:
    """Return the person named inside, who must be one of those who signed."""
    if alone and len(signers) > 1:
        raise Refused(Reason.MALFORMED, "needs one signature, has more")
    _check_people(signers, may_schedule=may_schedule)
    named = next((each for each in signers if each.name == message.operator), None)
    if named is None:
        raise _not_theirs(signers, message)
    return named


def _check_people(signers: list[Signatory], *, may_schedule: bool) -> None:
    """Refuse the keys of services, but the scheduler's where that may sign."""
    for each in signers:
        is_person = not any(each.has_duty(duty) for duty in Duty)
        if not is_person and not (may_schedule and each.has_duty(Duty.SCHEDULER)):
            raise _not_theirs([each])


def _not_theirs(signers: list[Signatory], message: Any = None) -> Refused:
    names = ", ".join(repr(each.name) for each in signers)
    if message is None:
        return Refused(Reason.WRONG_ROLE, f"{names} may not sign this")
    detail = f"signed by {names}, but says {message.operator!r}"
    return Refused(Reason.WRONG_OPERATOR, detail, getattr(message, "run_id", None))
