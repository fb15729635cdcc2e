"""Orders of `tls/reload` and `tls/check` as they ship, and how to read what became of them."""

from importlib import resources

from contract.parameter import bind
from contract.report import PassReport, Report, StepReport
from tests.integration.tls.daemon import Daemon
from tests.unit.contract.runbook_text import load
from tests.worker_host import WorkerHost

_TLS = resources.files("runbooks").joinpath("tls")
CHECK = _TLS.joinpath("check.yaml").read_text()
RELOAD = _TLS.joinpath("reload.yaml").read_text()
# Less patient with what is not going to do anyhow: the reload, or the restart, too.
QUICK = RELOAD.replace("within: 10s", "within: 300ms")
HASTY = QUICK.replace("within: 15s", "within: 1s")

NAMES = ("www.example", "example")
CERTIFICATE, CHAIN, NAMED, CONFIG, SERVES, COPIED, KEPT = range(7)
RESTARTED, WAY_BACK, ASIDE, BACK, OLD_SERVED = range(5)


def order(
    host: WorkerHost, daemon: Daemon, runbook: str = RELOAD, **others: str | int | bool
) -> bytes:
    """Return an order as `denrei submit` makes it: with every parameter in it."""
    read, given = load(runbook), daemon.parameters(**others)
    known = {parameter.name for parameter in read.parameters}
    given = {name: value for name, value in given.items() if name in known}
    return host.order(runbook, params=bind(read.parameters, given, read.profiles))


def last_pass(host: WorkerHost) -> PassReport:
    """Return what became of the last order."""
    report: Report = max(host.heard(Report), key=lambda report: report.counter)
    return report.passes[0]


def reload(
    host: WorkerHost, daemon: Daemon, runbook: str = RELOAD, **others: str | int | bool
) -> list[StepReport]:
    """Have it seen to, and return what became of the steps."""
    host.inbox.put(order(host, daemon, runbook, **others))
    host.work()
    return last_pass(host).steps


def settle(host: WorkerHost, daemon: Daemon) -> None:
    """Have it seen to once: what it serves is kept from then on."""
    assert told(reload(host, daemon))[SERVES:] == ["ok", "changed", "changed"]


def told(steps: list[StepReport]) -> list[str]:
    return [step.outcome.value for step in steps]


def rescued(steps: list[StepReport]) -> list[str]:
    return told(steps[SERVES].rescue)


def is_all_ok(steps: list[StepReport]) -> bool:
    """Tell whether nothing was done: only the test of the configuration may be skipped."""
    skipped = [step.name for step in steps if step.outcome == "skipped"]
    return set(told(steps)) <= {"ok", "skipped"} and skipped in ([], [steps[CONFIG].name])
