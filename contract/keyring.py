"""The keyring: whom a fleet trusts, and with what; signed by the fleet's root keys.

One document names the people and their keys, the orchestrator's services and theirs, the roles,
and the roots that must sign the next one. Version N+1 is believed if a threshold of version N's
roots and a threshold of its own roots signed it (the idea of TUF's root role,
https://theupdateframework.github.io/specification/latest/#key-management-and-migration). A host's
own name, epoch, keys and labels are not in it but in its admission, which a registrar signs: one
host more must not be a new keyring for all of them.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from contract.order import Count, Instant, Message, Name

Version = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
PublicKey = Annotated[str, msgspec.Meta(min_length=44, max_length=44)]  # 32 bytes in base64


class Right(StrEnum):
    """What a role lets a person sign."""

    ORDER = "order"
    APPROVE = "approve"
    CANCEL = "cancel"
    PING = "ping"


class Duty(StrEnum):
    """What a key of the orchestrator's services signs, unattended."""

    SCHEDULER = "scheduler"  # orders of schedules, for runbooks marked `unattended` only
    RECORDER = "recorder"  # acknowledgements
    REGISTRAR = "registrar"  # admissions


class KeyWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A public Ed25519 key, and when it counts."""

    key: PublicKey
    not_before: Instant
    not_after: Instant
    revoked_at: Instant | None = None  # set: it counts no more, whatever the time

    def counts_at(self, now: int) -> bool:
        """Tell whether a signature by this key is believed at `now` (ms since 1970)."""
        return self.revoked_at is None and self.not_before <= now < self.not_after


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Somebody who signs, with as many keys as overlap; a threshold counts people, not keys."""

    name: Name
    keys: list[KeyWindow]
    roles: list[Name]


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the orchestrator that signs without anybody there."""

    name: Name
    duty: Duty
    keys: list[KeyWindow]


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What people of a role may sign: which rights, for which runbooks, on which hosts."""

    name: Name
    rights: list[Right]
    runbooks: list[str] = msgspec.field(default_factory=lambda: ["*"])  # shell patterns on names
    hosts: dict[str, str] = {}  # labels that a host must have, all of them; none: every host


class RootKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A key that signs keyrings, and who keeps it."""

    name: Name
    key: PublicKey


class Roots(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who signs keyrings, and how many of them it takes."""

    threshold: Annotated[int, msgspec.Meta(ge=1, le=4)]  # both sets sign, eight at most
    keys: list[RootKey]


class Keyring(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that a fleet trusts, in one version."""

    denrei_keyring: Literal[1] = 1
    version: Version
    issued_at: Instant
    expires_at: Instant  # from then on no order is believed; hosts go on reporting
    roots: Roots
    people: list[Person]
    services: list[Service]
    roles: list[Role]

    @property
    def signing(self) -> "list[Person | Service]":
        """Return everybody who signs letters."""
        return [*self.people, *self.services]


class Admission(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A registrar's word that a host belongs to the fleet under this name and epoch.

    `host` and `epoch` come with every message. Labels decide for which hosts a role is good, so
    they are signed; a later admission of the same epoch replaces them.
    """

    sign: PublicKey  # Ed25519: the host's receipts and reports
    seal: PublicKey  # X25519: secrets for the host
    labels: dict[str, str]
    issued_at: Instant
    keyring: Count  # the version that the registrar went by
