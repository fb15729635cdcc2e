"""The executor: privileged, without a broker. inbox/ -> gate -> ledger -> runner -> outbox/.

One process, one thread, one run at a time. Whatever it waits for, it goes on taking letters in; an
order whose lock is busy waits in the line, and others may go ahead.
"""

import select
import signal
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import structlog

from contract.bell import Bell, ring
from contract.error import DenreiError
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.log import veiled
from contract.outcome import HostRunState
from contract.version import VERSION
from worker.answers import Answers
from worker.closing import Closing
from worker.config import Config, check_directories
from worker.exit_code import EXIT_ASLEEP
from worker.gate import Gate
from worker.host_run import HostRun, untouched
from worker.housekeeping import Housekeeping
from worker.intake import Intake
from worker.keeper import EndNow
from worker.ledger import Entry, Ledger
from worker.ledger_file import LedgerError
from worker.line import Line, Turn
from worker.liveness import note, take
from worker.lock import release
from worker.mailbox import BELL, Mailbox
from worker.membership import load_membership
from worker.onset import Onset
from worker.own_files import check_own
from worker.policy_file import load_policy
from worker.proc import boot_clock, boot_id
from worker.process_control import process_control
from worker.recovery import recover
from worker.redaction import NO_SECRETS
from worker.rest import ASLEEP, Rest
from worker.root import Root
from worker.standby import STANDBY
from worker.tools import Parked, Tools
from worker.verdict import Refused

LOOK_S = 5.0  # how often to look without a ring
LOCK_LOOK_S = 0.5  # how often to look whether a busy lock has become free
MAX_INTERRUPTIONS = 10  # a run in which the executor ended so often is what ends it

_log = structlog.get_logger(__name__)


class ExecutorError(DenreiError):
    """The executor can't start: another one is at work, or the system refuses."""


