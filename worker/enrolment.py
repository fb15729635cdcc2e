"""How a host becomes a member: it shows its token and new keys, and judges what comes back.

Nothing is believed because it came: the answer must be by somebody who knows the token, its keyring
by the roots that the token pins, its admission by that keyring, and for just these keys.
"""

import time
from collections.abc import Callable
from contextlib import suppress

from contract.broker import (
    BrokerError,
    BrokerFiles,
    BrokerUrlError,
    check_broker_url,
    connection_url,
)
from contract.closing import Closing
from contract.enrolment import (
    Answer,
    Direction,
    EnrolmentError,
    Verdict,
    broker_context,
    cover,
    make_request,
    open_answer,
)
from contract.envelope import EnvelopeError
from contract.error import DenreiError
from contract.instant import now_ms
from contract.letterbox import Letterbox
from contract.names import ENROLMENTS_QUEUE, RECORD_TASK, enrolment_queue
from contract.order import letter_digest
from contract.publisher import Publisher
from contract.sealing import SealError, unseal
from contract.succession import SuccessionError
from contract.token import Token
from contract.version import VERSION
from worker.admitted import Admitted
from worker.host_keys import HostKeys
from worker.membership import Membership, MembershipError, join

ASK_AGAIN_S = 3.0  # a request is repeated until it is answered, and while the host is held


class RejectedError(DenreiError):
    """The orchestrator does not let this host in; asking again is of no use."""


class UnansweredError(DenreiError):
    """Nobody answered in time, or nobody has let the host in yet; the token may be used again."""


class Petition(Closing):
    """One host's asking to be let in, by one token and one pair of keys."""

    def __init__(self, token: Token, keys: HostKeys, files: BrokerFiles) -> None:
        """Connect with the broker that the token names, when asked to."""
        self._token = token
        self._keys = keys
        request = make_request(token, keys.sign, keys.seal.public, VERSION)
        self._digest = letter_digest(request)
        self._letter = cover(token.shared_key(), Direction.REQUEST, token.id, request)
        broker = connection_url(token.broker, files)
        self._publisher = Publisher(broker)
        self._letterbox = Letterbox(broker, enrolment_queue(token.id))
        self._was_reached = False

    def ask(self, within_s: float, when_held: Callable[[], None]) -> Admitted:
        """Ask until the answer is there; `when_held` is called once, if a person is to decide.

        Raises BrokerError, RejectedError, UnansweredError, EnrolmentError.
        """
        until, was_held = time.monotonic() + within_s, False
        while time.monotonic() < until:
            answer = self._ask_once()
            if answer is None:
                continue
            if answer.verdict is Verdict.ADMITTED:
                return self._judge(answer)
            if answer.verdict is Verdict.REJECTED:
                raise RejectedError(f"not let in: {answer.reason}")
            if not was_held:
                when_held()
            was_held = True
            time.sleep(min(ASK_AGAIN_S, max(until - time.monotonic(), 0)))
        raise UnansweredError(_UNDECIDED if was_held else _UNANSWERED)

    def close(self) -> None:
        """Let the connections go."""
        self._letterbox.close()
        self._publisher.close()

    def _ask_once(self) -> Answer | None:
        """Send the request and wait a while for its answer. A broker once there may come back."""
        try:
            self._publisher.publish(ENROLMENTS_QUEUE, RECORD_TASK, self._letter)
            self._was_reached = True
            return self._next_answer(time.monotonic() + ASK_AGAIN_S)
        except BrokerError:
            if not self._was_reached:
                raise
            time.sleep(ASK_AGAIN_S)
            return None

    def _next_answer(self, until: float) -> Answer | None:
        """Return the next answer to this request; whatever else lies in the queue is passed by."""
        while (left := until - time.monotonic()) > 0:
            for received in self._letterbox.take(left):
                with suppress(EnrolmentError):
                    answer = open_answer(received.text.encode(), self._token)
                    if answer.request == self._digest:
                        return answer
        return None

    def _judge(self, answer: Answer) -> Admitted:
        letter = answer.admission.encode()
        keyrings = [keyring.encode() for keyring in answer.keyrings]
        try:
            membership = join(keyrings, letter, self._token.roots, now_ms())
            self._check(membership)
            token = self._token
            context = broker_context(token.id, token.host, token.epoch)
            broker = check_broker_url(unseal(answer.broker, self._keys.seal, context))
        except (SuccessionError, EnvelopeError, MembershipError) as error:
            raise EnrolmentError(f"the answer must not be believed: {error}") from None
        except (SealError, BrokerUrlError):
            raise EnrolmentError("the answer brings no broker's URL for this host") from None
        return Admitted(membership, letter, broker)

    def _check(self, membership: Membership) -> None:
        found, token = membership.admission, self._token
        keys = (self._keys.sign.public.text, self._keys.seal.public.text)
        if (found.host, found.epoch, found.sign, found.seal) != (token.host, token.epoch, *keys):
            raise MembershipError("it admits another host, or other keys")


_UNANSWERED = (
    "nobody answered; is `denrei server` running, with its registrar? "
    "The token may be used again while it is good"
)
_UNDECIDED = (
    "nobody has let this host in yet: `denrei host accept` on the orchestrator; "
    "then use the same token again"
)
