"""The courier: it has the network and no privilege, carries sealed letters, and opens none.

queue -> inbox/ and outbox/ -> queue. It imports no cryptography: what it moves are bytes within
size and count limits. It also sends itself a word through its own queue; if none comes back for a
while, the connection is dead in a way that Celery does not notice, and the courier starts anew.
The dispatcher's questions of presence it answers from what it sees, unsigned.
"""

import os
import threading
import time
import uuid
from dataclasses import dataclass
from typing import NoReturn

import structlog
from celery import Celery

from contract.arrival import ARRIVAL
from contract.bell import Bell, ring
from contract.broker import BrokerError
from contract.error import PassingError
from contract.letter_task import LetterTask
from contract.names import (
    DELIVER_TASK,
    PING_TASK,
    PRESENCE_TASK,
    RECORD_TASK,
    REPORTS_QUEUE,
    host_queue,
)
from contract.presence import encode_word, is_question
from contract.publisher import Publisher
from contract.wire import make_app, serve
from worker.config import Config, check_directories
from worker.courier_config import CourierConfig, load_courier_config
from worker.courier_state import StateFile
from worker.exit_code import EXIT_STALLED
from worker.liveness import take
from worker.mailbox import BELL, Care, Mailbox, MailboxError
from worker.presence import Presence
from worker.watchdog import Watchdog

ANSWER_GAP_S = 1.0  # how soon after an answer the next question of presence is answered
RETRY_S = 1.0  # how soon to try again what the broker or the disk refused
# Without one of its own words for so many periods it starts anew. A lost connection is told by the
# next word, which the broker then does not take for 8 s: 15 + 8 + 30 is less than a minute.
PATIENCE = 2.0

_FIRST_AGAIN_S, _LAST_AGAIN_S = 5.0, 300.0

_log = structlog.get_logger(__name__)


class CourierError(PassingError):
    """The courier can't start now: another one is at work."""


@dataclass(slots=True)
class _Again:
    """When a letter that is kept is to be sent again, and the pause after that."""

    at: float
    pause_s: float = _FIRST_AGAIN_S


