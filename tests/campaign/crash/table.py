"""Every crash point there is, by its name."""

from collections.abc import Mapping

from tests.campaign.crash.cancel_points import CANCEL_POINTS
from tests.campaign.crash.executor_points import EXECUTOR_POINTS
from tests.campaign.crash.point import CrashPoint
from tests.campaign.crash.wire_points import WIRE_POINTS

POINTS: Mapping[str, CrashPoint] = {
    p.name: p for p in (*WIRE_POINTS, *EXECUTOR_POINTS, *CANCEL_POINTS)
}

# The test suite's share: some of every process, and each that a protocol mutant dies of.
SMOKE = (
    "dispatcher.offer:before_commit",
    "dispatcher.publish:after",
    "dispatcher.reposted:before_commit",
    "courier.inbox.put:before_rename",
    "courier.acknowledgement:after_pop",
    "courier.acknowledgement.put:after_rename",
    "executor.ledger.accept:before_commit",
    "executor.repeat.receipt:before_rename",
    "executor.ledger.begin:after_commit",
    "executor.ledger.items:after_commit",
    "executor.secret:created",
    "executor.keeper:entrusted",
    "executor.command:ended",
    "executor.second.keeper:entrusted",
    "executor.ledger.end_step:before_commit",
    "executor.ledger.end:before_counter",
    "executor.ledger.acknowledge:after_commit",
    "executor.outbox:after_take_away",
    "recovery.scrub:after_copy",
    "recovery.sweep:after",
    "recovery.rerun:after_fork",
    "recovery.unknown:before_commit",
    "recovery.report:before_rename",
    "courier.receipt.publish:after",
    "courier.report.publish:after",
    "recorder.report:before_state",
    "recorder.report:after_commit",
    "recorder.again.publish:after",
    "operator.cancel:before_state",
    "dispatcher.tombstone.publish:after",
    "courier.tombstone:after_pop",
    "recorder.answer:before_commit",
)
