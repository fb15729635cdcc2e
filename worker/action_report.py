"""What an action did, as the report tells it: without secrets, and not too much of it."""

from contract.report import ActionReport
from worker.actions.action import ActionResult
from worker.redaction import Redactor

MAX_OUTPUT = 16_384  # characters of a command's output in a report


def action_report(kind: str, result: ActionResult, redactor: Redactor) -> ActionReport:
    """Return what goes into the report of what an action did, redacted and bounded."""
    summary = redactor.text(result.summary)[:4000]
    ending = result.ending
    if ending is None:
        return ActionReport(kind=kind, summary=summary, timed_out=result.timed_out)
    return ActionReport(
        kind=kind,
        summary=summary,
        exit_code=ending.exit_code,
        signal=ending.signal,
        timed_out=result.timed_out,
        stdout=_shorten(redactor.text(ending.stdout.text)),
        stderr=_shorten(redactor.text(ending.stderr.text)),
        stdout_bytes=ending.stdout.bytes,
        stderr_bytes=ending.stderr.bytes,
        # A digest would let secrets be guessed that were masked in the text.
        stdout_sha256="" if redactor.has_secrets else ending.stdout.sha256,
        stderr_sha256="" if redactor.has_secrets else ending.stderr.sha256,
    )


def _shorten(text: str) -> str:
    if len(text) <= MAX_OUTPUT:
        return text
    half = MAX_OUTPUT // 2
    return f"{text[:half]}\n… {len(text) - MAX_OUTPUT} characters left out …\n{text[-half:]}"