class Executor:
    """Takes letters in and carries accepted orders out, one after another."""

    def __init__(self, config: Config) -> None:
        """Load keys, trust, policy and ledger; nothing starts if one of them is missing.

        Raises DenreiError with what is missing and what to do.
        """
        self._config = config
        check_directories(config.inbox, config.outbox, config.locks)
        check_own(config.state, config.locks, config.ledger, config.policy)
        check_own(config.sign_key, config.seal_key, config.keyring, config.admission)
        self._lock = _only_one(config)
        self._ledger = Ledger(config.ledger)
        policy = load_policy(config.policy)
        self._gate = Gate(load_membership(config), policy, SealKey.load(config.seal_key))
        outbox = Mailbox(config.outbox)
        outbox.remove_drafts()
        key = SigningKey.load(config.sign_key)
        self._answers = Answers(lambda: self._gate.membership, key, outbox)
        self._housekeeping = Housekeeping(self._ledger, outbox, self._answers, config.locks)
        self._closing = Closing(self._ledger, self._answers, self._housekeeping)
        self._intake = Intake(config, self._gate, self._ledger, self._answers)
        self._bell = Bell(config.inbox / BELL)
        self._tools = Tools(
            root=Root(config.root),
            ledger=self._ledger,
            locks=config.locks,
            pause=self._pause,
            await_readable=self._await_readable,
            is_stopping=lambda: self._stopping,
        )
        self._line = Line(self._gate, self._ledger, config.locks, self._tell_waiting)
        self._rest = Rest(config.sleep_after)
        self._onset = Onset(self._answers)
        self._look_at = 0.0  # on the boot clock, if nobody rings before
        self._stopping = False
        self._running = ""  # the id of the run at work
        self._redactor = NO_SECRETS  # of the run at work

    def serve(self) -> int:
        """Work until SIGTERM, SIGINT or a long idle time; return the exit code.

        Raises DenreiError if recovery fails.
        """
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        recover(self._gate, self._tools)
        control = process_control()
        note(self._lock, control)
        _log.info("executor_ready", host=self._config.name, worker=VERSION, process_control=control)
        while not self._stopping:
            self._take()
            if turn := self._line.next():
                self._carry_out(turn)
                self._rest.stir()
                continue
            self._housekeeping.tidy()
            if self._may_sleep():
                note(self._lock, ASLEEP)
                _log.info("executor_asleep")
                return EXIT_ASLEEP
            if self._bell.listen(LOCK_LOOK_S if self._line.is_waiting else LOOK_S):
                self._rest.stir()
            else:
                STANDBY.dismiss()
        _log.info("executor_stopped")
        return 0

    def _may_sleep(self) -> bool:
        """Tell whether nothing is to be done that the next letter would not bring."""
        if not self._rest.is_due:
            return False
        return not (self._ledger.open_orders() or self._ledger.unacknowledged())

    def _stop(self, *_signal: object) -> None:
        self._stopping = True
        ring(self._config.inbox / BELL)

    def _tell_waiting(self, entry: Entry, why: str) -> None:
        _log.info("run_waits", run=entry.run_id, reason=why)
        if entry.started_at is None:
            self._answers.receipt(entry.run_id, entry.digest, HostRunState.DELIVERED)

    def _take(self) -> None:
        """Look at what came, if something may have."""
        self._onset.look()
        if self._bell.wait(0) or boot_clock() >= self._look_at:
            self._look_at = boot_clock() + LOOK_S if self._look() else 0.0

    def _look(self) -> bool:
        """Take letters in, and end at once what was cancelled before it began; tell if all went."""
        took_all = self._intake.take()
        try:
            for entry in self._ledger.taken_back():
                self._end_untouched(entry)
        except LedgerError as error:  # a full disk is no reason to break off what runs
            _log.error("cancelling_failed", error=str(error))
            return False
        return took_all

    def _carry_out(self, turn: Turn) -> None:
        entry = turn.entry
        self._running = entry.run_id
        self._redactor = NO_SECRETS
        with structlog.contextvars.bound_contextvars(run=entry.run_id), veiled(self._veil):
            try:
                self._run(turn)
            except Refused as refused:
                self._closing.refuse(entry, refused)
            except Parked:
                _log.info("run_parked")
            except DenreiError:
                raise
            except Exception as error:  # noqa: BLE001 - tried again, it would bar all other orders
                _log.exception("run_broke")
                self._closing.give_up(entry, self._redactor.text(f"the worker failed: {error!r}"))
            finally:
                STANDBY.end_run()
                self._onset.end()
                release(turn.held)

    def _veil(self, line: Any) -> Any:
        return self._redactor.tree(line)

    def _run(self, turn: Turn) -> None:
        entry = turn.entry
        if turn.refused:
            raise turn.refused
        if entry.interruptions >= MAX_INTERRUPTIONS:
            reason = f"the executor ended {entry.interruptions} times during this run; given up"
            self._closing.give_up(entry, reason)
            return
        accepted = self._gate.reopen(entry.letter)
        if entry.started_at is None:
            self._gate.permit(accepted, now_ms())
            entry = self._begin(entry)
        self._onset.begin(entry)
        tools = replace(self._tools, held=turn.held)
        host_run = HostRun(accepted, entry, tools)
        self._redactor = host_run.redactor
        self._closing.end(entry, accepted, host_run.carry_out())

    def _end_untouched(self, entry: Entry) -> None:
        with structlog.contextvars.bound_contextvars(run=entry.run_id):
            try:
                accepted = self._gate.reopen(entry.letter)
            except Refused as refused:
                self._closing.refuse(entry, refused)
            else:
                self._closing.end(entry, accepted, untouched(accepted.runbook))

    def _begin(self, entry: Entry) -> Entry:
        begun = replace(entry, started_at=now_ms(), boot_id=boot_id(), boot_time=boot_clock())
        self._ledger.begin(begun)
        return begun

    def _pause(self, seconds: float, is_ended: Callable[[], bool]) -> bool:
        until = boot_clock() + seconds
        while True:
            self._take()
            left = until - boot_clock()
            if left <= 0 or is_ended():
                return left <= 0
            self._bell.listen(min(left, LOOK_S, self._onset.left_s))

    def _await_readable(self, descriptor: int) -> None:
        while True:
            look_s = min(LOOK_S, self._onset.left_s)
            if descriptor in select.select([descriptor, self._bell.fileno()], [], [], look_s)[0]:
                return
            self._take()
            tombstone = self._ledger.tombstone(self._running)
            if tombstone and tombstone.kill:
                raise EndNow


def run_executor(config: Config) -> NoReturn:
    """Be the executor of this host until told to stop. Raises DenreiError."""
    try:
        executor = Executor(config)
    except OSError as error:
        raise ExecutorError(f"can't use {error.filename}: {error.strerror}") from None
    raise SystemExit(executor.serve())


def _only_one(config: Config) -> int:
    """Hold the state directory: two executors would do everything twice."""
    lock = take(config.executor_lock)
    if lock is None:
        raise ExecutorError(f"another executor is at work on {config.state}")
    note(lock, "")  # the one before may have said that it sleeps
    return lock
