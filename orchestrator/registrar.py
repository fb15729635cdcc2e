"""The registrar: admits hosts that prove that they hold a token of ours, and their new keys.

Nobody else's letters are answered. The first that uses a token has it, by its keys: the same host
may ask again as often as it likes, and gets the very same answer; another one is turned away, and
that is told, since a token has then been stolen or given away twice.
"""

from dataclasses import dataclass

import structlog

from contract.broker import BrokerError
from contract.enrolment import (
    Answer,
    Direction,
    EnrolmentError,
    Request,
    Verdict,
    broker_context,
    cover,
    key_fingerprint,
    open_request,
    uncover,
)
from contract.instant import now_ms
from contract.key import KeyFileError, SealPublicKey, Signer, VerifyKey
from contract.order import encode, letter_digest
from contract.sealing import seal
from orchestrator.broker.access import host_url, withdraw_enrolments
from orchestrator.home import Home
from orchestrator.inventory import Applicant, Inventory, InventoryError
from orchestrator.store.enrolment_record import OPEN, Enrolment, EnrolmentState
from orchestrator.store.record import Host
from orchestrator.store.store import Store

_KEPT_MS = 24 * 3600 * 1000  # after its time an enrolment is still told why it failed
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A letter to whoever waits at an enrolment's queue."""

    id: str
    letter: bytes


class Registrar:
    """Takes requests in, one after another."""

    def __init__(self, home: Home, store: Store, key: Signer) -> None:
        """Admit into the store's inventory; sign admissions with `key`."""
        self._home = home
        self._store = store
        self._key = key

    def take(self, letter: bytes) -> Reply:
        """Judge one request and return what is said to it; a repeat gets the same.

        Raises EnrolmentError if nobody with a token of ours made it, BrokerError, StoreError.
        """
        covered = uncover(letter)
        enrolment = self._store.enrolments.get(covered.id)
        if enrolment is None or not covered.is_by(enrolment.shared_key, Direction.REQUEST):
            raise EnrolmentError("nobody who knows a token of ours has made it")
        envelope = covered.body.encode()
        try:
            request = _open(envelope, enrolment)
        except EnrolmentError as error:
            return _reply(enrolment, envelope, Verdict.REJECTED, str(error))
        return self._judge(enrolment, request, envelope)

    def tidy(self) -> None:
        """End what has run out, take its access to the broker away, and forget what is old."""
        now = now_ms()
        self._store.enrolments.void_expired(now)
        try:
            withdraw_enrolments(self._home, self._store, now)
        except BrokerError as error:
            _log.warning("access_not_withdrawn", reason=str(error))
        self._store.enrolments.forget(now - _KEPT_MS)

    def _judge(self, enrolment: Enrolment, request: Request, envelope: bytes) -> Reply:
        now = now_ms()
        if enrolment.state in OPEN and enrolment.expires_at <= now:
            self._store.enrolments.void_expired(now)
        if self._store.enrolments.claim(enrolment.id, request.sign, request.seal, now):
            _tell("token_used", enrolment, request)
        enrolment = self._store.enrolments.get(enrolment.id) or enrolment
        if enrolment.sign_key and not _is_same(enrolment, request):
            _tell("token_used_twice", enrolment, request)
            reason = "another host used this token before, or this one did with keys it has lost"
            return _reply(enrolment, envelope, Verdict.REJECTED, reason)
        if enrolment.state is EnrolmentState.ACCEPTED:
            return self._admit(enrolment, envelope)
        if enrolment.answer is not None:
            return Reply(enrolment.id, enrolment.answer)
        if enrolment.state is EnrolmentState.HELD:
            return _reply(enrolment, envelope, Verdict.HELD)
        return _reply(enrolment, envelope, Verdict.REJECTED, enrolment.reason)

    def _admit(self, enrolment: Enrolment, envelope: bytes) -> Reply:
        inventory = Inventory(self._store)
        try:
            host = inventory.admit(_applicant(enrolment), self._key)
        except (InventoryError, KeyFileError) as error:
            self._store.enrolments.void(enrolment.id, str(error), now_ms())
            return _reply(enrolment, envelope, Verdict.REJECTED, str(error))
        answer = self._welcome(enrolment, host, envelope)
        letter = cover(enrolment.shared_key, Direction.ANSWER, enrolment.id, encode(answer))
        if not self._store.enrolments.admitted(enrolment.id, letter, now_ms()):
            inventory.remove(host.name)  # revoked in between
            return _reply(enrolment, envelope, Verdict.REJECTED, "an operator revoked the host")
        key = key_fingerprint(VerifyKey(host.sign_key))
        _log.info("host_admitted", host=host.name, epoch=host.epoch, key=key)
        return Reply(enrolment.id, letter)

    def _welcome(self, enrolment: Enrolment, host: Host, envelope: bytes) -> Answer:
        url = host_url(self._home, self._store, host.name)
        context = broker_context(enrolment.id, host.name, host.epoch)
        keyrings = self._store.keyrings.after(enrolment.keyring - 1)
        return Answer(
            request=letter_digest(envelope),
            verdict=Verdict.ADMITTED,
            keyrings=[keyring.decode() for keyring in keyrings],
            admission=host.admission.decode(),
            broker=seal(url, SealPublicKey(host.seal_key), context),
        )


def _open(envelope: bytes, enrolment: Enrolment) -> Request:
    request = open_request(envelope)
    asked = (request.id, request.host, request.epoch)
    if asked != (enrolment.id, enrolment.host, enrolment.epoch):
        raise EnrolmentError(f"this token is for {enrolment.host!r}, epoch {enrolment.epoch}")
    return request


def _reply(enrolment: Enrolment, envelope: bytes, verdict: Verdict, reason: str = "") -> Reply:
    answer = Answer(request=letter_digest(envelope), verdict=verdict, reason=reason)
    letter = cover(enrolment.shared_key, Direction.ANSWER, enrolment.id, encode(answer))
    return Reply(enrolment.id, letter)


def _applicant(enrolment: Enrolment) -> Applicant:
    return Applicant(
        name=enrolment.host,
        epoch=enrolment.epoch,
        sign_key=enrolment.sign_key,
        seal_key=enrolment.seal_key,
        labels=enrolment.labels,
    )


def _is_same(enrolment: Enrolment, request: Request) -> bool:
    return (enrolment.sign_key, enrolment.seal_key) == (request.sign, request.seal)


def _tell(event: str, enrolment: Enrolment, request: Request) -> None:
    key = key_fingerprint(VerifyKey(request.sign))
    tell = _log.warning if event == "token_used_twice" else _log.info
    tell(event, host=enrolment.host, epoch=enrolment.epoch, key=key)
