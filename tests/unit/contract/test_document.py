"""Strict YAML: what is refused, how fast, and exactly where."""

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from contract.document import MAX_BYTES, MAX_DEPTH, MAX_NODES, DocumentError, Problem, read_document

PATIENCE_S = 5.0  # far more than needed; the dangers took minutes or crashed


def read(text: str) -> Any:
    return read_document(text.encode(), "f.yaml").plain()


def problems(data: bytes) -> list[Problem]:
    try:
        read_document(data, "f.yaml")
    except DocumentError as error:
        return error.problems
    return []


def complaint(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(DocumentError) as caught:
        read_document(raw, "f.yaml")
    (line,) = caught.value.lines()
    assert "\n" not in line
    return line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("True", "True"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2026-03-01", "2026-03-01"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("=", "="),
        ("9999999999999999999", "9999999999999999999"),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-7", -7),
        ("123456789012345678", 123_456_789_012_345_678),
        ("'true'", "true"),
        ('"7"', "7"),
        ("''", ""),
    ],
)
def test_scalar_has_no_surprising_type(text: str, value: object) -> None:
    """Only true, false, null and decimal integers are not text; what is quoted is."""
    found = read(f"x: {text}")["x"]
    assert (found, type(found)) == (value, type(value))


REFUSED = {
    "an anchor": ("a: &x 1", "1:4", "anchors and aliases are not allowed"),
    "an alias": ("a: b\nc: *x", "2:4", "anchors and aliases are not allowed"),
    "an anchored key": ("&x a: 1", "1:1", "anchors"),
    "an anchored list": ("a: &x [1]", "1:4", "anchors"),
    "an alias to itself": ("&x [*x]", "1:1", "anchors"),
    "a tag": ("a: !!python/object:os.system x", "1:4", "tags are not allowed"),
    "a tag of one's own": ("a: !x {}", "1:4", "tags are not allowed"),
    "a tagged key": ("!!str a: 1", "1:1", "tags are not allowed"),
    "a merge key": ("a:\n  <<: {b: 1}", "2:3", "merge keys are not allowed"),
    "a quoted merge key": ('"<<": {b: 1}', "1:1", "merge keys"),
    "a duplicate key": ("a: 1\nb: 2\na: 3", "3:1", "'a' is here twice (first at 1:1)"),
    "a deep duplicate": ("a:\n- {b: 1, b: 2}", "2:10", "'b' is here twice (first at 2:4)"),
    "a duplicate by quoting": ("a: 1\n'a': 2", "2:1", "'a' is here twice"),
    "a list as a key": ("? [a]\n: 1", "1:3", "a key must be a plain name"),
    "a mapping as a key": ("{{a: 1}: 2}", "1:2", "a key must be a plain name"),
    "a second document": ("a: 1\n---\nb: 2", "2:1", "a second document begins here"),
    "nothing": ("", "1:1", "the file is empty"),
    "only comments": ("# a\n\n", "", "the file is empty"),
    "an open bracket": ("a: [1, 2", "", "not YAML"),
    "a tab as indentation": ("a:\n\tb: 1", "2:1", "not YAML"),
    "a wrong version": ("%YAML 9.9\n---\na", "", "not YAML"),
    "a wrong indentation": ("a: 1\n b: 2", "2:3", "not YAML"),
    "a NUL by escape": ('a: 1\nb: "x\\0"', "2:4", "holds U+0000"),
    "half a pair by escape": ('a: "\\ud800"', "1:4", "holds U+D800"),
    "a pair of halves by escape": ('a: "\\ud83d\\ude00"', "1:4", "holds U+D83D"),
    "half a pair in a key": ('a: 1\n"\\udc00": 1', "2:1", "holds U+DC00"),
    "an escape beyond Unicode": ('a: 1\nb: "é\\U00110000"', "2:6", "this escape is no character"),
    "an escape beyond C": ('a: "\\UFFFFFFFF"', "1:5", "this escape is no character"),
    "a colon in an expression": ("a: b\nc: x ? 'y': z", "2:11", "put '>-' after the key"),
    "a quote first": ('c: "a" == b', "1:8", "put '>-' after the key"),
    "a bracket first": ("c: [1] == b", "1:8", "put '>-' after the key"),
    "a bang first": ("c: !a.b", "1:4", "put '>-' after the key"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_document_with_a_forbidden_thing_is_refused_at_its_place(what: str) -> None:
    text, place, message = REFUSED[what]
    found = complaint(text)
    assert message in found
    assert found.startswith(f"f.yaml:{place}")


HIDDEN = (
    "\x00\x07\x0b\x0c\x1b\x7f\x85\x9f\xad\u061c\u200b\u200e\u2028\u2029\u202e\u2066\ufeff\ufffe"
)


@pytest.mark.parametrize("character", [*HIDDEN, "\r", "\U000e0041"], ids=lambda c: f"{ord(c):04X}")
def test_document_with_a_hidden_character_is_refused_even_in_a_comment(character: str) -> None:
    """What a reader can't see, or takes for the end of a line, is not there."""
    found = complaint(f"a: 1\n# é {character} b")
    assert found == f"f.yaml:2:5: hidden or control character U+{ord(character):04X}; remove it"


def test_document_with_visible_text_of_any_language_is_read() -> None:
    text = "é 日本 😀 \N{HEBREW LETTER ALEF} ñ"
    assert read(f"a: {text}\r\nb: '{text}'\r\n") == {"a": text, "b": text}


@pytest.mark.parametrize("data", [b"a: \xff", b"a: \xed\xa0\x80", b"a: \xc0\xaf", b"\xff\xfea\x00"])
def test_document_that_is_not_utf8_is_refused(data: bytes) -> None:
    assert "not UTF-8 at byte" in complaint(data)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def test_document_nested_to_the_limit_is_read_and_one_deeper_refused() -> None:
    read(nested(MAX_DEPTH))
    found = complaint(nested(MAX_DEPTH + 1))
    assert found == f"f.yaml:1:{MAX_DEPTH + 1}: nested deeper than {MAX_DEPTH} levels"


def test_document_of_as_many_values_as_allowed_is_read_and_one_more_refused() -> None:
    read(f"[{'1,' * (MAX_NODES - 1)}]")
    assert f"more than {MAX_NODES} values" in complaint(f"[{'1,' * MAX_NODES}]")


def test_document_at_the_size_limit_is_read_and_one_byte_more_refused() -> None:
    read("a" * MAX_BYTES)
    assert "larger than 64 KiB (65537 bytes)" in complaint("a" * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    "data",
    [
        "[" * 200_000,
        "[" * 60_000,
        "{" * 60_000,
        "{a: " * 15_000,
        "- " * 30_000,
        "? " * 30_000,
        "a: " * 20_000,
        "&a " * 20_000,
        "'" * 60_000,
        '"' + "\\x41" * 15_000,
        "[a, " * 15_000,
        "%" * 60_000,
        "\n" * 60_000,
        "|\n" * 30_000,
        " " * 60_000,
        "#" * 60_000,
        "[" + "a" * 60_000,
        "a\n" * 30_000,
        ("&a" + "a" * 100 + " ") * 600,
    ],
    ids=range(19),
)
def test_document_made_to_take_long_is_answered_quickly(data: str) -> None:
    """Bombs of brackets, quotes and indentation cost neither time nor the process."""
    begun = time.monotonic()
    problems(data.encode())
    assert time.monotonic() - begun < PATIENCE_S


def test_node_find_returns_the_deepest_that_exists() -> None:
    root = read_document(b"a:\n- {b: 7}\n- x", "f.yaml")
    assert root.find(["a", 0, "b"]).value == 7
    assert root.find(["a", 0, "c", "d"]).plain() == {"b": 7}
    assert root.find(["a", 9]).plain() == [{"b": 7}, "x"]
    assert root.find([]) is root


def test_node_positions_count_from_one_as_editors_do() -> None:
    root = read_document(b"a:\n  bc: [x, 'y']\n", "f.yaml")
    inner = root.find(["a"])
    place = inner.key_at["bc"]
    assert (place.line, place.column) == (2, 3)
    assert [(n.at.line, n.at.column) for n in inner.value["bc"].value] == [(2, 8), (2, 11)]


json_like = st.recursive(
    st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.none()
    | st.text("abc é'\"#:-[]{}!&*\n", max_size=9),
    lambda child: (
        st.lists(child, max_size=4)
        | st.dictionaries(st.text("abcdef", min_size=1, max_size=4), child, max_size=4)
    ),
    max_leaves=20,
)


@given(json_like)
def test_document_written_by_a_yaml_library_is_read_as_it_was(value: object) -> None:
    """Anything without floats and dates comes back unchanged, however it is quoted."""
    text = yaml.safe_dump(value, default_flow_style=None, allow_unicode=True).encode()
    if not problems(text):
        assert read_document(text, "f.yaml").plain() == value
    else:
        assert "nested deeper" in complaint(text) or "anchors" in complaint(text)


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_document_of_any_bytes_is_read_or_refused_with_a_place(data: bytes) -> None:
    """Nothing but a DocumentError comes out, whatever goes in."""
    assert all(p.at.line >= 1 and p.at.column >= 1 for p in problems(data))


@given(
    st.lists(
        st.sampled_from([*"[]{}:,-?&*!|>'\"%@`#\n\\ ab0", ": ", "\n  ", "<<", "\\u"]), max_size=30
    )
)
def test_document_of_yamls_own_signs_is_read_or_refused_with_a_place(parts: list[str]) -> None:
    """YAML's own grammar, shaken, gives nodes or a DocumentError."""
    assert all(p.at.line >= 1 and "\n" not in p.message for p in problems("".join(parts).encode()))
