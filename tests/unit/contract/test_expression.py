"""Expressions: typed when compiled, and only a BOOL counts when evaluated."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import Position
from contract.expression import (
    Compiled,
    Expression,
    ExpressionError,
    Value,
    ValueType,
    Vocabulary,
)

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = {
    "agent.running": ValueType.BOOL,
    "agent.pid": ValueType.INT,
    "agent.user": ValueType.STRING,
    "agent.started_at": ValueType.TIMESTAMP,
    "agent.groups": ValueType.STRINGS,
    "params.slack": ValueType.DURATION,
}
VALUES: dict[str, Value] = {
    "agent.running": True,
    "agent.pid": 42,
    "agent.user": "omsagent",
    "agent.started_at": STARTED,
    "agent.groups": ["adm", "wheel"],
    "params.slack": timedelta(seconds=2),
}
VOCABULARY = Vocabulary(NAMES)


def expression(source: str) -> Expression:
    return Expression(source, Position(1, 1))


def compiled(source: str) -> Compiled:
    return VOCABULARY.compile(expression(source))


def failure(whole: Expression) -> ExpressionError | None:
    """What compiling and evaluating an expression complains of, if anything."""
    try:
        VOCABULARY.compile(whole).value(VALUES)
    except ExpressionError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("source", "truth"),
    [
        ("agent.running", True),
        ("!agent.running", False),
        ("agent.pid == 42 && agent.user == 'omsagent'", True),
        ("agent.started_at >= timestamp('2026-03-01T12:00:00Z') - params.slack", True),
        ("agent.started_at + duration('1h') < timestamp('2026-03-01T12:00:00Z')", False),
        ("'wheel' in agent.groups", True),
        ("agent.groups.all(group, group != 'root')", True),
        ("agent.user.startsWith('oms') ? agent.pid > 1 : false", True),
        ("params.slack < duration('24h')", True),
        ("agent . running && .agent.running", True),
        ("agent.running // don't mind\n && agent.pid == 42 // isn't it", True),
    ],
)
def test_expression_over_typed_values_holds_or_not(source: str, truth: bool) -> None:  # noqa: FBT001
    assert compiled(source).is_boolean
    assert compiled(source).holds(VALUES) is truth


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("agent.pid", 42),
        ("agent.user", "omsagent"),
        ("agent.started_at", STARTED),
        ("agent.groups", ["adm", "wheel"]),
        ("params.slack", timedelta(seconds=2)),
    ],
)
def test_expression_that_is_no_boolean_gives_its_value_but_never_holds(
    source: str, value: object
) -> None:
    """A number, a text or a time is not truth, however Python sees it."""
    assert not compiled(source).is_boolean
    assert compiled(source).value(VALUES) == value
    with pytest.raises(ExpressionError, match="not true or false"):
        compiled(source).holds(VALUES)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("agent.pid / 0 == 1", "divide by zero"),
        ("agent.pid + 9223372036854775807 > 0", "overflow"),
        ("timestamp(agent.user) > agent.started_at", "conversion failed"),
        ("agent.groups[7] == 'x'", "Index error"),
        ("agent.user.matches('(' + agent.user)", "regular expression"),
        ("agent.started_at + duration('80000000h') > agent.started_at", "overflow"),
    ],
)
def test_expression_with_a_runtime_error_raises_instead_of_being_true(
    source: str, message: str
) -> None:
    """CEL gives its errors back as values that Python would take for true."""
    with pytest.raises(ExpressionError, match=message):
        compiled(source).holds(VALUES)


def test_expression_with_an_unbound_name_raises_unless_it_does_not_matter() -> None:
    """What was not observed makes a step unknown; `false &&` shields it, from either side."""
    with pytest.raises(ExpressionError):
        compiled("agent.pid > 1").holds({})
    for source in ("agent.running && agent.pid > 1", "agent.pid > 1 && agent.running"):
        assert compiled(source).holds({"agent.running": False}) is False
        with pytest.raises(ExpressionError):
            compiled(source).holds({"agent.running": True})


@pytest.mark.parametrize("wrong", ["yes", 1, None, 1.0, [True], b"x", object(), "\udcff", 2**70])
def test_expression_given_a_value_of_another_type_raises(wrong: Value) -> None:
    with pytest.raises(ExpressionError):
        compiled("agent.running").holds({"agent.running": wrong})


def test_expression_given_a_text_that_is_not_utf8_raises() -> None:
    """A file's name may hold any bytes; CEL takes only text."""
    with pytest.raises(ExpressionError):
        compiled("agent.user == 'x'").holds({"agent.user": "\udcff"})
    with pytest.raises(ExpressionError):
        compiled("'x' in agent.groups").holds({"agent.groups": ["x\ud800"]})


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("agent.pid > 'x'", (1, 11), "no matching overload for '_>_' applied to '(int, string)'"),
        ("agent.running &&\n  agent.started_at > 3", (2, 20), "(timestamp, int)"),
        ("params.slack > agent.started_at", (1, 14), "(duration, timestamp)"),
        ("agent.running &&", (1, 17), "Syntax error: it ends where a value is expected"),
        ("agent.pid = 3", (1, 11), "Syntax error: '=' compares nothing, '==' does"),
        ("agent.pid == )", (1, 14), "Syntax error: ')' can't stand here"),
        ("agent.pid == @", (1, 14), "Syntax error: '@' can't be read"),
        ("'é😀' == 'x' && nothing", (1, 16), "undeclared reference to 'nothing'"),
        ("duration('60d') > params.slack", (1, 11), "a day is '24h'"),
        ('true &&\n\n duration("1 h") > params.slack', (3, 12), "duration('1 h') is not CEL"),
        (
            "now < timestamp('yesterday')",
            (1, 18),
            "timestamp('yesterday') is not CEL: use RFC 3339",
        ),
        ("now < timestamp('2026-13-01T00:00:00Z')", (1, 18), "is not CEL"),
        ("agent.running &&\n agent.user.matches('(?=a)')", (2, 21), "look-ahead is not supported"),
        (r'agent.user.matches(r"a\Z")', (1, 20), r"write \z for the end of the text"),
        ("[agent.user]" + ".map(x, x + x)" * 10 + " == []", (1, 1), "could grow without bounds"),
        ("[1]" + ".map(x, [x, x])" * 10 + " == []", (1, 1), "could grow without bounds"),
        ("", (1, 1), "Syntax error: it ends where a value is expected"),
        ("\udcff", (1, 1), ""),
    ],
)
def test_expression_that_is_wrong_is_told_with_line_and_column(
    source: str, place: tuple[int, int], message: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(source)
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == place


@pytest.mark.parametrize("text", ["1h", "1h30m", "-2s", "1.5s", "0", "250ms", "10us", "5ns"])
def test_duration_literal_of_cel_is_taken(text: str) -> None:
    assert compiled(f"duration('{text}') < duration(\"1000h\")").holds({})


@pytest.mark.parametrize("text", ["1d", "2w", "", "5", "1 h", "h", "1h ", "one"])
def test_duration_literal_that_cel_lacks_is_found_when_compiled(text: str) -> None:
    """CEL itself would find it out on the host, and only as an ERROR."""
    with pytest.raises(ExpressionError, match="is not CEL: use h, m, s or ms"):
        compiled(f"params.slack > duration('{text}')")


@pytest.mark.parametrize(
    "source",
    [
        "agent.groups.exists(g, g.startsWith('a') && g.matches('[a-z]+' + 'm'))",
        "agent.groups.all(g, g in ['adm', 'daemon', 'sudo', 'users', 'wheel'])",
        "agent.user + ' ' + agent.user + ', and so on' == ''",
        r"agent.user.matches('\\d') || agent.user.matches(r'\d')",
        "[agent.user]" + ".map(x, x)" * 20 + " == []",
    ],
)
def test_loop_that_joins_a_little_is_taken(source: str) -> None:
    assert compiled(source).holds(VALUES) in (True, False)


def test_duration_in_a_string_or_comment_is_not_looked_at() -> None:
    assert compiled("'duration(\"1d\")' != agent.user // duration('1d')").holds(VALUES)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("agent.running && params.slack > x", {"agent.running", "params.slack", "x"}),
        ("agent.user == 'file.exists' + \"a.b\"", {"agent.user"}),
        (r"agent.user == 'it\'s a.b' && c.d", {"agent.user", "c.d"}),
        ("r'\\' == a.b && c.d == r'\\'", {"a.b", "c.d"}),
        ('"""say "a.b" twice""" == c.d', {"c.d"}),
        ("b'a.b' == c.d", {"c.d"}),
        ("a.b // c.d isn't here\n && e.f", {"a.b", "e.f"}),
        ("agent\n  . running", {"agent.running"}),
        (".agent.running && (.a.b)", {"agent.running", "a.b"}),
        ("agent.groups[0].size() + f(x).y", {"agent.groups", "f", "x"}),
        ("1.5 + 2e3", set()),
    ],
)
def test_names_are_what_stands_outside_strings_and_comments(source: str, names: set[str]) -> None:
    assert expression(source).names() == names


