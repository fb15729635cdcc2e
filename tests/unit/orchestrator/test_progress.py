"""How letters move a host run."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contract.outcome import TERMINAL, HostRunState, StepOutcome
from contract.report import Receipt, Refusal, Report
from orchestrator.progress import GRACE_MS, advance
from orchestrator.store.incoming import Standing
from orchestrator.store.record import HostRun

RUN = "0" * 26
DIGEST = "a" * 64
TIMEOUT_MS = 10_000
QUEUED = HostRun(
    run_id=RUN, host="web1", epoch=1, state=HostRunState.QUEUED, order_sha256=DIGEST, expires_at=99
)


def receipt(state: HostRunState, at: int = 5) -> Receipt:
    return Receipt(
        host="web1", epoch=1, keyring=1, run_id=RUN, order_sha256=DIGEST, state=state, at=at
    )


def report(state: HostRunState, outcome: StepOutcome | None) -> Report:
    return Report(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=RUN,
        order_sha256=DIGEST,
        counter=1,
        state=state,
        outcome=outcome,
        check=False,
        accepted_at=4,
        started_at=5,
        ended_at=6,
        passes=[],
    )


def refusal(reason: str) -> Refusal:
    return Refusal(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=RUN,
        letter_sha256=DIGEST,
        reason=reason,
        detail="no",
        at=5,
    )


DELIVERED, RUNNING = receipt(HostRunState.DELIVERED, 4), receipt(HostRunState.RUNNING, 5)
TOMBSTONE = "c" * 64
BURIED = replace(receipt(HostRunState.CANCELLED), cancel_sha256=TOMBSTONE)
SUCCEEDED = report(HostRunState.SUCCEEDED, StepOutcome.CHANGED)
STOPPED = report(HostRunState.CANCELLED, StepOutcome.CANCELLED)
REFUSED, TOO_LATE, TAKEN_BACK = map(refusal, ("policy_runbook", "expired", "cancelled"))
CANCELLING = replace(QUEUED, cancel_sha256=TOMBSTONE, reason="being cancelled by alice")


def after(host_run: HostRun, *messages: Receipt | Report | Refusal) -> HostRun:
    for message in messages:
        standing = Standing(host_run=host_run, timeout_ms=TIMEOUT_MS)
        host_run = advance(standing, message, now=1000, report="")
    return host_run


@pytest.mark.parametrize("order", list(permutations([DELIVERED, RUNNING, SUCCEEDED])))
def test_host_run_letters_in_any_order_end_as_the_report_says(
    order: tuple[Receipt | Report, ...],
) -> None:
    assert after(QUEUED, *order) == after(QUEUED, SUCCEEDED)


@pytest.mark.parametrize("order", list(permutations([DELIVERED, RUNNING, STOPPED])))
def test_host_run_that_was_stopped_ends_cancelled_whatever_comes_first(
    order: tuple[Receipt | Report, ...],
) -> None:
    ended = after(CANCELLING, *order)
    assert (ended.state, ended.outcome) == (HostRunState.CANCELLED, StepOutcome.CANCELLED)


@pytest.mark.parametrize("order", list(permutations([BURIED, TAKEN_BACK, TOO_LATE])))
def test_host_run_buried_before_its_order_came_ends_cancelled_whatever_comes_first(
    order: tuple[Receipt | Refusal, ...],
) -> None:
    ended = after(CANCELLING, *order)
    assert (ended.state, ended.cancelling) == (HostRunState.CANCELLED, False)
    assert ended.cancel_answered_at == 1000


@pytest.mark.parametrize("order", list(permutations([BURIED, TAKEN_BACK, RUNNING, SUCCEEDED])))
def test_host_run_reported_as_done_outweighs_every_word_that_it_was_cancelled(
    order: tuple[Receipt | Report | Refusal, ...],
) -> None:
    assert after(CANCELLING, *order).state is HostRunState.SUCCEEDED


def test_host_run_accepted_is_not_cancelled_by_the_word_that_it_never_came() -> None:
    """Such a word is then of another copy, or of a ledger that has forgotten."""
    assert after(CANCELLING, RUNNING, BURIED).state is HostRunState.RUNNING


@pytest.mark.parametrize("state", [HostRunState.EXPIRED, HostRunState.QUEUED])
def test_host_run_that_never_came_is_cancelled_also_after_we_ceased_to_wait(
    state: HostRunState,
) -> None:
    ended = after(replace(CANCELLING, state=state, ended_at=7), BURIED)
    assert (ended.state, ended.ended_at) == (HostRunState.CANCELLED, 1000)


def test_host_run_whose_host_has_the_tombstone_is_noted_as_answered_and_goes_on() -> None:
    taken = replace(RUNNING, cancel_sha256=TOMBSTONE)
    running = after(CANCELLING, taken)
    assert (running.state, running.cancelling) == (HostRunState.RUNNING, True)
    assert running.cancel_answered_at == 1000


def test_host_run_whose_cancel_is_refused_says_why_and_goes_on() -> None:
    refused = replace(refusal("wrong_role"), letter_sha256=TOMBSTONE)
    once, twice = after(CANCELLING, refused), after(CANCELLING, refused, refused)
    assert once == twice
    assert (once.state, once.cancel_answered_at) == (HostRunState.QUEUED, 1000)
    assert once.reason == "being cancelled by alice (refused: wrong_role: no)"


LETTERS = st.lists(
    st.sampled_from([DELIVERED, RUNNING, BURIED, SUCCEEDED, REFUSED, TOO_LATE, TAKEN_BACK])
)


@given(LETTERS, LETTERS, st.sampled_from(sorted(HostRunState)))
def test_host_run_reported_once_stays_as_reported(
    before: list[Receipt], later: list[Receipt], guess: HostRunState
) -> None:
    """Neither what came before the first report nor what comes after it matters."""
    begun = HostRun(
        run_id=RUN,
        host="web1",
        epoch=1,
        state=guess,
        order_sha256=DIGEST,
        expires_at=99,
        ended_at=7,
    )
    ended = after(begun, *before, SUCCEEDED, *later)
    assert (ended.state, ended.outcome, ended.accepted_at, ended.ended_at) == (
        HostRunState.SUCCEEDED,
        StepOutcome.CHANGED,
        4,
        1000,
    )


@given(LETTERS, LETTERS)
def test_host_run_that_ended_never_opens_again(first: list[Receipt], more: list[Receipt]) -> None:
    ended = after(QUEUED, *first)
    if ended.state in TERMINAL:
        assert after(ended, *more).state in TERMINAL


@given(LETTERS)
def test_host_run_letters_twice_in_a_row_change_nothing_more(letters: list[Receipt]) -> None:
    twice = [message for message in letters for _ in range(2)]
    assert after(QUEUED, *twice) == after(QUEUED, *letters)


def test_host_run_first_receipt_sets_the_deadline() -> None:
    running = after(QUEUED, RUNNING)
    assert (running.state, running.accepted_at) == (HostRunState.RUNNING, 5)
    assert running.deadline_at == 1000 + TIMEOUT_MS + GRACE_MS


def test_host_run_waiting_its_turn_may_begin_until_it_expires() -> None:
    """Behind other runs, or for a lock: nobody knows how long, but no order begins later."""
    waiting = after(replace(QUEUED, expires_at=500_000), DELIVERED)
    assert waiting.deadline_at == 500_000 + TIMEOUT_MS + GRACE_MS


def test_host_run_running_does_not_go_back_to_delivered() -> None:
    assert after(QUEUED, RUNNING, DELIVERED).state is HostRunState.RUNNING


@pytest.mark.parametrize(
    ("message", "state"), [(REFUSED, HostRunState.REFUSED), (TOO_LATE, HostRunState.EXPIRED)]
)
def test_host_run_refused_by_the_host_says_why(message: Refusal, state: HostRunState) -> None:
    ended = after(QUEUED, message)
    assert (ended.state, ended.reason) == (state, f"{message.reason}: no")


def test_host_run_taken_by_the_host_is_not_refused_by_a_later_copy() -> None:
    assert after(QUEUED, RUNNING, REFUSED).state is HostRunState.RUNNING


def test_host_run_expired_but_accepted_is_unknown_until_the_report() -> None:
    expired = HostRun(
        run_id=RUN,
        host="web1",
        epoch=1,
        state=HostRunState.EXPIRED,
        order_sha256=DIGEST,
        expires_at=99,
    )
    assert after(expired, RUNNING).state is HostRunState.UNKNOWN
    assert after(expired, RUNNING, SUCCEEDED).state is HostRunState.SUCCEEDED


def test_host_run_report_of_unknown_stays_although_another_comes() -> None:
    first = report(HostRunState.UNKNOWN, StepOutcome.UNKNOWN)
    assert after(QUEUED, first, SUCCEEDED).state is HostRunState.UNKNOWN


def test_host_run_report_that_is_not_an_end_is_ignored() -> None:
    assert after(QUEUED, report(HostRunState.RUNNING, None)) == QUEUED
