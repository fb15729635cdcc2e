"""A row of the enrolments: one token, and how far its host has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One token. The keys are empty until a host has used it."""

    id: str
    host: str
    epoch: int
    shared_key: str = field(repr=False)  # what the orchestrator knows of the token's secret
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
