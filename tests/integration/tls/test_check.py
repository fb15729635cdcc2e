"""`tls/check` on nginx: what is wrong is the step that fails, and the verdict is told with it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.tls.daemon import Daemon
from tests.integration.tls.orders import CHECK, NAMES, last_pass, order, told
from tests.integration.tls.pair import Authority, Pair
from tests.worker_host import WorkerHost

pytestmark = pytest.mark.parametrize("installed", ["nginx"], indirect=True)
THERE, KEY, VALID, NOT_DUE, SHOWN, SERVED = range(6)
Harm = Callable[[Daemon, Authority], object]


def checked(host: WorkerHost, daemon: Daemon, **others: str) -> tuple[list[int], str]:
    """Return which steps failed, and the verdict."""
    host.inbox.put(order(host, daemon, CHECK, **others))
    host.work()
    steps = told(last_pass(host).steps)
    failed = [at for at, outcome in enumerate(steps) if outcome == "failed"]
    return failed, str(last_pass(host).values["verdict"])


def mismatch(daemon: Daemon, authority: Authority) -> None:
    new, other = authority.pair(*NAMES), authority.pair(*NAMES)
    daemon.renew(Pair(new.leaf, new.chain, other.key))


HARMS: dict[str, tuple[Harm, list[int], str]] = {
    "nothing": (lambda _daemon, _authority: None, [], "fresh"),
    "renewed": (lambda d, a: d.renew(a.pair(*NAMES)), [SERVED], "stale_in_memory"),
    "renewed for others": (lambda d, a: d.renew(a.pair("other.test")), [SERVED], "wrong_name"),
    "stopped": (lambda d, _a: d.tell("stop"), [SHOWN], "unreachable"),
    "file gone": (lambda d, _a: d.certificate.unlink(), [THERE], "missing"),
    "file damaged": (lambda d, _a: d.certificate.write_text("x"), [THERE], "unreadable"),
    "key gone": (lambda d, _a: d.key.unlink(), [KEY], "missing"),
    "key of another": (mismatch, [KEY, SERVED], "key_mismatch"),
    "expired": (lambda d, a: d.renew(a.expired(*NAMES)), [VALID, NOT_DUE, SERVED], "expired"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_check_fails_at_what_is_wrong(
    host: WorkerHost, daemon: Daemon, authority: Authority, harm: str
) -> None:
    do, steps, verdict = HARMS[harm]
    do(daemon, authority)
    assert checked(host, daemon) == (steps, verdict)


def test_check_tells_when_the_outage_begins(
    host: WorkerHost, daemon: Daemon, authority: Authority
) -> None:
    """From what is served: the renewed file does not help who serves the old one."""
    checked(host, daemon)
    before = last_pass(host).values["outage_at"]
    daemon.renew(authority.pair(*NAMES))
    checked(host, daemon)
    assert last_pass(host).values["outage_at"] == before
    assert checked(host, daemon, expiring_within="52w") == ([NOT_DUE, SERVED], "stale_in_memory")
    assert datetime.fromisoformat(str(before)) - datetime.now(UTC) < timedelta(days=90)
