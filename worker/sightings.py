"""What the observations of a host run told of certificates, gathered for its report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from contract.certificate import MAX_FACTS, CertificateFact
from worker.observations.observation import CertificateFields
from worker.redaction import Redactor

MAX_TEXT = 1000  # characters of one text of a fact
MAX_NAME = 255  # characters of one name that it is made out for
MAX_NAMES = 100

Looks = Mapping[str, CertificateFields]  # the last look of each observation of a pass


@dataclass(frozen=True, slots=True)
class Sightings:
    """The facts that a report carries, and whether they are all that there are."""

    facts: list[CertificateFact] = field(default_factory=list)
    complete: bool = False
    notes: list[str] = field(default_factory=list)  # what was left out


def gather(passes: Iterable[Looks], redactor: Redactor) -> Sightings:
    """Return what all passes saw: of each certificate the newest fact, as many as fit."""
    looks = [look for seen in passes for look in seen.values()]
    latest: dict[tuple[str, str], CertificateFact] = {}
    broken = 0
    for told in (_tellable(fact, redactor) for look in looks for fact in look.certificates):
        if told is None:
            broken += 1
        elif told.observed_at >= _moment(latest.get(_key(told))):
            latest[_key(told)] = told
    kept = sorted(latest.values(), key=urgency)[:MAX_FACTS]
    notes = _notes(left_out=len(latest) - len(kept), broken=broken)
    return Sightings(kept, any(look.complete for look in looks) and not notes, notes)


def urgency(fact: CertificateFact) -> tuple[bool, int]:
    """Return what to sort by so that those facts come first that must not get lost."""
    ends = [moment for moment in (fact.outage_at, fact.not_after) if moment is not None]
    return fact.verdict == "fresh", min(ends, default=0)


def few(names: Sequence[str], most: int) -> list[str]:
    """Return the first names; instead of the others, how many they are."""
    if len(names) <= most:
        return list(names)
    return [*names[: most - 1], f"… {len(names) - most + 1} more"]


def _key(fact: CertificateFact) -> tuple[str, str]:
    return fact.path, fact.endpoint


def _moment(fact: CertificateFact | None) -> int:
    return fact.observed_at if fact else -1


def _notes(left_out: int, broken: int) -> list[str]:
    notes = []
    if left_out:
        notes.append(f"{left_out} more certificates than a report tells of ({MAX_FACTS})")
    if broken:
        notes.append(f"{broken} certificates have values that no report can hold")
    return notes


def _tellable(fact: CertificateFact, redactor: Redactor) -> CertificateFact | None:
    """Return a fact that can travel: readable, without secrets, short; None if none can be made.

    Secrets are taken out before anything is cut: half of one would not be found any more.
    """
    tree = redactor.tree(_readable(msgspec.to_builtins(fact)))
    texts = {name: _cut(value, MAX_TEXT) for name, value in tree.items() if isinstance(value, str)}
    names = few([_cut(name, MAX_NAME) for name in tree.get("san", [])], MAX_NAMES)
    try:
        return msgspec.convert({**tree, **texts, "san": names}, CertificateFact)
    except msgspec.ValidationError:
        return None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _readable(tree: dict[str, Any]) -> dict[str, Any]:
    """Write out what is no UTF-8 in a file's name: JSON could not hold it."""
    return {name: _written_out(value) for name, value in tree.items()}


def _written_out(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    return [_written_out(each) for each in value] if isinstance(value, list) else value
