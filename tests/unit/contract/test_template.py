"""Templates: one pass, no logic, and no way to become an option."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.template import (
    TemplateError,
    check,
    references,
    render,
    render_argument,
    render_arguments,
)

VALUES = {"params.x": "X", "params.n": 7, "params.yes": True, "item.name": "${params.x}"}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("plain $ {text}", "plain $ {text}"),
        ("${params.x}", "X"),
        ("a-${params.x}-${params.n}", "a-X-7"),
        ("${params.yes}", "true"),
        ("$${params.x}", "${params.x}"),
        ("${params.x", "${params.x"),
    ],
)
def test_template_known_names_are_put_in(text: str, rendered: str) -> None:
    assert render(text, VALUES) == rendered
    assert check(text, VALUES) is None


def test_template_a_value_with_a_reference_in_it_is_not_read_again() -> None:
    """A value from outside can't reach another one: there is one pass."""
    assert render("${item.name}", VALUES) == "${params.x}"


@pytest.mark.parametrize(
    "name", ["params.y", "other.x", "params.x.y", "params", "", " params.x", "1+1"]
)
def test_template_unknown_or_clever_names_are_errors(name: str) -> None:
    text = f"a ${{{name}}} b"
    assert check(text, VALUES)
    with pytest.raises(TemplateError):
        render(text, VALUES)


def test_template_check_tells_the_known_names() -> None:
    assert check("${params.z}", ["params.x"]) == (
        "${params.z} is unknown here; known are: params.x"
    )
    assert check("${params.z}", []) == "${params.z} is unknown here; known are: none"


def test_template_trees_are_rendered_throughout_but_their_keys_are_not() -> None:
    tree = {"${params.x}": ["${params.x}", {"a": "${params.n}"}, 5, None, True]}
    assert render(tree, VALUES) == {"${params.x}": ["X", {"a": "7"}, 5, None, True]}
    assert references(tree) == {"params.x", "params.n"}


@pytest.mark.parametrize("value", ["-rf", "--help", "-"])
def test_argument_that_a_value_makes_an_option_is_refused(value: str) -> None:
    """`rm ${params.file}` can't be turned into `rm -rf`."""
    with pytest.raises(TemplateError, match="take for an option"):
        render_argument("${params.file}", {"params.file": value})


def test_argument_that_is_an_option_in_the_runbook_stays_one() -> None:
    assert render_argument("--name=${params.x}", VALUES) == "--name=X"
    assert render_argument("-${params.x}", {"params.x": "-"}) == "--"


def test_argument_with_a_nul_is_refused() -> None:
    with pytest.raises(TemplateError, match="NUL"):
        render_argument("a${params.x}", {"params.x": "b\0c"})


def test_arguments_each_word_stays_one_word() -> None:
    """Blanks, quotes and semicolons in a value never split or join words."""
    hostile = "a b; rm -rf / '\"$(id)`id`\n"
    rendered = render_arguments({"argv": ["/bin/echo", "${p.x}"], "cwd": "/"}, {"p.x": hostile})
    assert rendered == {"argv": ["/bin/echo", hostile], "cwd": "/"}


@given(st.text(alphabet="${}.abx ", max_size=40))
def test_template_that_passes_the_check_always_renders(text: str) -> None:
    names = {"a.b": "1"}
    if check(text, names) is None:
        render(text, names)
    else:
        with pytest.raises(TemplateError):
            render(text, names)
