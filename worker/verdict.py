"""What the gate says of a letter: taken, known already, or refused for a named reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from contract.order import Cancel, Order, Ping
from contract.reach import Reach, reach
from contract.runbook import Runbook
from worker.membership import Membership


class Reason(StrEnum):
    """Why a letter is refused. The first five are the envelope's own flaws."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    KEY_NOT_VALID = "key_not_valid"
    KEYRING_EXPIRED = "keyring_expired"
    KEYRING_BEHIND = "keyring_behind"
    KEYRING_MALFORMED = "keyring_malformed"
    KEYRING_UNSIGNED = "keyring_unsigned"
    KEYRING_FORKED = "keyring_forked"
    ADMISSION_OUTDATED = "admission_outdated"
    WRONG_ROLE = "wrong_role"
    WRONG_OPERATOR = "wrong_operator"
    UNSUPPORTED_VERSION = "unsupported_version"
    WRONG_HOST = "wrong_host"
    WRONG_EPOCH = "wrong_epoch"
    RUN_ID_REUSED = "run_id_reused"
    CANCELLED = "cancelled"
    FROM_THE_FUTURE = "from_the_future"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    LIVES_TOO_LONG = "lives_too_long"
    OLDER_THAN_LEDGER = "older_than_ledger"
    DIGEST_MISMATCH = "digest_mismatch"
    BAD_RUNBOOK = "bad_runbook"
    POLICY_RUNBOOK = "policy_runbook"
    POLICY_ROLE = "policy_role"
    POLICY_PROTOCOL = "policy_protocol"
    POLICY_ACTION = "policy_action"
    POLICY_PATH = "policy_path"
    POLICY_EXECUTABLE = "policy_executable"
    POLICY_UNIT = "policy_unit"
    POLICY_HOURS = "policy_hours"
    POLICY_RUN_TIME = "policy_run_time"
    POLICY_APPROVALS = "policy_approvals"
    BAD_PARAMETER = "bad_parameter"
    BAD_SECRET = "bad_secret"  # noqa: S105 - a reason, not a password


@dataclass(frozen=True)  # without slots, for what is worked out once
class Accepted:
    """An order to carry out, with everything in it checked."""

    order: Order
    digest: str  # of the letter
    runbook: Runbook
    parameters: Mapping[str, Any]  # defaults filled in; the secrets are opened
    secrets: tuple[str, ...]  # the secret values, for redaction
    key_ids: tuple[str, ...]  # of who signed it

    @cached_property
    def texts(self) -> Mapping[str, Any]:
        """Return the values of its `${run.…}` and `${params.…}`."""
        of_run = {"run.id": self.order.run_id, "run.host": self.order.host}
        return of_run | self.runbook.texts(self.parameters)

    @cached_property
    def reach(self) -> Reach:
        """Return what it can touch."""
        return reach(self.runbook, self.texts)


@dataclass(frozen=True, slots=True)
class Repeated:
    """An order that the ledger has already, to the byte."""

    run_id: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A tombstone for an order, whether or not it came already."""

    cancel: Cancel


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Letters of ours that the recorder has stored."""

    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pinged:
    """A question whether the executor is there."""

    ping: Ping


@dataclass(frozen=True, slots=True)
class Followed:
    """What this host is to go by from now on: the next keyring, or a new admission."""

    membership: Membership
    admission_letter: bytes | None  # None: it is the keyring that is new


@dataclass(frozen=True, slots=True)
class Known:
    """A keyring or an admission that this host goes by already."""


class Refused(Exception):  # noqa: N818 - a verdict, raised because any rule may give it
    """A letter that is not believed or not allowed, and why."""

    def __init__(self, reason: Reason, detail: str, run_id: str | None = None) -> None:
        """Name the reason; the run id only if the letter was signed by somebody trusted."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.run_id = run_id


Verdict = Accepted | Repeated | TakenBack | Acknowledged | Pinged | Followed | Known
