"""What a host sends back: receipts, reports, refusals and pongs. All are signed by the host."""

from typing import Annotated

import msgspec

from contract.certificate import MAX_FACTS, CertificateFact
from contract.order import Count, Digest, Instant, Message, Nonce, RunId, Whole
from contract.outcome import HostRunState, StepOutcome

Text = Annotated[str, msgspec.Meta(max_length=4000)]
Plain = bool | int | float | str | list[str] | None  # a value as JSON has it; nothing is nested


class ActionReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the last attempt of an action did. It proves nothing; the observed state does."""

    kind: str
    summary: Text
    exit_code: Whole | None = None
    signal: Whole | None = None
    timed_out: bool = False
    stdout: str = ""  # head and tail, redacted
    stderr: str = ""
    stdout_bytes: Count = 0
    stderr_bytes: Count = 0
    stdout_sha256: str = ""
    stderr_sha256: str = ""


class StepReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What became of one step."""

    name: str
    outcome: StepOutcome
    reason: Text = ""  # why, in a sentence, unless the outcome says it all
    evidence: dict[str, Plain] = {}  # each observed value that `ensure` speaks of, as last seen
    started_at: Instant | None = None
    ended_at: Instant | None = None
    attempts: Count = 0  # how often the action was run
    interrupted: bool = False  # an executor died in the middle and another one took over
    action: ActionReport | None = None
    earlier: list[Text] = []  # what the attempts before the last one came to
    rescue: list["StepReport"] = []  # the steps that ran because this one failed

    def __post_init__(self) -> None:
        """Refuse what no runbook can say: readers go one level deep."""
        if any(step.rescue for step in self.rescue):
            raise ValueError("a rescue has no rescue of its own")


class PassReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One pass over the runbook: the whole of it, or one item's of `for_each`."""

    item: str = ""  # the item's name; empty without `for_each`
    steps: list[StepReport]
    values: dict[str, Plain] = {}  # the runbook's `report`


class HostMessage(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every message of a host carries."""

    keyring: Count  # the version of the keyring that it follows


class Receipt(HostMessage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The host's word of what its ledger holds of an order that has not ended."""

    run_id: RunId
    order_sha256: Digest
    # delivered (it waits its turn), running, or cancelled (it was taken back before it came)
    state: HostRunState
    cancel_sha256: Digest | None = None  # the tombstone that this answers
    at: Instant


class Report(HostMessage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a host run ended."""

    run_id: RunId
    order_sha256: Digest
    counter: Count  # of this host's reports, never going back: a gap or a repeat is visible
    state: HostRunState
    outcome: StepOutcome | None  # None: no step was looked at (refused or expired)
    reason: Text = ""
    check: bool
    accepted_at: Instant
    started_at: Instant | None
    ended_at: Instant
    passes: list[PassReport]
    notes: list[str] = []  # noqa: RUF012 - msgspec copies it
    # such as what `for_each` found and left alone
    certificates: Annotated[list[CertificateFact], msgspec.Meta(max_length=MAX_FACTS)] = []  # noqa: RUF012
    certificates_complete: bool = False  # they are all that a scan found: others are gone
    worker: str = ""  # the worker's version


class Refusal(HostMessage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The host's word that it will not carry out a letter, and why."""

    run_id: RunId | None  # None: the letter could not be believed, so nor can its run
    letter_sha256: Digest
    reason: str  # a gate's reason, such as `expired` or `policy_runbook`
    detail: Text
    at: Instant


class Pong(HostMessage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The executor's signed answer to a ping."""

    nonce: Nonce
    at: Instant
    waiting: Count  # orders accepted and not yet ended
    worker: str


class Footing(HostMessage, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The host's word that it follows a keyring, or goes by an admission, from now on."""

    admission_at: Instant  # when the admission was issued that it goes by
    at: Instant


FromHost = Receipt | Report | Refusal | Pong | Footing
