"""Secrets of an order: they reach the tool, and nobody else."""

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from contract import log
from contract.outcome import StepOutcome
from tests.unit.worker.steps import only_step
from tests.worker_host import WorkerHost
from worker.runner import StepRunner

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


def test_secret_in_a_failure_of_our_own_is_in_neither_report_nor_log(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception may quote what it worked with; its traceback goes into the log."""

    def broken(self: StepRunner) -> None:
        raise ValueError(f"no good: {self._setting.texts['params.key']}")

    monkeypatch.setattr(StepRunner, "carry_out", broken)
    runbook = SECRET.replace("${PLACE}", "x")
    run_id = "0" * 25 + "W"
    sealed = host.sealed(runbook, run_id, key="hunter2-hunter3")
    stream = io.StringIO()
    with logging_to(stream):
        report = host.run(runbook, run_id=run_id, sealed_params=sealed)
    assert report.reason == "the worker failed: ValueError('no good: [secret]')"
    assert "Traceback" in stream.getvalue()
    assert "no good: [secret]" in stream.getvalue()
    assert "hunter" not in stream.getvalue()


def test_output_that_is_to_be_discarded_is_kept_nowhere(host: WorkerHost) -> None:
    """What no redaction could know, such as a secret in capitals, is not kept at all."""
    host.tool("tool", "tr a-z A-Z < key; touch flag said; echo HUNTED >&2")
    runbook = SECRET.replace("${PLACE}", "").replace("stdin:", "output: discard\n      stdin:")
    run_id = "0" * 25 + "X"
    sealed = host.sealed(runbook, run_id, key="hunter2-hunter3")
    report = host.run(runbook, run_id=run_id, sealed_params=sealed)
    action = only_step(report).action
    assert action is not None
    assert (action.stdout_bytes, action.stderr_bytes) == (19, 7)
    assert action.stdout == "\n[... 19 bytes left out ...]\n"
    assert action.stdout_sha256 == action.stderr_sha256 == ""
    assert "HUNT" not in repr(report)
    kept = [path for path in host.config.state.rglob("*") if path.is_file()]
    assert b"HUNT" not in b"".join(path.read_bytes() for path in kept)


def test_secret_in_the_name_of_an_item_is_masked(host: WorkerHost) -> None:
    """A tool may have named a file by it: the name stands in the report's passes and notes."""
    (host.root / "items").mkdir()
    (host.root / "items/hunter2-hunter3").touch()
    runbook = SECRET.replace("${PLACE}", "").replace(
        "observe:", "for_each: {it: {glob: {path: '/items/*'}}}\nobserve:"
    )
    host.tool("tool", "touch flag said")
    run_id = "0" * 25 + "Y"
    sealed = host.sealed(runbook, run_id, key="hunter2-hunter3")
    report = host.run(runbook, run_id=run_id, sealed_params=sealed)
    assert [each.item for each in report.passes] == ["[secret]"]
    assert "hunter" not in repr(report)


@contextmanager
def logging_to(stream: io.StringIO) -> Iterator[None]:
    """Log as the executor's process does, for as long as this lasts."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure(stream)
    structlog.configure(cache_logger_on_first_use=False)  # else it would outlast this
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
