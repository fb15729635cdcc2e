"""A certificate told at a moment: what was said of it, and what time has made of it since."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.certificate import CertificateVerdict
from contract.instant import to_datetime
from orchestrator.certificate import FIELDS, Certificate
from orchestrator.certificate_choice import (
    Condition,
    ConditionError,
    arrange,
    check_column,
)
from tests.fleet_certificates import CERTIFICATES, DAY, certificate

V = CertificateVerdict


@pytest.mark.parametrize(
    ("said", "now", "told"),
    [
        (V.FRESH, 10, V.FRESH),
        (V.FRESH, 20 * DAY, V.EXPIRING),
        (V.FRESH, 30 * DAY, V.EXPIRED),
        (V.EXPIRING, 30 * DAY, V.EXPIRED),
        (V.STALE_IN_MEMORY, 30 * DAY, V.STALE_IN_MEMORY),
        (V.MISSING, 30 * DAY, V.MISSING),
    ],
)
def test_certificate_that_was_well_moves_on_with_time(said: V, now: int, told: V) -> None:
    seen = certificate(verdict=said, now=now, expiring_at=20 * DAY, not_after=30 * DAY)
    assert seen.verdict is told
    assert seen.values["verdict"] == told
    assert ("since it was seen as" in seen.reason) is (said is not told)


def test_certificate_whose_chain_has_failed_is_expired_before_its_own_end() -> None:
    assert certificate(now=DAY, outage_at=DAY, not_after=9 * DAY).verdict is V.EXPIRED


def test_certificate_fails_at_its_end_only_where_it_is_the_one_in_use() -> None:
    assert certificate(not_after=5).fails_at == 5
    assert certificate(not_after=5, outage_at=3).fails_at == 3
    assert certificate(not_after=5, verdict=V.STALE_IN_MEMORY).fails_at is None


def test_certificate_days_left_count_down_through_zero() -> None:
    assert [
        certificate(not_after=2 * DAY, now=now).values["days_left"]
        for now in (0, DAY, 2 * DAY - 1, 2 * DAY, 2 * DAY + 1)
    ] == [2, 1, 0, 0, -1]


@given(CERTIFICATES)
def test_certificate_values_are_what_the_fields_declare(one: Certificate) -> None:
    """Every field can be asked for in a condition, whatever a host says."""
    chosen = Condition(" && ".join(f"{name} == {name}" for name in FIELDS)).choose([one])
    assert chosen.errors == []
    known = set(one.values) == set(FIELDS)
    assert bool(chosen.certificates) is known


_NEVER = 10**18


def _outage(one: Certificate) -> int:
    return _NEVER if one.fact.outage_at is None else one.fact.outage_at


def _end(one: Certificate) -> int:
    return _NEVER if one.fact.not_after is None else one.fact.not_after


CHOICES: list[tuple[str, Callable[[Certificate], bool]]] = [
    ('verdict == "stale_in_memory"', lambda c: c.verdict is V.STALE_IN_MEMORY),
    (
        "days_left < 30",
        lambda c: c.fact.not_after is not None and c.fact.not_after < c.now + 30 * DAY,
    ),
    ("outage_at < now", lambda c: _outage(c) < c.now),
    (
        'outage_at < now + duration("24h") || confirmed',
        lambda c: (
            c.fact.confirmed or (c.fact.outage_at is not None and c.fact.outage_at < c.now + DAY)
        ),
    ),
    ('"=1+1" in san', lambda c: "=1+1" in c.fact.san),
    ('host.startsWith("web")', lambda c: c.record.host.startswith("web")),
    ("!confirmed", lambda c: not c.fact.confirmed),
]


@pytest.mark.parametrize("at", range(len(CHOICES)))
@settings(max_examples=20)
@given(many=st.lists(CERTIFICATES, max_size=6))
def test_condition_chooses_what_it_says_and_nothing_of_which_nothing_is_known(
    at: int, many: list[Certificate]
) -> None:
    """A time that a host did not tell matches no condition about it."""
    source, means = CHOICES[at]
    chosen = Condition(source).choose(many)
    assert chosen.certificates == [each for each in many if means(each)]
    assert chosen.errors == []


def test_condition_run_time_error_is_never_taken_for_true_and_is_told() -> None:
    """CEL gives its errors as values, which Python takes for true."""
    chosen = Condition('san[3] == "x"').choose([certificate()])
    assert chosen.certificates == []
    assert "web1: " in chosen.errors[0]
    assert Condition("outage_at < now").choose([certificate()]).errors == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ('verdit == "fresh"', "1:1: there is no field 'verdit'; did you mean 'verdict'?"),
        ("foo.bar == 3", "there is no field 'foo'; known are: confirmed, days_left"),
        ("days_left <", "1:12: Syntax error"),
        ("verdict > 3", "1:9: found no matching overload"),
        ("san", "not true or false"),
        ("not_after - now", "not true or false"),
        ('outage_at < now + duration("7d")', "a day is '24h'"),
        ('verdict == "stale"', "there is no verdict 'stale'"),
        ("verdict != 'expird'", "did you mean 'expired'?"),
        ("", "Syntax error"),
        ("true || " * 1000 + "true", "longer than 4000 characters"),
    ],
)
def test_condition_that_is_wrong_is_refused_before_anything_is_read(
    source: str, complaint: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        Condition(source)
    assert complaint in str(caught.value)


@settings(max_examples=60)
@given(
    st.lists(CERTIFICATES, max_size=8), st.sampled_from(list(FIELDS)), st.booleans(), st.randoms()
)
def test_arranged_is_by_the_column_without_values_last_and_the_same_however_they_came(
    many: list[Certificate],
    column: str,
    reverse: bool,  # noqa: FBT001 - one of the cases
    chance: Random,
) -> None:
    arranged = arrange(many, column, reverse=reverse)
    assert sorted(map(id, arranged)) == sorted(map(id, many))
    values = [each.values.get(column) or None for each in arranged]
    if column not in ("verdict", "confirmed", "days_left"):
        known = [value for value in values if value is not None]
        assert values == known + [None] * (len(values) - len(known))
        assert known == sorted(known, reverse=reverse)
    chance.shuffle(many)
    again = arrange(many, column, reverse=reverse)
    assert [e.values.get(column) for e in again] == [e.values.get(column) for e in arranged]


def test_arranged_by_verdict_begins_with_the_gravest() -> None:
    mixed = [certificate(verdict=each) for each in (V.FRESH, V.MISSING, V.EXPIRED)]
    told = [each.verdict for each in arrange(mixed, "verdict")]
    assert told == [V.MISSING, V.EXPIRED, V.FRESH]


def test_arranged_by_a_time_begins_with_the_earliest_and_ends_with_the_unknown() -> None:
    mixed = [certificate(outage_at=at) for at in (7, None, 3)]
    for reverse, wanted in ((False, [3, 7, None]), (True, [7, 3, None])):
        told = [e.values.get("outage_at") for e in arrange(mixed, "outage_at", reverse=reverse)]
        assert told == [to_datetime(at) if at else None for at in wanted]


def test_column_that_is_none_says_which_there_are() -> None:
    with pytest.raises(ConditionError, match="did you mean 'outage_at'"):
        check_column("outage")
