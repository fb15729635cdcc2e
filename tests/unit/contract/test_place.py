"""Places: a column inside an expression, found again in the YAML as a person wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import read_document
from contract.expression import Expression
from contract.place import offset_of, place_in_yaml

STYLES = {
    "plain": "ensure: one && BAD",
    "plain over two lines": "ensure: one\n   && BAD",
    "plain after a blank line": "ensure: one\n\n  && BAD",
    "single quotes": "ensure: 'it''s && BAD'",
    "double quotes": 'ensure: "\\"one\\" \\\\ && BAD"',
    "double quotes over lines": 'ensure: "one \\\n  && BAD"',
    "folded": "ensure: >-\n  one\n  && BAD",
    "folded after a comment": "ensure: >-  # why not\n  one\n  && BAD",
    "folded and deeper": "ensure: >-\n  one\n    && BAD\n    && two",
    "folded with blank lines": "ensure: >\n\n  one\n\n\n  && BAD\n",
    "folded with its indentation told": "ensure: >2-\n     one\n  && BAD",
    "literal": "ensure: |\n  one\n    && BAD\n",
    "folded with Windows line ends": "ensure: >-\r\n  one\r\n  && BAD\r\n",
    "folded on the next line": "ensure:\n  >-\n    one &&\n    BAD",
    "beside others": "- {when: BAD, ensure: one && BAD}",
    "other letters": "ensure: 'é😀' == one && BAD",
}


@pytest.mark.parametrize("style", STYLES)
def test_place_in_every_style_of_scalar_is_exact(style: str) -> None:
    """Folding, indentation, quotes and blank lines don't move the column."""
    text = STYLES[style].replace("ensure: 'é😀'", "ensure: é😀")
    root = read_document(text.encode(), "f.yaml")
    node = (root.value[0] if isinstance(root.value, list) else root).find(["ensure"])
    expression = Expression(node.value, node.at)
    found = place_in_yaml(text, expression, node.value.index("BAD"))
    line = text.replace("\r\n", "\n").split("\n")[found.line - 1]
    assert line[found.column - 1 :].startswith("BAD")
    assert (found.line, found.column) >= (node.at.line, node.at.column)


def test_place_behind_the_end_is_behind_the_last_character() -> None:
    text = "a: 1\nensure: >-\n  one &&\n\nnext: x"
    node = read_document(text.encode(), "f.yaml").find(["ensure"])
    found = place_in_yaml(text, Expression(node.value, node.at), len(node.value))
    assert (found.line, found.column) == (3, 9)


def test_offset_of_a_line_and_column_counts_from_one() -> None:
    assert offset_of("ab\ncd", 1, 1) == 0
    assert offset_of("ab\ncd", 2, 2) == 4


words = st.lists(st.sampled_from(["one", "&&", "(two)", "é", "x.y"]), min_size=1, max_size=6)


@given(words, st.sampled_from([">-", "|", ">"]), st.data())
def test_place_of_every_word_of_a_block_is_found(
    parts: list[str], style: str, data: st.DataObject
) -> None:
    gaps = st.sampled_from([" ", "\n  ", "\n    ", "\n\n  "])
    body = parts[0] + "".join(data.draw(gaps) + part for part in parts[1:])
    text = f"ensure: {style}\n  {body}\nnext: 1\n"
    node = read_document(text.encode(), "f.yaml").find(["ensure"])
    expression = Expression(node.value, node.at)
    offset = 0
    for part in parts:
        offset = node.value.index(part, offset)
        found = place_in_yaml(text, expression, offset)
        assert text.split("\n")[found.line - 1][found.column - 1 :].startswith(part)
        offset += len(part)
