"""Keyrings and admissions for tests: who is who in a fleet, signed as the real ones are."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from contract.envelope import PayloadType, sign
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.keyring import (
    Admission,
    Duty,
    Keyring,
    KeyWindow,
    Person,
    Right,
    Role,
    RootKey,
    Roots,
    Service,
)
from contract.order import encode, sign_message
from contract.succession import fingerprint
from worker.membership import Membership, join

YEAR = 365 * 24 * 3600 * 1000
ROLES = (
    Role(name="operator", rights=[Right.ORDER, Right.CANCEL, Right.PING]),
    Role(name="approver", rights=[Right.APPROVE]),
)


def window(key: SigningKey, at: int, **changes: Any) -> KeyWindow:
    """Return a key that counts a year before and after a moment."""
    members = {"key": key.public.text, "not_before": at - YEAR, "not_after": at + YEAR}
    return KeyWindow(**{**members, **changes})


@dataclass(frozen=True)
class FleetKeys:
    """All private keys of a fleet with one person, whom tests play."""

    operator_name: str = "anna"
    at: int = field(default_factory=now_ms)  # the keyring counts a year before and after
    root: SigningKey = field(default_factory=SigningKey.generate)
    operator: SigningKey = field(default_factory=SigningKey.generate)
    beat: SigningKey = field(default_factory=SigningKey.generate)
    recorder: SigningKey = field(default_factory=SigningKey.generate)
    registrar: SigningKey = field(default_factory=SigningKey.generate)

    def keyring(self, **changes: Any) -> Keyring:
        """Return the first keyring; `changes` replace members of it."""
        services = {
            "beat": (Duty.SCHEDULER, self.beat),
            "recorder": (Duty.RECORDER, self.recorder),
            "registrar": (Duty.REGISTRAR, self.registrar),
        }
        keyring = Keyring(
            version=1,
            issued_at=self.at - YEAR,
            expires_at=self.at + YEAR,
            roots=Roots(threshold=1, keys=[RootKey(name="root", key=self.root.public.text)]),
            people=[self.person(self.operator_name, self.operator, "operator", "approver")],
            services=[
                Service(name=name, duty=duty, keys=[window(key, self.at)])
                for name, (duty, key) in services.items()
            ],
            roles=list(ROLES),
        )
        return msgspec.structs.replace(keyring, **changes)

    def person(self, name: str, key: SigningKey, *roles: str) -> Person:
        return Person(name=name, keys=[window(key, self.at)], roles=list(roles))

    def with_person(self, name: str, key: SigningKey, *roles: str) -> Keyring:
        """Return the first keyring with one person more."""
        first = self.keyring()
        return msgspec.structs.replace(
            first, people=[*first.people, self.person(name, key, *roles)]
        )

    def sign(self, keyring: Keyring, *roots: SigningKey) -> bytes:
        """Return a keyring's letter, signed by the root unless others are named."""
        return sign(PayloadType.KEYRING, encode(keyring), roots or (self.root,))

    def admission(self, host: str, sign: SigningKey, seal: SealKey, **changes: Any) -> bytes:
        """Return the letter that admits a host; `changes` replace members of it."""
        members: dict[str, Any] = {
            "host": host,
            "epoch": 1,
            "sign": sign.public.text,
            "seal": seal.public.text,
            "labels": {},
            "issued_at": self.at,
            "keyring": 1,
        }
        message = Admission(**{**members, **changes})
        return sign_message(PayloadType.ADMISSION, message, self.registrar)

    def membership(
        self, admission: bytes, keyring: Keyring | None = None, now: int | None = None
    ) -> Membership:
        """Return what a host of this fleet goes by."""
        keyring = keyring or self.keyring()
        pinned = fingerprint(keyring.roots)
        return join([self.sign(keyring)], admission, pinned, self.at if now is None else now)
