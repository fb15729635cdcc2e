"""What the observations of a host run told of certificates, gathered for its report."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from contract.certificate import MAX_FACTS, CertificateFact
from worker.observations.observation import CertificateFields
from worker.redaction import Redactor

MAX_TEXT = 1000  # characters of one text of a fact
MAX_NAME = 255  # characters of one name that it is made out for
MAX_NAMES = 100
_LEFT_OUT = re.compile(r"… (\d+) more")

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
    for fact in (fact for look in looks for fact in look.certificates):
        if fact.observed_at >= _moment(latest.get(_key(fact))):
            latest[_key(fact)] = fact
    tellable = [told for fact in latest.values() if (told := _tellable(fact, redactor))]
    distinct = {_key(told): told for told in tellable}
    kept = sorted(distinct.values(), key=urgency)[:MAX_FACTS]
    notes = list(
        _notes(
            left_out=len(distinct) - len(kept),
            broken=len(latest) - len(tellable),
            alike=len(tellable) - len(distinct),
        )
    )
    return Sightings(kept, any(look.complete for look in looks) and not notes, notes)


def urgency(fact: CertificateFact) -> tuple[bool, int]:
    """Return what to sort by so that those facts come first that must not get lost."""
    ends = [moment for moment in (fact.outage_at, fact.not_after) if moment is not None]
    return fact.verdict == "fresh", min(ends, default=0)


def few(names: Sequence[str], most: int) -> list[str]:
    """Return the first names; instead of the others, how many they are."""
    if len(names) <= most:
        return list(names)
    before = _LEFT_OUT.fullmatch(names[-1])  # they may have been cut already
    total = len(names) - 1 + int(before[1]) if before else len(names)
    return [*names[: most - 1], f"… {total - most + 1} more"]


def _key(fact: CertificateFact) -> tuple[str, str]:
    return fact.path, fact.endpoint


def _moment(fact: CertificateFact | None) -> int:
    return fact.observed_at if fact else -1


def _notes(left_out: int, broken: int, alike: int) -> Iterator[str]:
    if left_out:
        yield f"{left_out} more certificates than a report tells of ({MAX_FACTS})"
    if broken:
        yield f"{broken} certificates have values that no report can hold"
    if alike:
        yield f"{alike} certificates can't be told from others, their paths shortened or redacted"


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
