"""A runbook of one step, and how to read a report of it."""

from contract.order import letter_digest
from contract.outcome import StepOutcome
from contract.report import Report, StepReport
from tests.worker_host import WorkerHost

FLAG = """\
name: flag
observe:
  flag: {file: {path: /flag}}
steps:
  - name: the flag is up
    ensure: flag.exists
    do: {command: [/bin/tool]}
    within: 300ms
    timeout: 400ms
"""
CHECK = FLAG.replace("    do: {command: [/bin/tool]}\n", "")


def only_step(report: Report) -> StepReport:
    """Return the one step of the one pass."""
    ((step,),) = [each.steps for each in report.passes]
    return step


def outcomes(report: Report) -> list[StepOutcome]:
    return [step.outcome for each in report.passes for step in each.steps]


def reports(host: WorkerHost, runbook: str) -> list[Report]:
    host.inbox.put(host.order(runbook))
    host.work()
    return sorted(host.heard(Report), key=lambda report: report.counter)


def post_from_tool(host: WorkerHost, letter: bytes) -> str:
    """Return the shell words by which a step's own command delivers a letter to its host."""
    name, box = letter_digest(letter), host.config.inbox
    (host.root / name).write_bytes(letter)
    return f"cp {name} {box}/.{name}; mv {box}/.{name} {box}/{name}.once; printf ! > {box}/bell"
