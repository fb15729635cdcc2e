"""Reports cut to what an envelope holds: the output first, what became of each step last.

Facts about certificates give way before the details of the steps do: the next look tells them
again. A report that left out a fact is not complete.
"""

from collections import Counter
from itertools import accumulate, takewhile

import msgspec

from contract.certificate import CertificateFact
from contract.order import encode
from contract.report import PassReport, Report, StepReport
from worker.sightings import few, urgency

MAX_REPORT = 180_000  # bytes of payload that still fit an envelope

_FEW_NAMES = 5
_FEW_NOTES = 20
_NOTE_CHARACTERS = 1000
_NOTE_BYTES = 200  # room for the note about facts that are left out


def short_payload(report: Report) -> bytes:
    """Return a report's payload with as much in it as fits."""
    payload = encode(report)
    for cut in _CUTS:
        if len(payload) <= MAX_REPORT:
            break
        report = cut(report)
        payload = encode(report)
    return payload


def _without_output(report: Report) -> Report:
    def cut(step: StepReport) -> StepReport:
        action = step.action
        if action is not None:
            action = msgspec.structs.replace(action, stdout="", stderr="")
        rescue = [cut(each) for each in step.rescue]
        return msgspec.structs.replace(step, action=action, rescue=rescue)

    passes = [
        msgspec.structs.replace(each, steps=[cut(step) for step in each.steps])
        for each in report.passes
    ]
    notes = [*report.notes, "the output of the commands was too long to be reported"]
    return msgspec.structs.replace(report, passes=passes, notes=notes)


def _with_few_names(report: Report) -> Report:
    facts = [msgspec.structs.replace(f, san=few(f.san, _FEW_NAMES)) for f in report.certificates]
    return msgspec.structs.replace(report, certificates=facts)


def _with_fewer_facts(report: Report) -> Report:
    """Leave out the least urgent facts, if that is what makes the report fit."""
    without = msgspec.structs.replace(report, certificates=[], certificates_complete=False)
    room = MAX_REPORT - len(encode(without)) - _NOTE_BYTES
    if room < 0 or not report.certificates:
        return report
    facts = sorted(report.certificates, key=urgency)
    fitting = takewhile(lambda size: size <= room, accumulate(map(_size, facts)))
    kept = facts[: sum(1 for _ in fitting)]
    note = f"{len(facts) - len(kept)} of {len(facts)} certificates did not fit into the report"
    return msgspec.structs.replace(without, certificates=kept, notes=[*report.notes, note])


def _size(fact: CertificateFact) -> int:
    return len(msgspec.json.encode(fact)) + 1  # and a comma


def _outcomes_only(report: Report) -> Report:
    def bare(step: StepReport) -> StepReport:
        rescue = [bare(each) for each in step.rescue]
        return StepReport(name=step.name, outcome=step.outcome, rescue=rescue)

    passes = [
        PassReport(item=each.item, steps=[bare(step) for step in each.steps])
        for each in report.passes
    ]
    notes = ["the details of the steps were too long to be reported", *_few_notes(report)]
    return msgspec.structs.replace(report, passes=passes, notes=notes)


def _counts_only(report: Report) -> Report:
    counts = Counter(step.outcome for each in report.passes for step in each.steps)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    note = f"{counts.total()} steps are too many to be reported one by one: {told}"
    return msgspec.structs.replace(report, passes=[], notes=[note, *_few_notes(report)])


def _few_notes(report: Report) -> list[str]:
    return [note[:_NOTE_CHARACTERS] for note in report.notes[:_FEW_NOTES]]


_CUTS = (
    _without_output,
    _with_few_names,
    _with_fewer_facts,
    _outcomes_only,
    _with_fewer_facts,
    _counts_only,
    _with_fewer_facts,
)