class Sender(threading.Thread):
    """Empties the outbox into the broker, and keeps the watchdog fed."""

    def __init__(self, config: Config, own: CourierConfig, watchdog: Watchdog) -> None:
        """Send as the host of `config`."""
        super().__init__(name="sender", daemon=True)
        self._outbox = Mailbox(config.outbox)
        self._bell = Bell(config.outbox / BELL)
        self._publisher = Publisher(own.wire)
        self._queue = host_queue(config.name)
        self._watchdog = watchdog
        self._keepalive_s = own.keepalive.total_seconds()
        self._again: dict[str, _Again] = {}
        self._ping_at = 0.0
        self._connected: bool | None = None  # not known before the first try
        self._trouble = ""
        self._presence = Presence(config)
        self._question = ""
        self._answer_at = 0.0
        self._state = StateFile(config.courier_state, self._keepalive_s)
        self._rope = config.outbox / BELL

    def asked(self, nonce: str) -> None:
        """Take a question of presence; called by the other thread. Only the newest is answered."""
        if is_question(nonce):
            self._question = nonce
        self.wake()

    def wake(self) -> None:
        """Let the sender look at what is to be done."""
        ring(self._rope)

    def run(self) -> None:
        """Send what there is, then wait for the bell; for ever."""
        try:
            self._serve()
        except Exception:  # noqa: BLE001 - a courier that only receives would look alive
            _log.exception("sender_broke")
            os._exit(EXIT_STALLED)

    def _serve(self) -> NoReturn:
        while True:
            pause_s = self._send()
            self._say_state()
            if self._silent_s > self._patience_s:
                _log.error("stalled", silent_s=round(self._silent_s))
                os._exit(EXIT_STALLED)
            self._bell.wait(pause_s)

    def _send(self) -> float:
        """Send what is due, and return for how long there is nothing to do."""
        try:
            self._answer()
            self._send_letters()
            self._send_ping()
            self._say_connected()
        except BrokerError as error:
            self._say_disconnected(error)
            return RETRY_S
        except (MailboxError, OSError) as error:
            _log.error("outbox_failed", error=str(error))
            return RETRY_S
        return self._until_next()

    def _answer(self) -> None:
        if not self._question or time.monotonic() < self._answer_at:
            return
        question, self._question = self._question, ""
        word = encode_word(self._presence.word(question))
        self._publisher.publish(REPORTS_QUEUE, PRESENCE_TASK, word)
        self._answer_at = time.monotonic() + ANSWER_GAP_S

    def _send_letters(self) -> None:
        letters = self._outbox.letters()
        names = {path.name for path in letters}
        self._again = {name: again for name, again in self._again.items() if name in names}
        now = time.monotonic()
        for path in letters:
            if path.name in self._again and self._again[path.name].at > now:
                continue
            letter = self._outbox.read(path)
            if letter is None:  # the executor knows whether it is still wanted
                path.unlink(missing_ok=True)
                continue
            self._publisher.publish(REPORTS_QUEUE, RECORD_TASK, letter)
            if path.suffix == Care.ONCE:
                path.unlink(missing_ok=True)
            else:
                self._send_again_later(path.name, now)

    def _send_again_later(self, name: str, now: float) -> None:
        again = self._again.setdefault(name, _Again(now))
        again.at = now + again.pause_s
        again.pause_s = min(again.pause_s * 2, _LAST_AGAIN_S)

    def _send_ping(self) -> None:
        if time.monotonic() < self._ping_at:
            return
        nonce = f"own-{uuid.uuid4().hex}"  # of a form that is no question of presence
        self._watchdog.sent(nonce)
        self._publisher.publish(self._queue, PING_TASK, nonce.encode())
        self._ping_at = time.monotonic() + self._keepalive_s

    @property
    def _patience_s(self) -> float:
        return PATIENCE * self._keepalive_s

    @property
    def _silent_s(self) -> float:
        """Return for how long nothing came in: behind a flood its own word is late, not lost."""
        return min(self._watchdog.silent_s, time.monotonic() - ARRIVAL.at)

    def _until_next(self) -> float:
        due = [again.at for again in self._again.values()]
        if self._question:
            due.append(self._answer_at)
        now = time.monotonic()
        patience_ends = now + self._patience_s - self._silent_s
        return max(min([self._ping_at, patience_ends, *due]) - now, 0.05)

    def _say_connected(self) -> None:
        if self._connected is False:
            _log.info("broker_reached")
            self._watchdog.reached_broker()
        self._connected, self._trouble = True, ""

    def _say_disconnected(self, error: BrokerError) -> None:
        if self._connected is not False:
            _log.warning("broker_lost", error=str(error))
        self._connected, self._trouble = False, str(error)
        self._watchdog.reached_broker()

    def _say_state(self) -> None:
        dog = self._watchdog
        try:
            self._state.say(
                connected=self._connected,
                trouble=self._trouble,
                heard_at=dog.word_at,
                heard_s=dog.word_s,
            )
        except OSError as error:
            _log.error("state_not_written", error=str(error))


def make_courier(config: Config, own: CourierConfig, watchdog: Watchdog, sender: Sender) -> Celery:
    """Return the Celery app with the courier's two tasks."""
    app = make_app("denrei-courier", own.wire, host_queue(config.name), own.poll_s)
    inbox = Mailbox(config.inbox)
    inbox.remove_drafts()

    @app.task(name=DELIVER_TASK, base=LetterTask, shared=False)
    def deliver(letter: str) -> None:
        try:
            inbox.put(letter.encode())
        except MailboxError as error:
            # Not lost: the orchestrator sends it again until the executor's receipt.
            _log.error("inbox_failed", error=str(error))

    @app.task(name=PING_TASK, base=LetterTask, shared=False)
    def ping(nonce: str) -> None:
        if watchdog.heard(nonce):
            sender.wake()  # `denrei-worker status` is to know it
        else:
            sender.asked(nonce)

    return app


def run_courier(config: Config) -> NoReturn:
    """Be the courier of this host until told to stop. Raises DenreiError."""
    watchdog, own = Watchdog(), load_courier_config(config.courier_config)
    try:
        check_directories(config.inbox, config.outbox, config.courier)
        if take(config.courier_lock) is None:
            raise CourierError(f"another courier is at work on {config.state}")
        sender = Sender(config, own, watchdog)
        app = make_courier(config, own, watchdog, sender)
        sender.start()
    except OSError as error:
        raise MailboxError(f"can't use {error.filename}: {error.strerror}") from None
    _log.info("courier_ready", host=config.name)
    raise SystemExit(serve(app))
