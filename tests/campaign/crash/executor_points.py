"""The crash points of the executor: intake, run, report, acknowledgement, recovery."""

import os
from pathlib import Path

import worker.actions.command
import worker.keeper
import worker.recovery
from tests.campaign.crash.point import Call, CrashPoint, Moment, Role, Sql, Stage
from worker.answers import Answers
from worker.executor import Executor
from worker.housekeeping import Housekeeping
from worker.intake import Intake
from worker.keeper_link import KeeperLink
from worker.ledger import Ledger
from worker.mailbox import Mailbox
from worker.spot import Spot

AFTER, RECORDED, EXECUTOR = Moment.AFTER, Stage.RECORDED, Role.EXECUTOR

COMMIT = Sql("COMMIT")
RENAME, UNLINK = Call(os, "rename"), Call(Path, "unlink")
ENTRUST = Call(KeeperLink, "entrust")
TAKE_ONE, REPEAT = Call(Intake, "_take_one"), Call(Intake, "_repeat")
ACKNOWLEDGED, TAKE_AWAY = Call(Intake, "_acknowledge"), Call(Mailbox, "take_away")
RECEIPT, REPORT = Call(Answers, "receipt"), Call(Answers, "post_report")
IN_ORDER = Call(Housekeeping, "_put_in_order")
RUN, SCRUB = Call(worker.actions.command, "run"), Call(worker.actions.command, "scrub")
RESCRUB, REMOVE = Call(worker.recovery, "scrub"), Call(Spot, "unlink")


def _ledger(name: str) -> Call:
    return Call(Ledger, name)


