"""The rows of the store as frozen types. Moments are milliseconds since 1970, UTC."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from msgspec import Struct, json

from contract.outcome import TERMINAL, HostRunState, StepOutcome

if TYPE_CHECKING:
    from contract.certificate import CertificateFact
    from contract.envelope import PayloadType
    from contract.report import Report


class Kind(StrEnum):
    """What kind of letter an envelope is."""

    ORDER = "order"
    CANCEL = "cancel"
    PING = "ping"
    ACKNOWLEDGEMENTS = "acknowledgements"
    RECEIPT = "receipt"
    REPORT = "report"
    REFUSAL = "refusal"
    PONG = "pong"
    FOOTING = "footing"

    @classmethod
    def of(cls, payload_type: "PayloadType") -> "Kind":
        """Return the kind of a payload's type."""
        return cls[payload_type.name]

    @property
    def payload_type(self) -> "PayloadType":
        """Return the payload's type of this kind."""
        from contract.envelope import PayloadType

        return PayloadType[self.name]


class Via(StrEnum):
    """Which way a run was asked for."""

    CLI = "cli"
    BEAT = "beat"


class ServiceName(StrEnum):
    """The orchestrator's processes."""

    DISPATCHER = "dispatcher"
    RECORDER = "recorder"
    REGISTRAR = "registrar"
    BEAT = "beat"


class Host(Struct, frozen=True, kw_only=True):
    """A host of the inventory."""

    name: str
    sign_key: str
    seal_key: str
    labels: Mapping[str, str]
    added_at: int
    epoch: int  # +1 at each enrolment
    admission: bytes  # the newest letter that says so
    admission_at: int  # when that was signed
    admitted_at: int  # when the one was signed that the host goes by
    keyring: int  # the version that it follows, by its own last word
    last_signed_at: int | None = None  # when its last verified letter was recorded
    follow_at: int = 0  # when it is to be sent what it lacks of keyrings and admissions
    follow_pause_ms: int = 0


class HostKey(Struct, frozen=True, kw_only=True):
    """A key that a host has, or once had, for signing: kept so that old letters still verify."""

    key_id: str
    host: str
    epoch: int
    sign_key: str
    added_at: int
    removed_at: int | None = None


class Run(Struct, frozen=True, kw_only=True):
    """One submission."""

    run_id: str
    runbook: str
    runbook_sha256: str
    source: str  # where the runbook was found
    params: Mapping[str, Any]  # without secrets
    secrets: tuple[str, ...]  # their names only
    operator: str
    via: Via
    reason: str
    check: bool
    created_at: int
    expires_at: int  # a host that has not begun by then does not begin
    timeout_ms: int
    people: int = 1  # how many must have signed it before it is sent, the operator among them
    schedule: str | None = None
    slot: int | None = None  # the moment that the schedule was due


class HostRun(Struct, frozen=True, kw_only=True):
    """One host's share of a run."""

    run_id: str
    host: str
    epoch: int  # of the host when it was asked
    state: HostRunState
    order_sha256: str
    expires_at: int
    outcome: StepOutcome | None = None
    reason: str = ""
    offered_at: int | None = None  # when the dispatcher first set out to publish the order
    publishes: int = 0  # how often the order, or its tombstone, was put into the host's queue
    next_publish_at: int = 0
    pause_ms: int = 0  # how long the dispatcher last chose to wait
    accepted_at: int | None = None  # by the host's clock
    deadline_at: int | None = None  # when we stop waiting for the report
    ended_at: int | None = None  # by our clock
    awaits: int = 0  # how many people more must approve it before it is sent
    cancel_sha256: str | None = None  # the newest tombstone
    cancel_kill: bool | None = None  # whether it asks to end the command that runs
    cancel_until: int | None = None  # when it expires
    cancel_answered_at: int | None = None  # when the host's word that it has it was recorded
    reported_at: int | None = None  # when the report that settled this was recorded
    report: str | None = None  # the report's payload; left out of summaries

    @property
    def ended(self) -> bool:
        """Tell whether nothing more is expected."""
        return self.state in TERMINAL

    @property
    def awaiting(self) -> bool:
        """Tell whether it waits for people's approval."""
        return self.awaits > 0 and not self.ended and self.cancel_sha256 is None

    @property
    def cancelling(self) -> bool:
        """Tell whether it is being taken back and has not ended yet."""
        return self.cancel_sha256 is not None and not self.ended

    def read_report(self) -> "Report | None":
        """Return the host's report, if it came."""
        from contract.report import Report

        return None if self.report is None else json.decode(self.report, type=Report)


