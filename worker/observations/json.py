"""The observation `json`: one value of a JSON file."""

import json
from collections.abc import Sequence
from typing import Any

from contract.pointer import parse_pointer
from contract.probe import Json
from worker.observations.content import read_content
from worker.observations.observation import Fields, ObservationError
from worker.root import Root

_LARGEST = 1024 * 1024
_MOST = 2**63
_ABSENT = object()
_KINDS: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


def observe_json(arguments: Json, root: Root) -> Fields:
    """Follow the pointer; neither a missing file nor a pointer to nothing is an error."""
    steps = parse_pointer(arguments.pointer)
    path = root.locate(arguments.path)
    content = read_content(path, _LARGEST)
    if content is None:
        return {"exists": False}
    try:
        document = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ObservationError(f"{path} is not JSON: {error}") from None
    value = _follow(document, steps)
    if value is _ABSENT:
        return {"exists": False}
    number = _whole(value)
    return {
        "exists": True,
        "kind": _KINDS[type(value)],
        "value": value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        "is_true": value is True,
        "is_integer": number is not None,
        **({"number": number} if number is not None else {}),
    }


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON's")


def _follow(value: Any, steps: Sequence[str]) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step, _ABSENT)
        elif isinstance(value, list) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return _ABSENT
    return value


def _is_index(step: str) -> bool:
    is_number = step.isascii() and step.isdecimal() and len(step) < len(str(_LARGEST)) + 1
    return is_number and (step == "0" or step[0] != "0")


def _whole(value: Any) -> int | None:
    """Return a whole number that CEL can hold; JSON knows no difference of `5` and `5.0`."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and -_MOST <= value < _MOST else None
