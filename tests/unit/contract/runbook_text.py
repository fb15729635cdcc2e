"""Runbooks as text, for the tests of what may stand in them."""

from contract.document import DocumentError
from contract.loader import load_runbook
from contract.runbook import Runbook

RESTART = """\
# runbooks/restart.yaml
name: restart
summary: Restart the agent if it still runs on the certificate from before the renewal.
params:
  force: {type: boolean, default: false}
lock: service:omsagent
for_each: {workspace: {glob: {path: /etc/opt/microsoft/omsagent/*, name: uuid}}}
observe:
  certificate: {x509: {path: "/etc/opt/microsoft/omsagent/${workspace.name}/certs/oms.crt"}}
  agent:       {process: {pid_file: "/var/opt/microsoft/omsagent/${workspace.name}/run/omsagent.pid"}}
steps:
  - name: agent runs on the renewed certificate
    ensure: >-
      certificate.exists && agent.running
      && agent.started_at >= certificate.not_before - duration("2s")
      && (!params.force || agent.started_at >= run.accepted_at)
    do:
      command: [/opt/microsoft/omsagent/bin/service_control, restart, "${workspace.name}"]
      leaves_daemon: true
    within: 60s
    on_interrupt: rerun
report:
  not_before: certificate.not_before
  not_after: certificate.not_after
"""  # noqa: E501 - as the design has it

STEP = "steps: [{name: a, ensure: run.check}]\n"
AGENT = "observe: {agent: {process: {pid_file: /run/agent.pid}}}\n"


def load(text: str) -> Runbook:
    """Load a runbook that is right."""
    return load_runbook(text.encode(), "f.yaml")


def complaints(text: str | bytes) -> list[str]:
    """Every problem of a runbook, as `line:column: message`."""
    data = text.encode() if isinstance(text, str) else text
    try:
        load_runbook(data, "f.yaml")
    except DocumentError as error:
        return [line.removeprefix("f.yaml:") for line in error.lines()]
    return []


def with_step(step: str, head: str = AGENT) -> str:
    """A runbook of one step, given as YAML in block style; its own text begins at line 4."""
    body = "\n".join(f"  {line}" for line in step.strip("\n").split("\n"))
    return f"name: x\n{head}steps:\n- name: a\n{body}\n"


def unmarked(text: str) -> tuple[str, str]:
    """Take the mark `@@` out of a text; return the rest and the mark's `line:column`."""
    before, _, after = text.partition("@@")
    return before + after, f"{before.count(chr(10)) + 1}:{len(before.split(chr(10))[-1]) + 1}"
