"""The observation json: one value, in its own kind, or nothing; never a guess."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.probe import Json
from worker.observations.json import observe_json
from worker.observations.observation import Fields, ObservationError
from worker.root import Root

ABSENT = {"exists": False}
RFC = {  # the example of RFC 6901, section 5
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6,
    " ": 7, "m~n": 8,
}  # fmt: skip


def look(root: Path, pointer: str, text: str | bytes | None = None) -> Fields:
    if text is not None:
        (root / "f.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return observe_json(Json(path="/f.json", pointer=pointer), Root(root))


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/foo/0", "bar"), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/e^f", "3"),
        ("/g|h", "4"), ("/i\\j", "5"), ('/k"l', "6"), ("/ ", "7"), ("/m~0n", "8"),
        ("/foo", '["bar", "baz"]'), ("", json.dumps(RFC)),
    ],
)  # fmt: skip
def test_pointer_finds_what_the_rfc_says(tmp_path: Path, pointer: str, value: str) -> None:
    fields = look(tmp_path, pointer, json.dumps(RFC))
    assert (fields["exists"], fields["value"]) == (True, value)


@pytest.mark.parametrize(
    "pointer", ["/nope", "/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/0/x", "/foo/é"]
)
def test_pointer_to_nothing_is_knowledge(tmp_path: Path, pointer: str) -> None:
    assert look(tmp_path, pointer, json.dumps(RFC)) == ABSENT


@pytest.mark.parametrize(
    ("text", "kind", "value", "more"),
    [
        ('"a b"', "string", "a b", {}),
        ("true", "boolean", "true", {"is_true": True}),
        ("false", "boolean", "false", {}),
        ("null", "null", "null", {}),
        ("[1, {}]", "array", "[1, {}]", {}),
        ('{"ä": 1}', "object", '{"ä": 1}', {}),
        ("-7", "number", "-7", {"is_integer": True, "number": -7}),
        ("5.0", "number", "5.0", {"is_integer": True, "number": 5}),
        ("1.5", "number", "1.5", {}),
        ("9223372036854775807", "number", "9223372036854775807",
         {"is_integer": True, "number": 2**63 - 1}),
        ("9223372036854775808", "number", "9223372036854775808", {}),
    ],
)  # fmt: skip
def test_value_has_its_kind(
    tmp_path: Path, text: str, kind: str, value: str, more: dict[str, Any]
) -> None:
    """A number is there only if it is a whole one that expressions can hold."""
    expected = {"exists": True, "kind": kind, "value": value, "is_true": False, "is_integer": False}
    assert look(tmp_path, "/a", f'{{"a": {text}}}') == expected | more


@pytest.mark.parametrize(
    "text",
    ["", "{", "{} {}", "NaN", "[Infinity]", "'a'", b"\xff\xfe\xfd", "[" * 100_000, "9" * 5000],
)
def test_file_that_is_no_json_is_unknown(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(ObservationError, match="is not JSON"):
        look(tmp_path, "", text)


def test_file_that_is_missing_is_knowledge_and_one_too_large_is_unknown(tmp_path: Path) -> None:
    assert look(tmp_path, "/a") == ABSENT
    with pytest.raises(ObservationError, match="larger than 1024 KiB"):
        look(tmp_path, "", '"' + "x" * 1024 * 1024 + '"')


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(document=documents)
def test_every_value_is_found_by_its_own_pointer(tmp_path: Path, document: Any) -> None:
    def walk(value: Any, pointer: str) -> None:
        fields = look(tmp_path, pointer)
        if isinstance(value, str):
            assert fields["value"] == value
        else:
            assert json.loads(str(fields["value"])) == value
        children = value.items() if isinstance(value, dict) else ()
        if isinstance(value, list):
            children = enumerate(value)  # type: ignore[assignment]
        for name, child in children:
            walk(child, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")

    (tmp_path / "f.json").write_text(json.dumps(document))
    walk(document, "")
