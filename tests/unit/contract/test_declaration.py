"""Parameters declared in a way that makes no sense."""

import pytest

from tests.unit.contract.runbook_text import STEP, complaints

PARAMETERS = {
    "{type: enum}": "2:10: parameter x: an enum needs `values: [a, b]`",
    "{type: enum, values: []}": "2:34: values must be a list of texts",
    "{values: [a]}": "2:22: `values` goes with `type: enum`",
    "{type: enum, values: [a, b], default: c}": "2:51: the default does not fit: parameter x: 'c'",
    "{min: 1}": "2:19: `min` goes with `type: integer`",
    "{type: integer, max: many}": "2:34: max must be a whole number",
    "{type: integer, min: 2, max: 1}": "2:10: parameter x: `min` is more than `max`",
    "{type: integer, max: 9, default: 10}": "2:46: the default does not fit: parameter x: 10",
    "{type: path, default: x.pem}": "2:35: the default does not fit: parameter x: 'x.pem' is not",
    "{type: integer, secret: true}": "2:10: parameter x: a secret is a string",
    "{secret: true, default: geheim}": "2:37: parameter x: a secret's only possible default",
    "{secret: maybe}": "2:22: secret must be true or false",
    "{pattern: '('}": "2:23: pattern is not a regular expression",
    "{pattern: '(', default: a}": "2:23: pattern is not a regular expression",
    "{pattern: 'a{99999999999999999999}'}": "2:23: pattern is not a regular expression",
    "{pattern: '[a-z]+', default: A1}": "2:42: the default does not fit",
    "{type: integer, default: many}": "2:38: the default does not fit",
    "{type: integer, default: '7'}": "2:38: the default does not fit",
    "{type: integer, default: ''}": "2:38: the default does not fit",
    "{type: boolean, default: 'yes'}": "2:38: the default does not fit",
    "{type: boolean, default: 1}": "2:38: the default does not fit",
    "{type: duration, default: 60}": "2:39: the default does not fit",
    "{type: duration, default: ''}": "2:39: the default does not fit",
    "{type: uuid, default: 1234}": "2:35: the default does not fit",
    "{default: [a]}": "2:23: the default does not fit: parameter x: ['a'] is not a string",
    "{kind: string}": "2:14: parameter x has no 'kind'; did you mean",
    "string": "2:13: parameter x must be a mapping",
}


@pytest.mark.parametrize("declaration", PARAMETERS)
def test_parameter_declared_wrongly_is_refused_at_the_place(declaration: str) -> None:
    text = f"name: x\nparams: {{x: {declaration}}}\n{STEP}"
    expected = PARAMETERS[declaration]
    # `{x: ` begins in column 9; did_you_mean may only name the known words here.
    assert any(line.startswith(expected.partition("; did")[0]) for line in complaints(text))
