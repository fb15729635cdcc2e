"""The verdict on a host: a table of what was found and what it means."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.clock import Comparison, Taken, compare
from worker.courier_state import CourierState
from worker.ledger_view import Standing
from worker.liveness import Holder
from worker.rest import ASLEEP
from worker.status import Facts, Life, judge

NOW = 1_800_000_000_000
WORD = CourierState(
    pid=7,
    boot_id="this boot",
    said_at=NOW - 5_000,
    said_s=995.0,
    connected=True,
    heard_at=NOW - 8_000,
    heard_s=992.0,
)
LEDGER = Standing(0, 0, 0, None, "", 4096, 10**9)
WELL = Facts(
    host="web1",
    worker="0.1.0",
    now=NOW,
    boot_id="this boot",
    boot_s=1000.0,
    courier=Holder(7, stopped=False),
    executor=Holder(8, stopped=False),
    word=WORD,
    inbox=0,
    outbox=0,
    ledger=LEDGER,
)


def word(**changes: Any) -> CourierState:
    return msgspec.structs.replace(WORD, **changes)


def test_host_on_which_all_is_well_raises_no_concern() -> None:
    status = judge(WELL)
    assert status.concerns == []
    assert (status.connected, status.said_s, status.self_ping_s) == (True, 5.0, 8.0)


def test_host_whose_executor_sleeps_is_well() -> None:
    status = judge(replace(WELL, executor=None, executor_word=ASLEEP))
    assert (status.concerns, status.executor) == ([], Life.ASLEEP)


def test_host_whose_courier_seldom_speaks_is_given_the_time_that_it_takes() -> None:
    seldom = word(said_s=800.0, heard_s=790.0, keepalive_s=60.0)
    status = judge(replace(WELL, word=seldom))
    assert (status.concerns, status.connected) == ([], True)


@pytest.mark.parametrize(
    ("changes", "connected", "concern"),
    [
        ({"courier": None}, None, "courier is not running; it last said something 5 s ago"),
        ({"courier": None, "word": None}, None, "the courier is not running"),
        ({"courier": Holder(7, stopped=True)}, None, "the courier is stopped"),
        ({"courier": Holder(9, stopped=False)}, None, "has said nothing yet"),
        ({"word": None}, None, "has said nothing yet"),
        ({"word": word(boot_id="before")}, None, "has said nothing yet"),
        ({"word": word(said_s=900.0)}, None, "has said nothing for 100 s"),
        ({"word": word(connected=False, trouble="no route")}, False, "reach the broker: no route"),
        ({"word": word(connected=None)}, None, "not tried yet"),
        ({"word": word(heard_s=900.0)}, True, "heard nothing of its own for 100 s"),
        ({"word": word(heard_s=700.0, keepalive_s=60.0)}, True, "nothing of its own for 300 s"),
        (
            {"executor": None, "executor_word": ASLEEP, "oldest_s": 61.0},
            True,
            "the executor has not taken a letter that came 61 s ago",
        ),
        ({"word": word(heard_at=None)}, True, "heard nothing of its own through the broker yet"),
        ({"executor": None}, True, "the executor is not running"),
        ({"executor": Holder(8, stopped=True)}, True, "the executor is stopped"),
        ({"inbox": 1, "oldest_s": 90.0}, True, "has not taken a letter that came 90 s ago"),
        ({"ledger": None, "ledger_trouble": "no ledger at x"}, True, "no ledger at x"),
        ({"ledger": replace(LEDGER, damage="row 3")}, True, "damaged: row 3"),
        ({"ledger": replace(LEDGER, free=1024)}, True, "only 1 KiB left"),
        ({"clock": Comparison(-61_000, "RUN", NOW)}, True, "behind by at least 61 s"),
    ],
)
def test_what_needs_a_look_is_said_and_only_that(
    changes: dict[str, Any], *, connected: bool | None, concern: str
) -> None:
    status = judge(replace(WELL, **changes))
    (said,) = status.concerns
    assert concern in said
    assert status.connected is connected


def test_wall_clock_that_was_set_does_not_age_the_couriers_word() -> None:
    status = judge(replace(WELL, now=NOW + 3_600_000))
    assert (status.said_s, status.concerns) == (5.0, [])


def test_word_from_before_the_boot_is_dated_by_the_wall_clock() -> None:
    status = judge(replace(WELL, word=word(boot_id="before"), courier=None, boot_s=3.0))
    assert (status.courier, status.said_s) == (Life.NOT_RUNNING, 5.0)


def test_clock_is_compared_with_nothing_while_there_is_no_order() -> None:
    assert compare(NOW, []) is None


def test_clock_is_ahead_at_most_by_the_quickest_order() -> None:
    orders = [Taken("SLOW", NOW - 9000, NOW - 1000), Taken("QUICK", NOW - 8000, NOW - 7900)]
    assert compare(NOW, orders) == Comparison(100, "QUICK", NOW - 8000)


def test_clock_set_back_since_the_last_order_is_behind_it() -> None:
    assert compare(NOW, [Taken("RUN", NOW + 5000, NOW + 5100)]) == Comparison(
        -5000, "RUN", NOW + 5000
    )


@given(st.integers(-50_000, 50_000), st.lists(st.integers(0, 10_000), min_size=1, max_size=5))
def test_clock_comparison_never_claims_more_than_is_true(skew: int, ways: list[int]) -> None:
    """Whatever the orders' ways took: behind by at least, ahead by at most."""
    orders = [Taken(str(i), NOW + i, NOW + i + way + skew) for i, way in enumerate(ways)]
    found = compare(NOW + 100_000 + skew, orders)
    assert found is not None
    assert found.skew_ms >= skew
