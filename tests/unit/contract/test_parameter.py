"""Parameters: what a value must be like, from the command line and from the wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.parameter import (
    MAX_CHARACTERS,
    Parameter,
    ParameterError,
    ParameterType,
    bind,
    did_you_mean,
)

UUID = "0123abcd-0000-4000-8000-00000000ABCD"
STRING = Parameter("s")
INTEGER = Parameter("n", ParameterType.INTEGER)
BOOLEAN = Parameter("b", ParameterType.BOOLEAN)
DURATION = Parameter("d", ParameterType.DURATION)
MOMENT = Parameter("t", ParameterType.TIMESTAMP)
IDENTITY = Parameter("u", ParameterType.UUID)
CHOICE = Parameter("e", ParameterType.ENUM, values=("dev", "prod"))
PORT = Parameter("port", ParameterType.INTEGER, min=1, max=65535)
PATH = Parameter("path", ParameterType.PATH)
PATTERN = Parameter("p", pattern="[a-z]+")
SECRET = Parameter("key", secret=True)
SHY = Parameter("shy", pattern="[a-z]{8}", secret=True)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (STRING, "a b"),
        (STRING, "-rf"),
        (STRING, "é\n"),
        (STRING, "x" * MAX_CHARACTERS),
        (INTEGER, 0),
        (INTEGER, -(2**53) + 1),
        (PORT, 1),
        (PORT, 65535),
        (PATH, "/etc/ssl/..site.pem"),
        (BOOLEAN, False),
        (DURATION, "1h30m"),
        (IDENTITY, UUID),
        (CHOICE, "prod"),
        (PATTERN, "abc"),
        (SECRET, "geheim"),
        (SHY, "abcdefgh"),
    ],
)
def test_parameter_of_its_type_is_taken_as_it_is(parameter: Parameter, value: object) -> None:
    assert parameter.accept(value) is value


@pytest.mark.parametrize(
    ("parameter", "value", "complaint"),
    [
        (STRING, 5, "5 is not a string"),
        (STRING, True, "True is not a string"),
        (STRING, None, "None is not a string"),
        (STRING, "x" * (MAX_CHARACTERS + 1), "is longer than 8192 characters"),
        (STRING, "a\0b", "holds a NUL"),
        (STRING, "\ud800", "is not UTF-8"),
        (INTEGER, "5", "is not an integer"),
        (INTEGER, True, "is not an integer"),
        (INTEGER, 1.0, "is not an integer"),
        (INTEGER, 2**53, "is more than 9007199254740991"),
        (PORT, 0, "0 is less than 1"),
        (PORT, 99999, "99999 is more than 65535"),
        (PATH, "site.pem", "'site.pem' is not an absolute path such as /etc/ssl/site.pem"),
        (PATH, "/etc/../shadow", "is not an absolute path"),
        (PATH, "//etc/x", "is not an absolute path"),
        (PATH, "/etc/x/", "is not an absolute path"),
        (PATH, "/", "is not an absolute path"),
        (PATH, "", "is not an absolute path"),
        (BOOLEAN, 1, "is not true or false"),
        (BOOLEAN, "true", "is not true or false"),
        (DURATION, "soon", "is not a duration such as 30s"),
        (DURATION, 60, "is not a duration"),
        (DURATION, "", "is not a duration"),
        (MOMENT, "yesterday", "is not a moment with its zone"),
        (MOMENT, "2026-03-01", "is not a moment with its zone"),
        (MOMENT, "2026-03-01T02:00:00", "is not a moment with its zone"),
        (MOMENT, "0001-01-01T00:00:00+01:00", "is not a moment with its zone"),
        (MOMENT, "", "is not a moment"),
        (IDENTITY, UUID[:-1], "is not a UUID"),
        (IDENTITY, f"{UUID}\n", "is not a UUID"),
        (IDENTITY, f"../{UUID}", "is not a UUID"),
        (CHOICE, "Prod", "is none of: dev, prod"),
        (CHOICE, "", "is none of: dev, prod"),
        (PATTERN, "abc1", "does not match its pattern [a-z]+"),
        (PATTERN, "abc\n", "does not match its pattern"),
        (PATTERN, "", "does not match its pattern"),
        (SECRET, "short", "shorter than 6 characters, too short to redact"),
    ],
)
def test_parameter_of_another_type_is_refused_with_its_name(
    parameter: Parameter, value: object, complaint: str
) -> None:
    with pytest.raises(ParameterError, match=f"^parameter {parameter.name}: ") as caught:
        parameter.accept(value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("value", ["wrong!", "abc", 5, "NOTTHEKEY" * 1000])
def test_secret_that_does_not_fit_is_refused_without_being_shown(value: object) -> None:
    """Neither the value nor the pattern, which may tell of it, gets into an error."""
    with pytest.raises(ParameterError) as caught:
        SHY.accept(value)
    assert str(value) not in str(caught.value)
    assert "[a-z]" not in str(caught.value)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (BOOLEAN, "true", True),
        (BOOLEAN, "false", False),
        (INTEGER, "-7", -7),
        (INTEGER, "007", 7),
        (STRING, "true", "true"),
        (STRING, "7", "7"),
        (DURATION, "5m", "5m"),
    ],
)
def test_parameter_typed_on_a_command_line_gets_its_type(
    parameter: Parameter, text: str, value: object
) -> None:
    found = parameter.parse(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        (BOOLEAN, "yes"),
        (BOOLEAN, "True"),
        (INTEGER, "7.0"),
        (INTEGER, "1e3"),
        (INTEGER, "9" * 5000),
    ],
)
def test_parameter_typed_wrongly_on_a_command_line_is_refused(
    parameter: Parameter, text: str
) -> None:
    with pytest.raises(ParameterError):
        parameter.parse(text)


def test_empty_value_means_not_given_only_where_the_default_is_empty() -> None:
    empty = Parameter("w", ParameterType.UUID, default="")
    assert empty.accept("") == empty.parse("") == ""
    with pytest.raises(ParameterError):
        Parameter("n", ParameterType.INTEGER, default="").accept("")


@pytest.mark.parametrize(
    ("parameter", "value", "seen"),
    [
        (DURATION, "1m", timedelta(minutes=1)),
        (MOMENT, "2026-03-01T03:00:00+01:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        (STRING, "1m", "1m"),
        (INTEGER, 5, 5),
        (BOOLEAN, True, True),
    ],
)
def test_value_for_expressions_has_the_type_they_were_compiled_with(
    parameter: Parameter, value: object, seen: object
) -> None:
    assert parameter.to_values(value) == {f"params.{parameter.name}": seen}


def test_timestamp_that_need_not_be_given_has_a_guard() -> None:
    """Nothing stands in for a moment that nobody gave: only `given` is there, and false."""
    optional = Parameter("m", ParameterType.TIMESTAMP, default="")
    assert optional.accept("") == ""
    assert optional.to_values("") == {"params.m.given": False}
    given = optional.to_values("2026-03-01T02:00:00Z")
    assert given == {"params.m.given": True, "params.m": datetime(2026, 3, 1, 2, tzinfo=UTC)}
    assert set(optional.names) == set(given)
    assert MOMENT.guard == ""


def test_secret_is_nothing_that_expressions_see() -> None:
    assert SHY.names == SHY.to_values("not to be seen") == {}


DECLARED = (STRING, Parameter("n", ParameterType.INTEGER, default=3), Parameter("k", secret=True))


def test_bind_fills_in_defaults_and_keeps_what_was_given() -> None:
    given_values = {"s": "x", "k": "geheim!"}
    assert bind(DECLARED, given_values) == {"s": "x", "n": 3, "k": "geheim!"}
    assert bind((), {}) == {}


@pytest.mark.parametrize(
    ("given_values", "complaint"),
    [
        ({"s": "x", "k": "geheim", "nn": 1}, "unknown parameter 'nn'; did you mean 'n'?"),
        ({"k": "geheim"}, "parameter s is missing; give it with -p s=VALUE"),
        ({"s": "x"}, "parameter k is missing; give it with --secret k=@FILE"),
        ({"s": "x", "k": "geheim", "n": "3"}, "parameter n: '3' is not an integer"),
    ],
)
def test_bind_of_unknown_missing_or_wrong_values_says_what_to_do(
    given_values: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ParameterError) as caught:
        bind(DECLARED, given_values)
    assert str(caught.value) == complaint


def test_hint_names_the_nearest_word_or_all_of_them() -> None:
    assert did_you_mean("ensur", ["ensure", "when"]) == "; did you mean 'ensure'?"
    assert did_you_mean("xyz", ["b", "a"]) == "; known are: a, b"
    assert did_you_mean("x", []) == ""


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)


@given(
    st.sampled_from([STRING, INTEGER, BOOLEAN, DURATION, MOMENT, IDENTITY, CHOICE, PATTERN, SHY]),
    values,
)
def test_parameter_given_anything_takes_it_or_raises_its_own_error(
    parameter: Parameter, value: object
) -> None:
    """What is taken can travel and be used; all else is a ParameterError."""
    try:
        taken = parameter.accept(value)
    except ParameterError:
        return
    assert isinstance(taken, str | int)
    parameter.to_values(taken)
    str(taken).encode()
