"""When a run's time is over, on the boot clock, also after a crash and a reboot."""

from datetime import timedelta

from contract.instant import now_ms
from worker.ledger import Entry
from worker.proc import boot_clock, boot_id


def deadline_of(entry: Entry, timeout: timedelta) -> float:
    """Return when the runbook's time is over, on the boot clock.

    After a reboot that clock began anew; then the wall clock tells what is left.
    """
    if entry.started_at is None or entry.boot_time is None:
        return boot_clock() + timeout.total_seconds()
    if entry.boot_id == boot_id():
        return entry.boot_time + timeout.total_seconds()
    elapsed = max(now_ms() - entry.started_at, 0) / 1000
    return boot_clock() + timeout.total_seconds() - elapsed
