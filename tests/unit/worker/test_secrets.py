"""Secrets of an order: they reach the tool, and nobody else."""

from contract.outcome import StepOutcome
from tests.unit.worker.steps import only_step
from tests.worker_host import WorkerHost

FAILED = StepOutcome.FAILED

SECRET = """\
name: secret
params:
  key: {secret: true}
  who: {default: nobody}
observe:
  flag: {file: {path: /flag}}
  said: {file: {path: /said, match: ".*"}}
steps:
  - name: told
    ensure: flag.exists && said.exists && said.matched == "${PLACE}"
    do:
      command: [/bin/tool, "${params.who}"]
      files: [{path: /key, content: "key=${params.key}"}]
      stdin: "${params.key}"
    within: 50ms
"""


def test_secret_reaches_the_tool_and_nothing_else(host: WorkerHost) -> None:
    """It is in no report, in no form, and its file is gone."""
    hexadecimal = "tr -d '\\n' < key | od -An -tx1 | tr -d ' \\n' >&2"
    host.tool("tool", f"cat key; echo; cat; base64 key; {hexadecimal}; cat key > said")
    runbook = SECRET.replace("${PLACE}", "x")
    run_id = "0" * 25 + "S"
    value = "hunter2 & hunter3"
    sealed = host.sealed(runbook, run_id, key=value)
    report = host.run(runbook, run_id=run_id, sealed_params=sealed)
    step = only_step(report)
    assert step.outcome == FAILED
    assert step.action is not None
    assert step.action.stdout.startswith("key=[secret]\n[secret]")
    assert step.evidence["said.matched"] == "key=[secret]"
    assert value.encode().hex() not in step.action.stderr
    assert "hunter2" not in repr(report)
    assert not (host.root / "key").exists()
    assert b"hunter" not in b"".join(p.read_bytes() for p in host.config.state.rglob("*.db*"))


def test_secret_at_the_edge_of_what_is_kept_of_a_value_leaves_no_piece(host: WorkerHost) -> None:
    """What is cut is cut after the secrets are out, or half of one would stay."""
    host.tool("tool", "printf '%0495d' 0 > said; cat key >> said")
    runbook = SECRET.replace("${PLACE}", "x")
    run_id = "0" * 25 + "T"
    sealed = host.sealed(runbook, run_id, key="hunter2-hunter3")
    report = host.run(runbook, run_id=run_id, sealed_params=sealed)
    assert "hunt" not in repr(report)


def test_parameter_that_would_become_an_option_is_refused_at_once(host: WorkerHost) -> None:
    """A value may not turn into an option of the program; nothing runs and nothing is awaited."""
    host.tool("tool", "touch ran flag")
    runbook = SECRET.replace("${PLACE}", "x").replace("within: 50ms", "within: 60s")
    run_id = "0" * 25 + "V"
    sealed = host.sealed(runbook, run_id, key="hunter2-hunter3")
    report = host.run(
        runbook, run_id=run_id, sealed_params=sealed, params={"who": "--delete=everything"}
    )
    step = only_step(report)
    assert (step.outcome, step.attempts) == (FAILED, 0)
    assert "option" in step.reason
    assert not (host.root / "ran").exists()
    assert not (host.root / "key").exists()
