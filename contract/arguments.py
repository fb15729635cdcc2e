"""Whether the arguments of an observation or action fit their kind, and where they do not."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from contract.action import texts
from contract.document import Node, Position, Problem
from contract.parameter import did_you_mean
from contract.template import TemplateError, render

Place = list[str | int]

_PLAINLY = ("Expected `str` matching regex '^/'", "must be an absolute path")


def misfits(
    kind: type[msgspec.Struct], arguments: Mapping[str, Any], samples: Mapping[str, Any], node: Node
) -> Iterator[Problem]:
    """Try the arguments with sample values in their templates; yield the first misfit."""
    try:
        msgspec.convert(render(arguments, samples), kind, strict=False)
    except TemplateError:
        return  # told already, with its place
    except msgspec.ValidationError as error:
        message, _, path = str(error).replace(*_PLAINLY).partition(" - at `$.")
        place: Place = [int(p) if p.isdigit() else p for p in re.findall(r"\w+", path)]
        if not _is_open(arguments, place):
            yield _misfit(message, place, kind, node)


def _misfit(message: str, place: Place, kind: type[msgspec.Struct], node: Node) -> Problem:
    found = _argument(node, place)
    if unknown := re.search(r"unknown field `(.+)`", message):
        fields = {field.name for field in msgspec.structs.fields(kind)} - {"argv"}
        hint = "" if place else did_you_mean(unknown[1], fields)
        return Problem(found.key_at.get(unknown[1], found.at), f"{message}{hint}")
    return Problem(found.at, f"{'.'.join(map(str, place)) or 'arguments'}: {message}")


def _is_open(arguments: Any, place: Place) -> bool:
    """Tell whether an argument begins with `${…}`: whether it fits is then the host's to tell."""
    value = arguments
    for part in place:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return isinstance(value, str) and value.startswith("${")


def _argument(node: Node, place: Place) -> Node:
    """Return an argument's node; an action's `argv` stands under `command`, or is the node."""
    if place[:1] == ["argv"] and isinstance(node.value, list):
        return node.find(place[1:])
    if place[:1] == ["argv"] and "command" in node.key_at:
        return node.find(["command", *place[1:]])
    return node.find(place)


def place_of(node: Node, text: str) -> Position:
    """Return where a text stands below a node; the node itself if it was not found."""
    if node.value == text:
        return node.at
    children: Iterable[Node] = ()
    if isinstance(node.value, dict):
        children = node.value.values()
    elif isinstance(node.value, list):
        children = node.value
    for child in children:
        if text in [found for _, found in texts(child.plain())]:
            return place_of(child, text)
    return node.at
