"""Everything that a runbook can touch on a host with given parameters, known before it begins.

Observations and actions say what they touch (`touches` in contract/observation.py and
contract/action.py); here their `${…}` are filled in first. The items of for_each are not known yet:
names are one component of a path, whatever they are, so two of them stand for all. What is not the
same with both can't be known.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import basename
from typing import Any

import msgspec

from contract.action import ACTIONS
from contract.arguments import fill
from contract.error import DenreiError
from contract.observation import OBSERVATIONS
from contract.runbook import Action, ForEach, Observation, Runbook
from contract.template import references, render
from contract.touch import ANYTHING, Access, Touch, reads

# They fit wherever a name, a number or a port may stand.
_STAND_INS = ("40961", "40973")


@dataclass(frozen=True, slots=True)
class Reach:
    """What a runbook can touch, and the kinds of its actions."""

    actions: frozenset[str]
    touches: frozenset[Touch]
    unknown: tuple[str, ...] = ()  # what can't be told before it runs, and why


class _UnknowableError(DenreiError):
    """What a part touches depends on items in a way that only the host's items can tell."""


def reach(runbook: Runbook, texts: Mapping[str, Any]) -> Reach:
    """Return what a runbook can touch; `texts` are the values of `${params.…}` and `${run.…}`."""
    actions = [step.do for step in runbook.all_steps() if step.do]
    touches: set[Touch] = set(_looked_over(runbook.for_each, texts))
    unknown: list[str] = []
    parts: list[Observation | Action] = [*runbook.observe, *actions]
    for part in parts:
        try:
            touches |= _touches(part, runbook.for_each, texts)
        except _UnknowableError as error:
            unknown.append(f"{part.kind} at {part.at.line}:{part.at.column}: {error}")
    return Reach(frozenset(a.kind for a in actions), frozenset(touches), tuple(unknown))


def _looked_over(for_each: ForEach | None, texts: Mapping[str, Any]) -> list[Touch]:
    return reads(str(render(for_each.glob, texts))) if for_each and for_each.glob else []


def _touches(
    part: Observation | Action, for_each: ForEach | None, texts: Mapping[str, Any]
) -> set[Touch]:
    """Return what a part touches with any item. Raises _UnknowableError."""
    of_item = {f"{for_each.item}.name", f"{for_each.item}.path"} if for_each else set()
    if not for_each or not of_item & references(part.arguments):
        return _with(part, texts) or set()
    found = [_with(part, {**texts, **item}) for item in _items(for_each, texts)]
    if for_each.values:
        return set[Touch]().union(*(touches or set() for touches in found))
    if None in found:
        raise _UnknowableError("what it touches depends on the items of for_each")
    one, other = (touches or set() for touches in found)
    return {_told(touch, certain=touch in other) for touch in one}


def _told(touch: Touch, *, certain: bool) -> Touch:
    """Return a touch with `*` where items differ: a part of a path, or all of another name."""
    if certain:
        return touch
    is_path = touch.access in (Access.READ, Access.WRITE)
    return Touch(touch.access, touch.what.replace(_STAND_INS[0], ANYTHING) if is_path else ANYTHING)


def _items(for_each: ForEach, texts: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the items as their `${…}`: those that are listed, else two that stand for all."""
    if for_each.values:
        named: Iterable[tuple[str, str]] = ((value, value) for value in for_each.values)
    else:
        pattern = str(render(for_each.glob, texts)).rstrip("/")
        paths = [_without_wildcards(pattern, stand_in) for stand_in in _STAND_INS]
        named = ((basename(path), path) for path in paths)
    for name, path in named:
        yield {f"{for_each.item}.name": name, f"{for_each.item}.path": path}


def _without_wildcards(pattern: str, stand_in: str) -> str:
    parts = pattern.split("/")
    return "/".join(stand_in if any(c in part for c in "*?[") else part for part in parts)


def _with(part: Observation | Action, texts: Mapping[str, Any]) -> set[Touch] | None:
    """Return what a part touches, or None if its arguments don't fit: then it does nothing."""
    kind = OBSERVATIONS[part.kind] if isinstance(part, Observation) else ACTIONS[part.kind]
    try:
        arguments = fill(kind.arguments, part.arguments, texts)
    except (DenreiError, msgspec.ValidationError):
        return None  # as it will be when it is its turn
    return set(kind.touches(arguments))
