"""Whether the arguments of an observation or action fit their kind, and where they do not."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from contract import probe
from contract.action import Signal, Wait, texts
from contract.document import Node, Position, Problem
from contract.duration import is_duration
from contract.instant import parse_instant
from contract.parameter import did_you_mean
from contract.pattern import complaint_about_pattern
from contract.pointer import PointerError, parse_pointer
from contract.request import RequestError, check_headers, parse_url
from contract.template import TemplateError, is_reference, render, render_arguments

Place = list[str | int]
S = TypeVar("S", bound=msgspec.Struct)

_PLAINLY = {
    "Expected `str` matching regex '^/'": "must be an absolute path",
    "Expected `str` matching regex '^https?://'": "must begin with http:// or https://",
    f"Expected `str` matching regex {probe.UNIT_NAME!r}": "must be the name of one unit",
}


def _pattern(text: str) -> str:
    complaint = complaint_about_pattern(text)
    return f"{text!r} {complaint}" if complaint else ""


def _pattern_or_uuid(text: str) -> str:
    return "" if text == "uuid" else _pattern(text)


def _duration(text: str) -> str:
    return "" if is_duration(text) else f"{text!r} is not a duration such as 5s"


def _past(text: str) -> str:
    if is_duration(text) or parse_instant(text):
        return ""
    return f"{text!r} is neither a duration such as 10m nor a moment such as 2026-11-25T15:00:00Z"


def _pointer(text: str) -> str:
    try:
        parse_pointer(text)
    except PointerError as error:
        return str(error)
    return ""


def _url(text: str) -> str:
    try:
        parse_url(text)
    except RequestError as error:
        return str(error) if text.startswith(("http://", "https://")) else ""  # told already
    return ""


def _wrong_headers(headers: Any, node: Node) -> Iterator[Problem]:
    for name, value in headers.items() if isinstance(headers, dict) else ():
        if isinstance(value, str) and "${" not in value:
            try:
                check_headers({name: value})
            except RequestError as error:
                yield Problem(node.find(["headers", name]).at, str(error))


_TEXTS: Mapping[type[msgspec.Struct], Mapping[str, Callable[[str], str]]] = {
    probe.File: {"match": _pattern},
    probe.Glob: {"name": _pattern_or_uuid},
    probe.Tcp: {"timeout": _duration},
    probe.Tls: {"timeout": _duration},
    probe.Http: {"url": _url, "timeout": _duration, "match": _pattern},
    probe.Log: {"match": _pattern, "since": _past},
    probe.Json: {"pointer": _pointer},
    probe.Command: {"timeout": _duration},
    probe.Certificates: {"timeout": _duration},
    probe.CertificateState: {"expiring_within": _duration, "timeout": _duration},
    Wait: {"duration": _duration},
}
_FINDERS = frozenset({"pid_file", "cmdline", "unit"})


def wrong_texts(
    kind: type[msgspec.Struct], arguments: Mapping[str, Any], node: Node, at: Position
) -> Iterator[Problem]:
    """Yield what is wrong with texts whose type alone says little: patterns, durations and such.

    `at` is where to tell that a text is missing.
    """
    for name, complain in _TEXTS.get(kind, {}).items():
        text = arguments.get(name)
        if isinstance(text, str) and "${" not in text and (complaint := complain(text)):
            yield Problem(node.find([name]).at, complaint)
    if kind is probe.Http:
        yield from _wrong_headers(arguments.get("headers"), node)
    if kind in (probe.Process, Signal) and not _FINDERS & arguments.keys():
        yield Problem(at, f"{kind.__name__.lower()} needs pid_file, cmdline or unit")
    if kind is probe.CertificateState and not {"path", "port"} & arguments.keys():
        yield Problem(at, "certificate_state needs path or port")


def fill(kind: type[S], arguments: Mapping[str, Any], values: Mapping[str, Any]) -> S:
    """Put the values in place of every `${…}`, and return the arguments of their kind.

    An optional one that is nothing but a `${…}` is left out when that is empty. Raises
    TemplateError, msgspec.ValidationError.
    """
    optional = _optional(kind)
    rendered = render_arguments(arguments, values)
    empty = {name for name in optional & rendered.keys() if rendered[name] == ""}
    left_out = {name for name in empty if is_reference(arguments[name])}
    given = {name: value for name, value in rendered.items() if name not in left_out}
    return msgspec.convert(given, kind, strict=False)


@cache
def _optional(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(field.name for field in msgspec.structs.fields(kind) if not field.required)


def misfits(
    kind: type[msgspec.Struct], arguments: Mapping[str, Any], samples: Mapping[str, Any], node: Node
) -> Iterator[Problem]:
    """Try the arguments with sample values in their templates; yield the first misfit."""
    try:
        msgspec.convert(render(arguments, samples), kind, strict=False)
    except TemplateError:
        return  # told already, with its place
    except msgspec.ValidationError as error:
        message, _, path = _plainly(str(error)).partition(" - at `$.")
        place: Place = [int(p) if p.isdigit() else p for p in re.findall(r"\w+", path)]
        if not _is_open(arguments, place):
            yield _misfit(message, place, kind, node)


def _plainly(message: str) -> str:
    for machine, people in _PLAINLY.items():
        message = message.replace(machine, people)
    return message


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
