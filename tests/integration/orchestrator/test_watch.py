"""Noticing that somebody else changed the store."""

import threading
import time

from tests.orchestrator_house import House


def test_watch_change_by_another_is_noticed_at_once(house: House) -> None:
    watch = house.store.watch()
    submitter = threading.Timer(0.1, house.submit)
    submitter.start()
    begun = time.monotonic()
    assert watch.wait(10)
    submitter.join()
    assert time.monotonic() - begun < 2
    watch.close()


def test_watch_change_before_the_wait_is_not_missed(house: House) -> None:
    watch = house.store.watch()
    house.submit()
    assert watch.wait(0)
    assert not watch.wait(0.05)
    watch.close()