_INTAKE = (
    CrashPoint("executor.intake:before_read", EXECUTOR, Call(Mailbox, "read"), within=(TAKE_ONE,)),
    CrashPoint("executor.ledger.accept:before_insert", EXECUTOR, Sql("INSERT INTO orders")),
    CrashPoint(
        "executor.ledger.accept:before_floor",
        EXECUTOR,
        Sql("UPDATE meta"),
        within=(_ledger("accept"),),
    ),
    CrashPoint(
        "executor.ledger.accept:before_commit", EXECUTOR, COMMIT, within=(_ledger("accept"),)
    ),
    CrashPoint("executor.ledger.accept:after_commit", EXECUTOR, _ledger("accept"), AFTER),
    CrashPoint("executor.intake:after_unlink", EXECUTOR, UNLINK, AFTER, within=(TAKE_ONE,)),
    CrashPoint(
        "executor.repeat.receipt:before_rename",
        EXECUTOR,
        RENAME,
        within=(REPEAT,),
        opened_by="executor.ledger.accept:after_commit",
    ),
    CrashPoint(
        "executor.repeat.receipt:after_rename",
        EXECUTOR,
        RENAME,
        AFTER,
        within=(REPEAT,),
        opened_by="executor.ledger.accept:after_commit",
    ),
    CrashPoint(
        "executor.repeat:after_unlink",
        EXECUTOR,
        UNLINK,
        AFTER,
        within=(TAKE_ONE,),
        opened_by="executor.ledger.accept:after_commit",
    ),
)
_RUN = (
    CrashPoint("executor.ledger.begin:before_commit", EXECUTOR, COMMIT, within=(_ledger("begin"),)),
    CrashPoint("executor.ledger.begin:after_commit", EXECUTOR, _ledger("begin"), AFTER),
    CrashPoint("executor.receipt.put:before_rename", EXECUTOR, RENAME, within=(RECEIPT,)),
    CrashPoint("executor.receipt.put:after_rename", EXECUTOR, RENAME, AFTER, within=(RECEIPT,)),
    CrashPoint(
        "executor.ledger.items:before_commit", EXECUTOR, COMMIT, within=(_ledger("keep_items"),)
    ),
    CrashPoint("executor.ledger.items:after_commit", EXECUTOR, _ledger("keep_items"), AFTER),
    CrashPoint(
        "executor.ledger.begin_step:before_commit",
        EXECUTOR,
        COMMIT,
        within=(_ledger("begin_step"),),
    ),
    CrashPoint("executor.ledger.begin_step:after_commit", EXECUTOR, _ledger("begin_step"), AFTER),
    CrashPoint(
        "executor.secret:created",
        EXECUTOR,
        Call(os, "fdopen"),
        within=(Call(worker.actions.command, "_write"),),
    ),
    CrashPoint("executor.secret:written", EXECUTOR, Call(worker.actions.command, "_write"), AFTER),
    CrashPoint("executor.keeper:after_lock", EXECUTOR, Call(worker.keeper, "_take"), AFTER),
    CrashPoint("executor.keeper:entrusted", EXECUTOR, ENTRUST, AFTER, within=(RUN,)),
    CrashPoint("executor.command:ended", EXECUTOR, Call(Executor, "_await_readable"), AFTER),
    CrashPoint("executor.keeper:ended", EXECUTOR, RUN, AFTER),
    CrashPoint("executor.scrub:between", EXECUTOR, REMOVE, AFTER, within=(SCRUB,)),
    CrashPoint("executor.scrub:after", EXECUTOR, SCRUB, AFTER),
    CrashPoint(
        "executor.ledger.end_step:before_commit", EXECUTOR, COMMIT, within=(_ledger("end_step"),)
    ),
    CrashPoint("executor.ledger.end_step:after_commit", EXECUTOR, _ledger("end_step"), AFTER),
    CrashPoint(
        "executor.second.begin_step:after_commit", EXECUTOR, _ledger("begin_step"), AFTER, nth=2
    ),
    CrashPoint("executor.second.keeper:entrusted", EXECUTOR, ENTRUST, AFTER, within=(RUN,), nth=2),
    CrashPoint(
        "executor.second.command:ended", EXECUTOR, Call(Executor, "_await_readable"), AFTER, nth=2
    ),
    CrashPoint(
        "executor.second.end_step:before_commit",
        EXECUTOR,
        COMMIT,
        within=(_ledger("end_step"),),
        nth=2,
    ),
    CrashPoint(
        "executor.second.end_step:after_commit", EXECUTOR, _ledger("end_step"), AFTER, nth=2
    ),
)
_REPORT = (
    CrashPoint("executor.ledger.end:before_outbox", EXECUTOR, Sql("INSERT INTO outbox")),
    CrashPoint(
        "executor.ledger.end:before_counter", EXECUTOR, Sql("UPDATE meta"), within=(_ledger("end"),)
    ),
    CrashPoint("executor.ledger.end:before_commit", EXECUTOR, COMMIT, within=(_ledger("end"),)),
    CrashPoint("executor.ledger.end:after_commit", EXECUTOR, _ledger("end"), AFTER),
    CrashPoint("executor.report.put:before_rename", EXECUTOR, RENAME, within=(REPORT,)),
    CrashPoint("executor.report.put:after_rename", EXECUTOR, RENAME, AFTER, within=(REPORT,)),
    CrashPoint("executor.ledger.prune:before_commit", EXECUTOR, COMMIT, within=(_ledger("prune"),)),
    CrashPoint("executor.ledger.prune:after_commit", EXECUTOR, _ledger("prune"), AFTER),
    CrashPoint(
        "executor.ledger.acknowledge:before_commit",
        EXECUTOR,
        COMMIT,
        within=(_ledger("acknowledge"),),
    ),
    CrashPoint("executor.ledger.acknowledge:after_commit", EXECUTOR, _ledger("acknowledge"), AFTER),
    CrashPoint(
        "executor.outbox:after_take_away", EXECUTOR, TAKE_AWAY, AFTER, within=(ACKNOWLEDGED,)
    ),
    CrashPoint("executor.acknowledgement:after_unlink", EXECUTOR, TAKE_ONE, AFTER, stage=RECORDED),
)
_RECOVERY = (
    CrashPoint("recovery.scrub:before", EXECUTOR, RESCRUB, opened_by="executor.secret:written"),
    CrashPoint(
        "recovery.scrub:after_key",
        EXECUTOR,
        REMOVE,
        AFTER,
        within=(RESCRUB,),
        opened_by="executor.secret:written",
    ),
    CrashPoint(
        "recovery.scrub:after_copy",
        EXECUTOR,
        REMOVE,
        AFTER,
        within=(RESCRUB,),
        nth=2,
        opened_by="executor.command:ended",
    ),
    CrashPoint(
        "recovery.scrub:after", EXECUTOR, RESCRUB, AFTER, opened_by="executor.secret:written"
    ),
    CrashPoint(
        "recovery.keeper:awaited",
        EXECUTOR,
        Call(worker.recovery, "await_keeper"),
        AFTER,
        opened_by="executor.keeper:entrusted",
    ),
    CrashPoint(
        "recovery.sweep:after",
        EXECUTOR,
        Call(worker.recovery, "sweep"),
        AFTER,
        opened_by="executor.keeper:after_lock",
    ),
    CrashPoint(
        "recovery.interrupted:before_commit",
        EXECUTOR,
        COMMIT,
        within=(_ledger("interrupted"),),
        opened_by="executor.ledger.begin:after_commit",
    ),
    CrashPoint(
        "recovery.interrupted:after_commit",
        EXECUTOR,
        _ledger("interrupted"),
        AFTER,
        opened_by="executor.second.keeper:entrusted",
    ),
    CrashPoint(
        "recovery.rerun:after_commit",
        EXECUTOR,
        _ledger("begin_step"),
        AFTER,
        opened_by="executor.secret:created",
    ),
    CrashPoint(
        "recovery.rerun:after_fork",
        EXECUTOR,
        ENTRUST,
        AFTER,
        within=(RUN,),
        opened_by="executor.secret:created",
    ),
    CrashPoint(
        "recovery.proved:before_commit",
        EXECUTOR,
        COMMIT,
        within=(_ledger("end_step"),),
        opened_by="executor.command:ended",
    ),
    CrashPoint(
        "recovery.proved:after_commit",
        EXECUTOR,
        _ledger("end_step"),
        AFTER,
        opened_by="executor.command:ended",
    ),
    CrashPoint(
        "recovery.unknown:before_commit",
        EXECUTOR,
        COMMIT,
        within=(_ledger("end_step"),),
        opened_by="executor.second.begin_step:after_commit",
    ),
    CrashPoint(
        "recovery.unknown:after_commit",
        EXECUTOR,
        _ledger("end_step"),
        AFTER,
        opened_by="executor.second.begin_step:after_commit",
    ),
    CrashPoint(
        "recovery.report:before_rename",
        EXECUTOR,
        RENAME,
        within=(IN_ORDER,),
        opened_by="executor.ledger.end:after_commit",
    ),
    CrashPoint(
        "recovery.report:after_rename",
        EXECUTOR,
        RENAME,
        AFTER,
        within=(IN_ORDER,),
        opened_by="executor.ledger.end:after_commit",
    ),
)
EXECUTOR_POINTS = (*_INTAKE, *_RUN, *_REPORT, *_RECOVERY)
