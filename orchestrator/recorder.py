"""The recorder: verifies what hosts send, stores it, and moves the host runs.

It holds one key, which signs nothing but acknowledgements. It takes many letters at a time: one
look into the store and one commit for all of them, while those that follow are verified already.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from contract.glance import said_signers
from contract.instant import now_ms
from contract.key import Signer
from contract.presence import SKEW_MS
from contract.report import Footing, FromHost, Pong, Refusal, Report
from orchestrator.acknowledging import acknowledge
from orchestrator.claim import Claim, LetterError, look_into
from orchestrator.heard import Heard
from orchestrator.progress import advance
from orchestrator.store.incoming import Answers, Arrived, Taken
from orchestrator.store.presences import skew_between
from orchestrator.store.record import Kind, NewEnvelope
from orchestrator.store.store import Store
from orchestrator.verifier import Verifier


@dataclass(frozen=True, slots=True)
class _Hearing:
    """Letters that are being looked into."""

    letters: Sequence[bytes]
    found: Callable[[], list[Heard]]


class Recorder:
    """Takes letters from hosts in."""

    def __init__(self, store: Store, key: Signer, verifier: Verifier) -> None:
        """Store into `store`; acknowledge with `key`."""
        self._store = store
        self._key = key
        self._verifier = verifier
        self._ahead: _Hearing | None = None

    def record(
        self, letters: Sequence[bytes], following: Sequence[bytes] = ()
    ) -> list[Taken | LetterError]:
        """Verify and store letters in their sequence; return what became of each.

        A repeat changes nothing, and one that must not be believed hinders no other. Raises
        StoreError, and then none of them is stored. `following` are what comes next: verified
        meanwhile, and not stored.
        """
        now = now_ms()
        judged = [
            LetterError(heard.complaint) if heard.complaint else _arrived(letter, heard, now)
            for letter, heard in zip(letters, self._hear(letters, following), strict=True)
        ]
        arrived = [each for each in judged if isinstance(each, Arrived)]
        taken = self._store.incoming.take(arrived, advance, self._acknowledge)
        fresh = [each for each, one in zip(arrived, taken, strict=True) if not one.repeated]
        self._note_clocks(fresh, now)
        results = iter(taken)
        return [each if isinstance(each, LetterError) else next(results) for each in judged]

    def _hear(self, letters: Sequence[bytes], following: Sequence[bytes]) -> list[Heard]:
        """Return what is heard in letters, and have it looked into what follows.

        The claims of what follows are ready before there is an answer: so nobody waits for them.
        """
        ahead, self._ahead = self._ahead, None
        claims = self._claims(following)
        if ahead and ahead.letters is letters:
            found = ahead.found()
        else:  # what is waited for gains nothing by another process
            found = look_into(self._claims(letters))
        if following:
            self._ahead = _Hearing(following, self._verifier.begin(claims))
        return found

    def _claims(self, letters: Sequence[bytes]) -> list[Claim]:
        """Look up who seems to have signed letters."""
        if not letters:
            return []
        said = [said_signers(letter) for letter in letters]
        keys = self._store.hosts.keys({key_id for key_ids in said for key_id in key_ids})
        owners = {owner.key_id: owner for owner in keys}
        known = [tuple(owners[each] for each in key_ids if each in owners) for key_ids in said]
        return [Claim(*pair) for pair in zip(letters, known, strict=True)]

    def _acknowledge(self, reports: Sequence[Arrived], at: Sequence[int]) -> Answers:
        return acknowledge(reports, at, self._key)

    def _note_clocks(self, arrived: Sequence[Arrived], now: int) -> None:
        """Note what signed letters show of their hosts' clocks: each spoke after it was asked."""
        created_at = cache(self._created_at)  # of runs: many letters are about one
        skews: dict[str, int] = {}
        for message in (each.tells for each in arrived):
            at = _at(message)
            is_late = at < now - SKEW_MS
            asked_at = self._asked_at(message, created_at) if is_late else at
            if asked_at is not None:
                skews[message.host] = skew_between(at, asked_at, now)
        if skews:
            self._store.presences.signed_clocks(skews, now)

    def _asked_at(self, message: FromHost, created_at: Callable[[str], int | None]) -> int | None:
        """Return when we asked what a message answers; None if that is not known."""
        if isinstance(message, Footing):
            return None
        if isinstance(message, Pong):
            ping = self._store.pings.get(message.nonce)
            return ping.created_at if ping else None
        return created_at(message.run_id) if message.run_id else None

    def _created_at(self, run_id: str) -> int | None:
        run = self._store.runs.get(run_id)
        return run.created_at if run else None


def _arrived(letter: bytes, heard: Heard, now: int) -> Arrived:
    message = heard.tells
    envelope = NewEnvelope(
        kind=Kind.of(heard.type),
        host=message.host,
        run_id=getattr(message, "run_id", None),
        digest=heard.digest,
        data=letter,
        at=now,
    )
    return Arrived(letter=envelope, about=_about(message), tells=message, report=heard.report)


def _at(message: FromHost) -> int:
    return message.ended_at if isinstance(message, Report) else message.at


def _about(message: FromHost) -> str:
    """Return the digest of the order that a message speaks of; empty if it is about none."""
    if isinstance(message, Refusal):
        return message.letter_sha256
    return "" if isinstance(message, Pong | Footing) else message.order_sha256
