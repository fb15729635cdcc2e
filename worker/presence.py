"""What the courier can say of this host without a key: how many letters lie where."""

import time

from contract.instant import now_ms
from contract.presence import PresenceWord
from contract.version import VERSION
from worker.config import Config
from worker.mailbox import Mailbox, MailboxError

TAKEN_WITHIN_S = 60.0  # an executor that works takes every letter sooner


class Presence:
    """Makes the courier's answers to questions of presence."""

    def __init__(self, config: Config) -> None:
        """Speak for the host of `config`."""
        self._host = config.name
        self._inbox, self._outbox = Mailbox(config.inbox), Mailbox(config.outbox)
        self._worker = VERSION[:50]

    def word(self, nonce: str) -> PresenceWord:
        """Return the answer to a question."""
        inbox, oldest_s = _inbox(self._inbox)
        return PresenceWord(
            host=self._host,
            nonce=nonce,
            at=now_ms(),
            worker=self._worker,
            inbox=inbox,
            outbox=len(self._outbox.letters()),
            taking=oldest_s < TAKEN_WITHIN_S,
        )


def _inbox(inbox: Mailbox) -> tuple[int, float]:
    """Return how many letters lie there, and for how long the first one has."""
    try:
        letters = inbox.letters()
        since = letters[0].stat().st_mtime if letters else time.time()
    except FileNotFoundError:  # taken while we looked
        return 0, 0.0
    except MailboxError:  # no letter can be taken from what can't be read
        return 0, TAKEN_WITHIN_S
    return len(letters), time.time() - since
