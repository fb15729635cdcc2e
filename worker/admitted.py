"""What an enrolment brought: all that makes a host a member."""

from dataclasses import dataclass

from worker.membership import Membership


@dataclass(frozen=True, slots=True)
class Admitted:
    """What an enrolment brought, all of it verified."""

    membership: Membership
    admission_letter: bytes
    broker: str  # the host's own URL
