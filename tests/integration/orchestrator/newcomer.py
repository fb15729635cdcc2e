"""A host that is to come in, and the desk at which it asks."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec

from contract.enrolment import (
    Answer,
    Direction,
    Request,
    cover,
    make_request,
    open_answer,
)
from contract.envelope import PayloadType, peek
from contract.key import SealKey, SigningKey
from contract.order import decode, sign_message
from contract.token import Token
from orchestrator.enrolment import (
    Invitation,
    invite,
)
from orchestrator.registrar import Registrar
from orchestrator.store.enrolment_record import EnrolmentState
from tests.orchestrator_house import House


@dataclass(frozen=True)
class Newcomer:
    """A host with new keys, and whatever token it has."""

    token: Token
    key: SigningKey = field(default_factory=SigningKey.generate)
    seal_key: SealKey = field(default_factory=SealKey.generate)

    @property
    def request(self) -> bytes:
        return make_request(self.token, self.key, self.seal_key.public, "1.2.3")

    def letter(self, body: bytes | None = None) -> bytes:
        key = self.token.shared_key()
        return cover(key, Direction.REQUEST, self.token.id, body or self.request)

    def forged(self, key: SigningKey | None = None, **changes: Any) -> bytes:
        """Ask with other words than the token's, under its code."""
        asked = decode(peek(self.request)[1], Request)
        changed = msgspec.structs.replace(asked, **changes)
        return self.letter(sign_message(PayloadType.ENROLMENT, changed, key or self.key))


@dataclass(frozen=True)
class Desk:
    """An orchestrator, and the registrar in it."""

    house: House
    registrar: Registrar

    def invite(self, host: str = "new1", *, hold: bool = False, **labels: str) -> Newcomer:
        life = timedelta(minutes=10)
        invitation = Invitation(host, labels or None, life, hold)
        return Newcomer(invite(self.house.home, self.house.store, invitation))

    def ask(self, newcomer: Newcomer, letter: bytes | None = None) -> Answer:
        """Hand a request in, and open the answer with the token."""
        reply = self.registrar.take(letter or newcomer.letter())
        assert reply.id == newcomer.token.id
        return open_answer(reply.letter, newcomer.token)

    def state(self, newcomer: Newcomer) -> EnrolmentState:
        found = self.house.store.enrolments.get(newcomer.token.id)
        assert found is not None
        return found.state

    def hosts(self) -> list[tuple[str, int]]:
        return [(host.name, host.epoch) for host in self.house.store.hosts.all()]

    def expire(self, newcomer: Newcomer) -> None:
        """Let the token's time be over: what is open ends, as the next turn of `tidy` does it."""
        self.house.store.enrolments.void_expired(newcomer.token.expires_at)
