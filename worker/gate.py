"""The gate: bytes, keys, clock and ledger in; an order or a named refusal out. No I/O.

Every rule by which a letter is believed is here, in this order:

* the envelope: size, shape, type, known keys, every signature
* the signer's role: orders and pings from operators and schedulers, cancels from operators alone,
  acknowledgements from the recorder, and the operator named inside is the one who signed
* the message: its shape and protocol version
* the address: this host and no other
* the ledger: a run that is known already is not taken again; a run id is never used twice; what
  was cancelled is not taken any more
* the clock: not from the future, not before its time, not after its expiry, not older than the
  ledger, not below the floor that accepted orders have set
* the runbook: its digest, its name, its language
* the parameters: plain ones by their types, secrets by opening them
* the host's policy: the runbook, who wants it, and everything that it can touch
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Protocol

from contract.document import DocumentError
from contract.envelope import EnvelopeError, PayloadType, Verified, peek, verify
from contract.key import SealKey, VerifyKey
from contract.loader import load_runbook
from contract.order import (
    MAX_CANCEL_LIFE_MS,
    MAX_LIFE_MS,
    PROTOCOL,
    Acknowledgement,
    Cancel,
    MessageError,
    Order,
    Ping,
    decode,
    letter_digest,
)
from contract.parameter import ParameterError, bind
from contract.runbook import Runbook
from contract.sealing import SealContext, SealError, unseal
from contract.trust import Role, Trust, TrustedKey
from worker.policy import Policy, refused
from worker.request import request_of
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

SKEW_MS = 60_000  # how far the orchestrator's clock may run ahead of the host's

_TYPES = frozenset(
    {PayloadType.ORDER, PayloadType.CANCEL, PayloadType.PING, PayloadType.ACKNOWLEDGEMENT}
)
_ORDERING = frozenset({Role.OPERATOR, Role.SCHEDULER})


class Memory(Protocol):
    """What the gate needs to know of the ledger."""

    created_at: int  # ms since 1970

    @property
    def floor(self) -> int:
        """Return the time below which nothing is accepted any more; ms since 1970."""

    def digest_of(self, run_id: str) -> str | None:
        """Return the digest of the order with this run id, if it was ever accepted."""

    def cancelled_digest(self, run_id: str) -> str | None:
        """Return the digest of the order with this run id that was cancelled, if one was."""


class Gate:
    """Knows whom to believe and what the host allows; judges one letter at a time."""

    def __init__(self, host: str, trust: Trust, policy: Policy, seal_key: SealKey) -> None:
        """Prepare the keys. Raises KeyFileError for a weak one."""
        self._host = host
        self._trusted: dict[str, TrustedKey] = trust.by_id()
        self._keys: dict[str, VerifyKey] = {i: t.verify_key() for i, t in self._trusted.items()}
        self._policy = policy
        self._seal_key = seal_key

    def judge(self, letter: bytes, now: int, memory: Memory) -> Verdict:
        """Return what to do with a letter that came in at `now` (ms). Raises Refused."""
        verified, signer = self._open(letter)
        match verified.type:
            case PayloadType.ACKNOWLEDGEMENT:
                self._check_role(signer, frozenset({Role.RECORDER}))
                return self._acknowledgement(verified)
            case PayloadType.PING:
                self._check_role(signer, _ORDERING)
                return self._ping(verified, signer, now)
            case PayloadType.CANCEL:
                self._check_role(signer, frozenset({Role.OPERATOR}))
                return self._cancel(verified, signer, now, memory)
            case _:
                self._check_role(signer, _ORDERING)
                return self._order(verified, signer, letter_digest(letter), now, memory)

    def reopen(self, letter: bytes) -> Accepted:
        """Read an order again that the host's own ledger holds: it was judged when it came.

        Raises Refused if the letter, the runbook or the secrets can't be read any more.
        """
        try:
            _, payload = peek(letter)
            order = decode(payload, Order)
        except (EnvelopeError, MessageError) as error:
            raise Refused(Reason.MALFORMED, str(error)) from None
        return self._contents(order, letter_digest(letter))

    def permit(self, accepted: Accepted, now: int) -> None:
        """Ask once more just before an order begins, which may be long after it came.

        Raises Refused if it has expired or the policy does not allow it (any more).
        """
        order = accepted.order
        if order.expires_at <= now:
            raise Refused(Reason.EXPIRED, "it expired while it waited its turn", order.run_id)
        if against := refused(self._policy.rulings(request_of(accepted, now))):
            reason, detail = against
            raise Refused(reason, detail, order.run_id)

    def _open(self, letter: bytes) -> tuple[Verified, TrustedKey]:
        try:
            verified = verify(letter, self._keys, _TYPES)
        except EnvelopeError as error:
            raise Refused(Reason(error.flaw.value), str(error)) from None
        if len(verified.key_ids) != 1:
            raise Refused(Reason.MALFORMED, "needs one signature, has more")
        return verified, self._trusted[next(iter(verified.key_ids))]

    def _check_role(self, signer: TrustedKey, roles: frozenset[Role]) -> None:
        if signer.role not in roles:
            detail = f"the key of {signer.name!r} ({signer.role}) may not sign this"
            raise Refused(Reason.WRONG_ROLE, detail)

    def _message(self, verified: Verified, kind: type[Any]) -> Any:
        try:
            message = decode(verified.payload, kind)
        except MessageError as error:
            raise Refused(Reason.MALFORMED, str(error)) from None
        run_id = getattr(message, "run_id", None)
        if message.v != PROTOCOL:
            detail = f"protocol {message.v} is not spoken here, only {PROTOCOL}"
            raise Refused(Reason.UNSUPPORTED_VERSION, detail, run_id)
        if message.host != self._host:
            detail = f"it is for {message.host!r}; this is {self._host!r}"
            raise Refused(Reason.WRONG_HOST, detail, run_id)
        return message

    def _acknowledgement(self, verified: Verified) -> Acknowledged:
        message: Acknowledgement = self._message(verified, Acknowledgement)
        return Acknowledged(tuple(message.digests))

    def _ping(self, verified: Verified, signer: TrustedKey, now: int) -> Pinged:
        ping: Ping = self._message(verified, Ping)
        _check_operator(ping, signer)
        if not ping.issued_at - SKEW_MS <= now < ping.expires_at:
            raise Refused(Reason.EXPIRED, "the ping is too old or from the future")
        return Pinged(ping)

    def _cancel(
        self, verified: Verified, signer: TrustedKey, now: int, memory: Memory
    ) -> TakenBack:
        cancel: Cancel = self._message(verified, Cancel)
        _check_operator(cancel, signer)
        digest = cancel.order_sha256
        known = memory.digest_of(cancel.run_id)
        if {known, memory.cancelled_digest(cancel.run_id)} - {None, digest}:
            detail = "this host knows another order with this run id"
            raise Refused(Reason.RUN_ID_REUSED, detail, cancel.run_id)
        _check_life(cancel, now)
        if known is None:
            _check_that_it_never_came(cancel, memory)
        return TakenBack(cancel)

    def _order(
        self, verified: Verified, signer: TrustedKey, digest: str, now: int, memory: Memory
    ) -> Accepted | Repeated:
        order: Order = self._message(verified, Order)
        via = "beat" if signer.role is Role.SCHEDULER else "cli"
        if (order.operator, order.via) != (signer.name, via):
            detail = f"signed by {signer.name!r} ({via}), but says {order.operator!r} ({order.via})"
            raise Refused(Reason.WRONG_OPERATOR, detail, order.run_id)
        known = memory.digest_of(order.run_id)
        if known == digest:
            return Repeated(order.run_id)
        if known is not None:
            detail = "another order with this run id was accepted before"
            raise Refused(Reason.RUN_ID_REUSED, detail, order.run_id)
        if memory.cancelled_digest(order.run_id) is not None:
            raise Refused(Reason.CANCELLED, "it was cancelled before it came", order.run_id)
        _check_clock(order, now, memory)
        accepted = self._contents(order, digest)
        self.permit(accepted, now)
        return accepted

    def _contents(self, order: Order, digest: str) -> Accepted:
        runbook = _runbook(order)
        secrets = self._secrets(order)
        parameters = _parameters(order, runbook, secrets)
        return Accepted(order, digest, runbook, parameters, tuple(secrets.values()))

    def _secrets(self, order: Order) -> dict[str, str]:
        opened = {}
        for name, sealed in order.sealed_params.items():
            context = SealContext(order.run_id, self._host, order.runbook_sha256, name)
            try:
                opened[name] = unseal(sealed, self._seal_key, context)
            except SealError as error:
                raise Refused(Reason.BAD_SECRET, str(error), order.run_id) from None
        return opened


def _check_operator(message: Cancel | Ping, signer: TrustedKey) -> None:
    if message.operator != signer.name:
        detail = f"signed by {signer.name!r}, not {message.operator!r}"
        raise Refused(Reason.WRONG_OPERATOR, detail, getattr(message, "run_id", None))


def _check_life(cancel: Cancel, now: int) -> None:
    life = cancel.expires_at - cancel.issued_at
    rules = (
        (cancel.issued_at > now + SKEW_MS, Reason.FROM_THE_FUTURE, "issued in this host's future"),
        (cancel.expires_at <= now, Reason.EXPIRED, "the cancel has expired"),
        (life > MAX_CANCEL_LIFE_MS, Reason.LIVES_TOO_LONG, "it would be good for over two weeks"),
    )
    for broken, reason, detail in rules:
        if broken:
            raise Refused(reason, detail, cancel.run_id)


def _check_that_it_never_came(cancel: Cancel, memory: Memory) -> None:
    """Refuse to call an order cancelled that may have run here and been forgotten since."""
    if cancel.ordered_at < memory.created_at:
        detail = "its order is older than this host's ledger, which can't know whether it ran"
        raise Refused(Reason.OLDER_THAN_LEDGER, detail, cancel.run_id)
    if cancel.order_expires_at < memory.floor:
        detail = "its order expired before orders taken since, and may be forgotten here"
        raise Refused(Reason.EXPIRED, detail, cancel.run_id)


def _check_clock(order: Order, now: int, memory: Memory) -> None:
    life = order.expires_at - order.not_before
    rules = (
        (order.issued_at > now + SKEW_MS, Reason.FROM_THE_FUTURE, "issued in this host's future"),
        (order.not_before > now + SKEW_MS, Reason.NOT_YET_VALID, "its time has not come yet"),
        (order.expires_at <= now, Reason.EXPIRED, "it has expired"),
        (order.expires_at < memory.floor, Reason.EXPIRED, "it expired before orders taken since"),
        (life > MAX_LIFE_MS, Reason.LIVES_TOO_LONG, "it would be good for more than seven days"),
        (
            order.issued_at < memory.created_at,
            Reason.OLDER_THAN_LEDGER,
            "it is older than this host's ledger, which can't know whether it was run already",
        ),
    )
    for broken, reason, detail in rules:
        if broken:
            raise Refused(reason, detail, order.run_id)


def _runbook(order: Order) -> Runbook:
    data = order.runbook_yaml.encode()
    if sha256(data).hexdigest() != order.runbook_sha256:
        detail = "the runbook is not the one whose digest the order names"
        raise Refused(Reason.DIGEST_MISMATCH, detail, order.run_id)
    try:
        runbook = load_runbook(data, f"{order.runbook}.yaml")
    except DocumentError as error:
        raise Refused(Reason.BAD_RUNBOOK, str(error)[:2000], order.run_id) from None
    if runbook.name != order.runbook:
        detail = f"the runbook is {runbook.name!r}, the order says {order.runbook!r}"
        raise Refused(Reason.DIGEST_MISMATCH, detail, order.run_id)
    return runbook


def _parameters(order: Order, runbook: Runbook, secrets: Mapping[str, str]) -> dict[str, Any]:
    secret_names = {p.name for p in runbook.parameters if p.secret}
    if misplaced := (set(order.params) & secret_names) | (set(secrets) - secret_names):
        detail = f"{', '.join(sorted(misplaced))} sent the wrong way (secret and plain mixed up)"
        raise Refused(Reason.BAD_PARAMETER, detail, order.run_id)
    try:
        return bind(runbook.parameters, {**order.params, **secrets}, runbook.profiles)
    except ParameterError as error:
        raise Refused(Reason.BAD_PARAMETER, str(error), order.run_id) from None