class RunSummary(Struct, frozen=True, kw_only=True):
    """A run and how many of its host runs stand where."""

    run: Run
    states: Mapping[HostRunState, int]
    outcomes: Mapping[StepOutcome, int]
    cancelling: int = 0  # how many of the open ones are being taken back
    awaiting: int = 0  # how many wait for people's approval

    @property
    def ended(self) -> bool:
        """Tell whether every host run has ended."""
        return all(state in TERMINAL for state in self.states)


class NewEnvelope(Struct, frozen=True, kw_only=True):
    """A letter about to be stored."""

    kind: Kind
    host: str  # whom it is for, or who signed it; empty: it is for many
    digest: str  # SHA-256 of `data`
    data: bytes
    at: int
    run_id: str | None = None


class StoredEnvelope(Struct, frozen=True, kw_only=True):
    """A letter as its exact bytes; never changed, never deleted."""

    seq: int
    kind: Kind
    host: str
    digest: str
    data: bytes
    at: int
    run_id: str | None


class Service(Struct, frozen=True, kw_only=True):
    """The last sign of life of one of the orchestrator's processes."""

    name: ServiceName
    pid: int
    started_at: int
    beat_at: int
    detail: str  # what hinders it, such as an absent broker; empty if nothing does


class PingRecord(Struct, frozen=True, kw_only=True):
    """A question to a host's executor, and its answer if one came."""

    nonce: str
    host: str
    digest: str  # of the ping's envelope
    created_at: int
    expires_at: int
    publishes: int = 0
    next_publish_at: int = 0
    ponged_at: int | None = None
    waiting: int | None = None  # orders that the host had accepted and not ended
    worker: str = ""  # the worker's version


class PresenceRecord(Struct, frozen=True, kw_only=True):
    """What is known of a host's presence: our questions, and the unsigned answers to them."""

    host: str
    due_at: int = 0  # when to look at its queue again
    nonce: str = ""  # of the question that may still be answered
    asked_at: int | None = None
    open_since: int | None = None  # since when what lies in the queue, or was asked, is unanswered
    lying: int = 0  # letters that lay in the queue at the last look
    answered_at: int | None = None  # by our clock
    skew_ms: int = 0  # the host's clock less ours, at least: by its last unsigned word
    worker: str = ""
    inbox: int = 0
    outbox: int = 0
    taking: bool = True  # whether its executor seems to take letters
    signed_skew_ms: int = 0  # the same by a signed letter
    signed_skew_at: int | None = None  # when that letter was recorded


class CertificateRecord(Struct, frozen=True, kw_only=True):
    """What a host last said of one certificate."""

    host: str
    run_id: str  # whose report told it
    observed_at: int  # by the host's clock, but never later than its report was recorded
    fact: "CertificateFact"


class Firing(Struct, frozen=True, kw_only=True):
    """That a schedule was due at a moment, and the run it made or why it made none."""

    schedule: str
    slot: int
    at: int
    run_id: str | None = None
    error: str = ""


class NewCancel(Struct, frozen=True, kw_only=True):
    """A finished tombstone for one host run, about to be stored."""

    letter: NewEnvelope
    kill: bool
    until: int  # when it expires
    why: str  # by whom, and for what reason


class NewApproval(Struct, frozen=True, kw_only=True):
    """An order with one more signature, about to be stored."""

    letter: NewEnvelope
    of: str  # the digest of the order without that signature
    awaits: int  # how many people more must approve it


class Letter(Struct, frozen=True, kw_only=True):
    """A finished envelope that is due to be put into a host's queue."""

    key: tuple[str, ...]  # (run_id, host) or (nonce,)
    host: str
    data: bytes
    publishes: int
    pause_ms: int
    digest: str = ""  # of `data`
    overtakes: bool = False  # it is to be read before what lies in the queue