@pytest.mark.parametrize(
    "source",
    [
        "(" * 5000 + "agent.running" + ")" * 5000,
        "[" * 30_000,
        "agent.running ? true : " * 2000 + "false",
        "agent" + ".pid" * 10_000,
        "agent.groups.all(x," * 3000,
        "+".join(["agent.pid"] * 9000) + " > 0",
        "'" * 60_001,
        '"""' * 20_001,
        "r'" * 30_000,
        "." * 60_000,
        "agent" + " " * 60_000 + ".running",
    ],
    ids=range(11),
)
def test_expression_made_to_break_the_compiler_is_refused(source: str) -> None:
    """Depth and length end in an ExpressionError, not in a crash of the process."""
    hostile = expression(source)
    hostile.names()
    hostile.conjuncts()
    error = failure(hostile)
    assert error is None or "\n" not in str(error)


ATOMS = (
    *("agent.running", "!agent.running", "agent.pid == 42", "agent.pid < 0", "true", "false"),
    *("agent.user == 'a && b'", "agent.user == 'oms  agent'", "'(' != agent.user"),
    *("agent.groups.all(g, g != 'x' && g != 'y')", "agent.groups[9] == 'x'"),
    *("agent.running // or && so\n", '"""a" && "b""" != agent.user'),
)
conditions = st.recursive(
    st.sampled_from(ATOMS),
    lambda child: (
        st.tuples(child, st.sampled_from(["&&", " && ", "\n&&\n ", "||"]), child).map("".join)
        | child.map(lambda inner: f"({inner})")
        | st.tuples(child, child).map(lambda pair: f"{pair[0]} ? {pair[1]} : false")
    ),
    max_leaves=6,
)


