"""The executor: privileged, without a broker. inbox/ -> gate -> ledger -> runner -> outbox/.

One process, one thread, one run at a time. Whatever it waits for, it goes on taking letters in.
"""

import fcntl
import os
import select
import signal
from dataclasses import replace
from typing import NoReturn

import msgspec
import structlog

from contract.error import DenreiError, PassingError
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.order import letter_digest
from contract.outcome import HostRunState, state_of
from contract.report import Report
from contract.trust import Trust, load_trust
from worker import worker_version
from worker.answers import Answers
from worker.bell import Bell, ring
from worker.config import Config, check_directories
from worker.gate import Gate
from worker.host_run import HostRun, Parked, Result
from worker.intake import Intake
from worker.ledger import Entry, Ledger
from worker.mailbox import BELL, Mailbox
from worker.policy import load_policy
from worker.proc import boot_clock, boot_id
from worker.recovery import recover
from worker.root import Root
from worker.runner import Tools
from worker.verdict import Accepted, Reason, Refused

LOOK_S = 5.0  # how often to look without a ring
TIDY_S = 600.0  # how often to forget old orders
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
        self._lock = _only_one(config)
        self._ledger = Ledger(config.ledger)
        policy = load_policy(config.policy)
        seal_key = SealKey.load(config.seal_key)
        self._gate = Gate(config.name, _trust(config), policy, seal_key)
        inbox, outbox = Mailbox(config.inbox), Mailbox(config.outbox)
        outbox.remove_drafts()
        self._outbox = outbox
        self._answers = Answers(config.name, SigningKey.load(config.sign_key), outbox)
        self._intake = Intake(self._gate, self._ledger, inbox, outbox, self._answers)
        self._bell = Bell(config.inbox / BELL)
        self._tools = Tools(
            root=Root(config.root),
            ledger=self._ledger,
            lock_path=config.locks / "step",
            pause=self._pause,
            await_readable=self._await_readable,
            is_stopping=lambda: self._stopping,
        )
        self._stopping = False
        self._tidy_at = 0.0

    def serve(self) -> None:
        """Work until SIGTERM or SIGINT. Raises DenreiError if recovery fails."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        recover(self._gate, self._tools)
        _log.info("executor_ready", host=self._config.name, worker=worker_version())
        while not self._stopping:
            self._intake.take()
            if waiting := self._ledger.open_orders():
                self._carry_out(waiting[0])
            else:
                self._tidy()
                self._bell.wait(LOOK_S)
        _log.info("executor_stopped")

    def _stop(self, *_signal: object) -> None:
        self._stopping = True
        ring(self._config.inbox / BELL)

    def _carry_out(self, entry: Entry) -> None:
        with structlog.contextvars.bound_contextvars(run=entry.run_id):
            try:
                self._run(entry)
            except Refused as refused:
                self._end_refused(entry, refused)
            except Parked:
                _log.info("run_parked")
            except DenreiError:
                raise
            except Exception as error:  # noqa: BLE001 - tried again, it would bar all other orders
                _log.exception("run_broke")
                self._end_unknown(entry, f"the worker failed: {error!r}")

    def _run(self, entry: Entry) -> None:
        if entry.interruptions >= MAX_INTERRUPTIONS:
            reason = f"the executor ended {entry.interruptions} times during this run; given up"
            self._end_unknown(entry, reason)
            return
        accepted = self._gate.reopen(entry.letter)
        if entry.started_at is None:
            self._gate.permit(accepted, now_ms())
            entry = self._begin(entry)
        self._end(entry, accepted, HostRun(accepted, entry, self._tools).carry_out())

    def _begin(self, entry: Entry) -> Entry:
        begun = replace(entry, started_at=now_ms(), boot_id=boot_id(), boot_time=boot_clock())
        self._ledger.begin(begun)
        self._answers.receipt(entry.run_id, entry.digest, HostRunState.RUNNING)
        return begun

    def _end(self, entry: Entry, accepted: Accepted, result: Result) -> None:
        report = msgspec.structs.replace(
            self._report(entry, state_of(result.outcome)),
            outcome=result.outcome,
            check=accepted.order.check,
            passes=result.passes,
            notes=result.notes,
        )
        self._post(entry, report)
        _log.info("run_ended", outcome=result.outcome)

    def _end_refused(self, entry: Entry, refused: Refused) -> None:
        reason = f"{refused.reason}: {refused.detail}"
        _log.warning("run_refused", reason=reason)
        if entry.started_at is not None:  # something may have been done already
            self._end_unknown(entry, reason)
            return
        expired = refused.reason is Reason.EXPIRED
        state = HostRunState.EXPIRED if expired else HostRunState.REFUSED
        report = self._report(entry, state)
        self._post(entry, msgspec.structs.replace(report, reason=reason[:4000]))

    def _end_unknown(self, entry: Entry, reason: str) -> None:
        report = self._report(entry, HostRunState.UNKNOWN)
        readable = reason.encode(errors="backslashreplace").decode()
        self._post(entry, msgspec.structs.replace(report, reason=readable[:4000]))

    def _report(self, entry: Entry, state: HostRunState) -> Report:
        return Report(
            host=self._config.name,
            run_id=entry.run_id,
            order_sha256=entry.digest,
            counter=self._ledger.next_counter(),
            state=state,
            outcome=None,
            check=False,
            accepted_at=entry.accepted_at,
            started_at=entry.started_at,
            ended_at=now_ms(),
            passes=[],
            worker=worker_version(),
        )

    def _post(self, entry: Entry, report: Report) -> None:
        letter = self._answers.signed_report(report)
        self._ledger.end(entry.run_id, letter_digest(letter), letter)
        if not self._answers.post_report(letter):
            self._tidy_at = 0.0

    def _tidy(self) -> None:
        """Put out reports whose file got lost, and forget old orders, every now and then."""
        if boot_clock() < self._tidy_at:
            return
        try:
            self._put_in_order()
        except PassingError as error:  # a full disk is no reason to end
            _log.error("tidying_failed", error=str(error))
            self._tidy_at = boot_clock() + LOOK_S

    def _put_in_order(self) -> None:
        out = {path.stem for path in self._outbox.letters()}
        missing = [letter for d, letter in self._ledger.unacknowledged() if d not in out]
        all_out = all([self._answers.post_report(m) for m in missing])  # noqa: C419 - all of them
        self._ledger.prune()
        self._tidy_at = boot_clock() + (TIDY_S if all_out else LOOK_S)

    def _pause(self, seconds: float) -> None:
        until = boot_clock() + seconds
        while (left := until - boot_clock()) > 0:
            if self._bell.wait(min(left, LOOK_S)) or left > LOOK_S:
                self._intake.take()

    def _await_readable(self, descriptor: int) -> None:
        while True:
            readable, _, _ = select.select([descriptor, self._bell.fileno()], [], [], LOOK_S)
            if descriptor in readable:
                return
            self._bell.quieten()
            self._intake.take()


def run_executor(config: Config) -> NoReturn:
    """Be the executor of this host until told to stop. Raises DenreiError."""
    try:
        executor = Executor(config)
    except OSError as error:
        raise ExecutorError(f"can't use {error.filename}: {error.strerror}") from None
    executor.serve()
    raise SystemExit(0)


def _only_one(config: Config) -> int:
    """Hold the state directory: two executors would do everything twice.

    By a lock that no fork inherits: a keeper that has just begun when its executor is killed would
    hold any other for a moment, and turn the next executor away for good.
    """
    lock = os.open(config.locks / "executor", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ExecutorError(f"another executor is at work on {config.state}") from None
    return lock


def _trust(config: Config) -> Trust:
    if not config.trust.exists():
        raise ExecutorError(f"no {config.trust}; run `denrei-worker trust TRUST_FILE` first")
    return load_trust(config.trust)
