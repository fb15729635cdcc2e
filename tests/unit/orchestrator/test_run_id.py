"""Run ids."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from contract.order import RunId
from orchestrator.run_id import least_run_id, new_run_id

MOMENTS = st.integers(min_value=0, max_value=2**48 - 1)


@given(MOMENTS)
def test_run_id_any_moment_is_what_orders_accept(moment: int) -> None:
    assert msgspec.convert(new_run_id(moment), RunId)


@given(MOMENTS, MOMENTS)
def test_run_id_of_different_moments_sort_as_the_moments(one: int, other: int) -> None:
    if one != other:
        assert (new_run_id(one) < new_run_id(other)) == (one < other)


@given(MOMENTS, MOMENTS)
def test_run_id_least_of_a_moment_parts_what_is_older(moment: int, made: int) -> None:
    assert (new_run_id(made) >= least_run_id(moment)) == (made >= moment)


def test_run_id_least_of_a_moment_before_1970_is_the_least_of_all() -> None:
    assert least_run_id(-1) == least_run_id(0) == "0" * 26


def test_run_id_same_moment_differs() -> None:
    assert len({new_run_id(1) for _ in range(1000)}) == 1000


def test_run_id_known_moment_is_written_as_the_specification_says() -> None:
    assert new_run_id(1469918176385).startswith("01ARYZ6S41")