def truth(part: Expression) -> bool | None:
    """What a part comes to; None when nobody can tell."""
    try:
        return VOCABULARY.compile(part).holds(VALUES)
    except ExpressionError:
        return None


@given(conditions)
def test_conjuncts_together_are_as_true_as_the_whole(source: str) -> None:
    """Splitting at `&&` tells which part is false, and never tells another truth."""
    whole = expression(source)
    parts = [truth(part) for part in whole.conjuncts()]
    expected = False if False in parts else None if None in parts else True
    assert truth(whole) is expected


def test_conjuncts_of_a_choice_or_an_alternative_are_not_taken_apart() -> None:
    for source in ("a && b || c", "a ? b && c : d", "a || b && c"):
        assert [part.source for part in expression(source).conjuncts()] == [source]
    parts = expression("a && (b && c) &&\n x.all(y, y && z)").conjuncts()
    assert [part.source for part in parts] == ["a", "(b && c)", "x.all(y, y && z)"]


@given(st.text(max_size=30) | st.lists(st.sampled_from([*"()[]{}.?:&|!<>=+-'\"\\ \n", "agent.pid",
       "duration(", "r'", "//", "true", "1", "in "]), max_size=12).map("".join))  # fmt: skip
def test_expression_of_any_text_compiles_or_raises_its_own_error(source: str) -> None:
    """Whatever is written, there is a value, or an ExpressionError with a place."""
    whole = expression(source)
    assert all(name == "".join(name.split()) for name in whole.names())
    error = failure(whole)
    assert error is None or (error.line >= 1 and error.column >= 1)
