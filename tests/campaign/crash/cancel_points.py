"""The crash points of an order that is taken back: operator, and the tombstone's way and answer."""

import os
from pathlib import Path

from contract.publisher import Publisher
from orchestrator.store.cancels import Cancels
from orchestrator.store.incoming import Incoming
from orchestrator.store.outgoing import Outgoing
from tests.campaign.crash.point import Call, CrashPoint, Moment, Role, Sql, Stage
from tests.campaign.crash.wire import Wire
from worker.ledger import Ledger
from worker.mailbox import Mailbox

AFTER, TAKEN_BACK = Moment.AFTER, Stage.TAKEN_BACK
OPERATOR, DISPATCHER, EXECUTOR = Role.OPERATOR, Role.DISPATCHER, Role.EXECUTOR
DELIVERER, SENDER, RECORDER = Role.DELIVERER, Role.SENDER, Role.RECORDER

COMMIT = Sql("COMMIT")
ADD, TAKE, POSTED = Call(Cancels, "add"), Call(Incoming, "take"), Call(Outgoing, "orders_posted")
PUBLISH = Call(Publisher, "send")
POP, PUT, RENAME = Call(Wire, "pop"), Call(Mailbox, "put"), Call(os, "rename")
CANCEL, UNLINK = Call(Ledger, "cancel"), Call(Path, "unlink")


def _on_its_way(
    name: str,
    role: Role,
    at: Call | Sql,
    moment: Moment = Moment.BEFORE,
    within: tuple[Call, ...] = (),
) -> CrashPoint:
    return CrashPoint(name, role, at, moment, within=within, stage=TAKEN_BACK)


CANCEL_POINTS = (
    CrashPoint(
        "operator.cancel:before_insert", OPERATOR, Sql("INSERT INTO envelopes"), within=(ADD,)
    ),
    CrashPoint("operator.cancel:before_state", OPERATOR, Sql("UPDATE host_runs"), within=(ADD,)),
    CrashPoint("operator.cancel:before_commit", OPERATOR, COMMIT, within=(ADD,)),
    CrashPoint("operator.cancel:after_commit", OPERATOR, ADD, AFTER),
    _on_its_way("dispatcher.tombstone.publish:before", DISPATCHER, PUBLISH),
    _on_its_way("dispatcher.tombstone.publish:after", DISPATCHER, PUBLISH, AFTER),
    _on_its_way("dispatcher.tombstone.posted:before_commit", DISPATCHER, COMMIT, within=(POSTED,)),
    _on_its_way("dispatcher.tombstone.posted:after_commit", DISPATCHER, POSTED, AFTER),
    _on_its_way("courier.tombstone:after_pop", DELIVERER, POP, AFTER),
    _on_its_way("courier.tombstone.put:before_rename", DELIVERER, RENAME, within=(PUT,)),
    _on_its_way("courier.tombstone.put:after_rename", DELIVERER, RENAME, AFTER, within=(PUT,)),
    _on_its_way("executor.tombstone:before_insert", EXECUTOR, Sql("INSERT INTO tombstones")),
    _on_its_way("executor.tombstone:before_commit", EXECUTOR, COMMIT, within=(CANCEL,)),
    _on_its_way("executor.tombstone:after_commit", EXECUTOR, CANCEL, AFTER),
    _on_its_way("courier.answer.publish:before", SENDER, PUBLISH),
    _on_its_way("courier.answer.publish:after", SENDER, PUBLISH, AFTER),
    _on_its_way("courier.answer:after_unlink", SENDER, UNLINK, AFTER),
    _on_its_way("recorder.answer:after_pop", RECORDER, POP, AFTER),
    _on_its_way(
        "recorder.answer:before_insert", RECORDER, Sql("INSERT INTO envelopes"), within=(TAKE,)
    ),
    _on_its_way("recorder.answer:before_state", RECORDER, Sql("UPDATE host_runs"), within=(TAKE,)),
    _on_its_way("recorder.answer:before_commit", RECORDER, COMMIT, within=(TAKE,)),
    _on_its_way("recorder.answer:after_commit", RECORDER, TAKE, AFTER),
)
