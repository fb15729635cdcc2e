"""The watchdog: only the courier's own words prove that its connection is alive."""

from tests.waiting import eventually
from worker.watchdog import Watchdog


def test_own_word_ends_the_silence() -> None:
    dog = Watchdog()
    eventually(lambda: dog.silent_s > 0.05)
    dog.sent("mine")
    dog.heard("mine")
    assert dog.silent_s < 0.05


def test_strangers_word_and_an_old_one_prove_nothing() -> None:
    dog = Watchdog()
    dog.sent("mine")
    dog.heard("mine")
    eventually(lambda: dog.silent_s > 0.05)
    dog.heard("a stranger's")
    dog.heard("mine")  # sent again by somebody who saw it
    assert dog.silent_s > 0.05


def test_broker_out_of_reach_is_no_stall() -> None:
    dog = Watchdog()
    eventually(lambda: dog.silent_s > 0.05)
    dog.reached_broker()
    assert dog.silent_s < 0.05
