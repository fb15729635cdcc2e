"""The laws of the table: applied twice is applied once, and check mode touches nothing at all."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract.action import ACTIONS as KINDS
from contract.outcome import StepOutcome
from contract.report import StepReport
from tests.unit.worker.actions.test_signal import heeding
from tests.unit.worker.snapshot import snapshot
from tests.unit.worker.steps import only_step, reports
from tests.unit.worker.still import ChangedError, still
from tests.unit.worker.systemd_stand_in import systemd, unit
from tests.worker_host import WorkerHost
from worker.actions.table import ACTIONS
from worker.host_run import HostRun, Result

OK, CHANGED, WOULD = StepOutcome.OK, StepOutcome.CHANGED, StepOutcome.WOULD_CHANGE


@dataclass(frozen=True)
class Example:
    """A step that an action of one kind makes hold, on a host where it does not hold yet."""

    observe: str
    ensure: str
    do: str
    prepare: Callable[[Path], object]
    looks_with_a_program: bool = False

    @property
    def runbook(self) -> str:
        return (
            f"name: example\nobserve:\n  seen: {self.observe}\nsteps:\n"
            f"  - name: it holds\n    ensure: {self.ensure}\n    do: {self.do}\n    within: 5s\n"
        )


_SETTLES = """
import contextlib, pathlib, sqlite3, sys, time
begun = 0
while not begun:
    time.sleep(0.02)
    with contextlib.suppress(sqlite3.Error):
        ledger = sqlite3.connect(sys.argv[1], uri=True)
        begun = ledger.execute("SELECT count(*) FROM steps").fetchone()[0]
        ledger.close()
pathlib.Path("flag").touch()
"""


@contextmanager
def flag_comes_up(root: Path) -> Iterator[None]:
    """Have something settle by itself once the ledger says that the step has begun."""
    ledger = f"file:{root.parent}/state/ledger.db?mode=ro"
    with subprocess.Popen([sys.executable, "-c", _SETTLES, ledger], cwd=root) as process:
        try:
            yield
        finally:
            process.kill()


def stopped_unit(root: Path) -> None:
    unit(systemd(root), "web.service", ActiveState="inactive")


def tool(root: Path) -> None:
    path = root / "tool"
    path.write_text("#!/bin/sh\necho x >> /dev/null; touch flag\n")
    path.chmod(0o755)


EXAMPLES: dict[str, Example] = {
    "command": Example("{file: {path: /flag}}", "seen.exists", "{command: [/tool], cwd: /}", tool),
    "file.write": Example(
        "{file: {path: /f, match: ^after$}}",
        "seen.exists && seen.matches",
        "{file.write: {path: /f, content: after, mode: '0640'}}",
        lambda root: (root / "f").write_text("before"),
    ),
    "file.copy": Example(
        "{file: {path: /f/copy, match: ^after$}}",
        "seen.exists && seen.matches",
        "{file.copy: {files: [{path: /new, to: /f/copy}], make_directory: true}}",
        lambda root: (root / "new").write_text("after"),
    ),
    "file.remove": Example(
        "{file: {path: /f}}",
        '"!seen.exists"',
        "{file.remove: {path: /f}}",
        lambda root: (root / "f").write_text("before"),
    ),
    "unit": Example(
        "{unit: {name: web.service}}",
        "seen.exists && seen.active",
        "{unit: {name: web.service, verb: start}}",
        stopped_unit,
        looks_with_a_program=True,
    ),
    "signal": Example(
        "{file: {path: /heard}}", "seen.exists", "{signal: {pid_file: /pid, signal: HUP}}", heeding
    ),
    "wait": Example(
        "{file: {path: /flag}}", "seen.exists", "{wait: {duration: 10ms}}", flag_comes_up
    ),
}


def test_actions_the_contract_and_the_laws_name_the_same_kinds() -> None:
    assert ACTIONS.keys() == KINDS.keys() == EXAMPLES.keys()


@contextmanager
def prepared(example: Example, host: WorkerHost) -> Iterator[None]:
    """Bring a host into the state in which the example's step does not hold."""
    with ExitStack() as stack:
        made = example.prepare(host.root)
        if hasattr(made, "__enter__"):
            stack.enter_context(made)  # type: ignore[arg-type]
        yield


def carry_out(host: WorkerHost, example: Example, *, check: bool = False) -> StepReport:
    """Carry an order out in a fork in which the kernel forbids whatever changes anything."""
    host.inbox.put(host.order(example.runbook, check=check))
    with host.executor() as executor:
        executor._intake.take()
        (entry,) = executor._ledger.open_orders()
        accepted = executor._gate.reopen(entry.letter)
        executor._ledger.changed_at(entry.run_id, 0)  # SQLite opens its files at the first look

        def look() -> Result:
            return HostRun(accepted, entry, executor._tools).carry_out()

        result = still(look, may_start=example.looks_with_a_program)
        executor._closing.give_up(entry, "the test is over")
    return result.passes[0].steps[0]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_check_mode_touches_nothing(kind: str, host: WorkerHost) -> None:
    """Proved twice: the kernel ends whatever tries to, and all that can be compared is the same."""
    with prepared(EXAMPLES[kind], host):
        before = snapshot(host.root)
        step = carry_out(host, EXAMPLES[kind], check=True)
        assert (step.outcome, step.action) == (WOULD, None)
        assert snapshot(host.root) == before


@pytest.mark.parametrize("kind", EXAMPLES)
def test_applied_twice_is_applied_once(kind: str, host: WorkerHost) -> None:
    """The second run finds all ok; the kernel would end it if it started or changed a thing."""
    with prepared(EXAMPLES[kind], host):
        first = only_step(reports(host, EXAMPLES[kind].runbook)[-1])
        assert first.outcome == CHANGED
        assert first.action
        assert first.action.kind == kind
        once = snapshot(host.root)
        second = carry_out(host, EXAMPLES[kind])
        assert (second.outcome, second.action, second.attempts) == (OK, None, 0)
        assert snapshot(host.root) == once


@pytest.mark.parametrize("kind", sorted(EXAMPLES.keys() - {"wait"}))  # it never touches anything
def test_law_itself_would_see_the_action(kind: str, host: WorkerHost) -> None:
    """What proves check mode can fail: without it, the very same run is ended by the kernel."""
    with prepared(EXAMPLES[kind], host), pytest.raises(ChangedError):
        carry_out(host, EXAMPLES[kind])
