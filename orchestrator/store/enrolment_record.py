"""A row of the enrolments: one token, and how far its host has come."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct


class EnrolmentState(StrEnum):
    """What has become of a token.

    issued ── first request ──> accepted ── admission ──> admitted
       │  └── first request ──> held ── accept ──> accepted
       │                          └──── reject ──> rejected
       └── its time is over, another token, `host revoke` ──> void (held and accepted, too)
    """

    ISSUED = "issued"  # nobody has used it
    HELD = "held"  # a host asked; a person is to compare its keys
    ACCEPTED = "accepted"  # the registrar may admit the host
    ADMITTED = "admitted"
    REJECTED = "rejected"
    VOID = "void"


OPEN = (EnrolmentState.ISSUED, EnrolmentState.HELD, EnrolmentState.ACCEPTED)


class Enrolment(Struct, frozen=True, kw_only=True):
    """One token. The keys are empty until a host has used it."""

    id: str
    host: str
    epoch: int
    shared_key: str  # what the orchestrator knows of the token's secret
    labels: Mapping[str, str]
    hold: bool
    keyring: int  # the version whose roots the token pins
    issued_at: int
    expires_at: int
    state: EnrolmentState = EnrolmentState.ISSUED
    reason: str = ""
    sign_key: str = ""
    seal_key: str = ""
    claimed_at: int | None = None
    ended_at: int | None = None
    answer: bytes | None = None  # the letter that admits: the same for every repeated request

    def __repr__(self) -> str:
        """Return what may be shown: not what the orchestrator knows of the secret."""
        return f"Enrolment(id={self.id!r}, host={self.host!r}, state={self.state!r})"
