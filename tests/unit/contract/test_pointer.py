"""JSON Pointer: the RFC's own examples, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.pointer import PointerError, parse_pointer


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("", ()), ("/", ("",)), ("/foo/0", ("foo", "0")), ("/a~1b", ("a/b",)), ("/m~0n", ("m~n",)),
        ("/~01", ("~1",)), ("//", ("", "")), ("/ /ä", (" ", "ä")),
    ],
)  # fmt: skip
def test_pointer_is_read_as_the_rfc_says(text: str, steps: tuple[str, ...]) -> None:
    assert parse_pointer(text) == steps


@pytest.mark.parametrize("text", ["foo", "#/foo", "/a~", "/a~2", "/~~0", " /a"])
def test_text_that_is_no_pointer_is_told(text: str) -> None:
    with pytest.raises(PointerError, match="is not a JSON pointer: "):
        parse_pointer(text)


@given(st.lists(st.text()))
def test_any_way_can_be_written_and_read_back(steps: list[str]) -> None:
    text = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
    assert parse_pointer(text) == tuple(steps)
