"""The crash points on the wire: dispatcher, both halves of the courier, recorder."""

import os
from pathlib import Path

import worker.mailbox
from contract.publisher import Publisher
from orchestrator.store.incoming import Incoming
from orchestrator.store.outgoing import Outgoing
from tests.campaign.crash.point import Call, CrashPoint, Moment, Role, Sql, Stage
from tests.campaign.crash.wire import Wire
from worker.mailbox import Mailbox

AFTER, RECORDED = Moment.AFTER, Stage.RECORDED
DISPATCHER, DELIVERER = Role.DISPATCHER, Role.DELIVERER
SENDER, RECORDER = Role.SENDER, Role.RECORDER

COMMIT = Sql("COMMIT")
POP, PUBLISH = Call(Wire, "pop"), Call(Publisher, "send")
RENAME, UNLINK = Call(os, "rename"), Call(Path, "unlink")
PUT, POSTED, TAKE = Call(Mailbox, "put"), Call(Outgoing, "orders_posted"), Call(Incoming, "take")

OFFER = Call(Outgoing, "orders")

_DISPATCHER = (
    CrashPoint(
        "dispatcher.offer:before_update", DISPATCHER, Sql("UPDATE host_runs"), within=(OFFER,)
    ),
    CrashPoint("dispatcher.offer:before_commit", DISPATCHER, COMMIT, within=(OFFER,)),
    CrashPoint("dispatcher.offer:after_commit", DISPATCHER, OFFER, AFTER),
    CrashPoint("dispatcher.overdue:after_look", DISPATCHER, Call(Outgoing, "end_overdue"), AFTER),
    CrashPoint("dispatcher.publish:before", DISPATCHER, PUBLISH),
    CrashPoint("dispatcher.publish:after", DISPATCHER, PUBLISH, AFTER),
    CrashPoint(
        "dispatcher.posted:before_update", DISPATCHER, Sql("UPDATE host_runs"), within=(POSTED,)
    ),
    CrashPoint("dispatcher.posted:before_commit", DISPATCHER, COMMIT, within=(POSTED,)),
    CrashPoint("dispatcher.posted:after_commit", DISPATCHER, POSTED, AFTER),
    CrashPoint(
        "dispatcher.republish:before", DISPATCHER, PUBLISH, opened_by="courier.order:after_pop"
    ),
    CrashPoint(
        "dispatcher.republish:after",
        DISPATCHER,
        PUBLISH,
        AFTER,
        opened_by="courier.order:after_pop",
    ),
    CrashPoint(
        "dispatcher.reposted:before_commit",
        DISPATCHER,
        COMMIT,
        within=(POSTED,),
        opened_by="courier.order:after_pop",
    ),
)
_COURIER_IN = (
    CrashPoint("courier.order:after_pop", DELIVERER, POP, AFTER),
    CrashPoint("courier.inbox.put:before_rename", DELIVERER, RENAME, within=(PUT,)),
    CrashPoint("courier.inbox.put:after_rename", DELIVERER, RENAME, AFTER, within=(PUT,)),
    CrashPoint(
        "courier.inbox.put:before_ring", DELIVERER, Call(worker.mailbox, "ring"), within=(PUT,)
    ),
    CrashPoint("courier.acknowledgement:after_pop", DELIVERER, POP, AFTER, stage=RECORDED),
    CrashPoint(
        "courier.acknowledgement.put:before_rename",
        DELIVERER,
        RENAME,
        within=(PUT,),
        stage=RECORDED,
    ),
    CrashPoint(
        "courier.acknowledgement.put:after_rename",
        DELIVERER,
        RENAME,
        AFTER,
        within=(PUT,),
        stage=RECORDED,
    ),
)
_COURIER_OUT = (
    CrashPoint("courier.receipt.publish:before", SENDER, PUBLISH),
    CrashPoint("courier.receipt.publish:after", SENDER, PUBLISH, AFTER),
    CrashPoint("courier.receipt:after_unlink", SENDER, UNLINK, AFTER),
    CrashPoint("courier.report.publish:after", SENDER, PUBLISH, AFTER, nth=2),
)
_RECORDER = (
    CrashPoint("recorder.receipt:after_pop", RECORDER, POP, AFTER),
    CrashPoint(
        "recorder.receipt:before_insert", RECORDER, Sql("INSERT INTO envelopes"), within=(TAKE,)
    ),
    CrashPoint("recorder.receipt:before_state", RECORDER, Sql("UPDATE host_runs"), within=(TAKE,)),
    CrashPoint("recorder.receipt:before_commit", RECORDER, COMMIT, within=(TAKE,)),
    CrashPoint("recorder.receipt:after_commit", RECORDER, TAKE, AFTER),
    CrashPoint("recorder.report:after_pop", RECORDER, POP, AFTER, nth=2),
    CrashPoint(
        "recorder.report:before_insert",
        RECORDER,
        Sql("INSERT INTO envelopes"),
        within=(TAKE,),
        nth=2,
    ),
    CrashPoint(
        "recorder.report:before_state", RECORDER, Sql("UPDATE host_runs"), within=(TAKE,), nth=2
    ),
    CrashPoint("recorder.report:before_commit", RECORDER, COMMIT, within=(TAKE,), nth=2),
    CrashPoint("recorder.report:after_commit", RECORDER, TAKE, AFTER, nth=2),
    CrashPoint("recorder.acknowledgement.publish:after", RECORDER, PUBLISH, AFTER),
    CrashPoint(
        "recorder.again:before_commit",
        RECORDER,
        COMMIT,
        within=(TAKE,),
        opened_by="recorder.report:after_commit",
    ),
    CrashPoint(
        "recorder.again:after_commit",
        RECORDER,
        TAKE,
        AFTER,
        opened_by="recorder.report:after_commit",
    ),
    CrashPoint(
        "recorder.again.publish:after",
        RECORDER,
        PUBLISH,
        AFTER,
        opened_by="recorder.report:after_commit",
    ),
)
WIRE_POINTS = (*_DISPATCHER, *_COURIER_IN, *_COURIER_OUT, *_RECORDER)
