"""Schedules that fire."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.order import Order, decode
from orchestrator.audit import verify_all
from orchestrator.beat import Beat
from orchestrator.firing import MISSED_MS, Trigger
from orchestrator.schedule import load_schedules
from orchestrator.secret.stored import StoredSecrets
from orchestrator.store.record import Firing, Via
from orchestrator.store.store import Store
from tests.orchestrator_house import RUNBOOK, House
from tests.signing_host import payload_of
from tests.waiting import eventually

EVERY_SECOND = """\
schedules:
  - {name: often, runbook: touch, targets: {all: true}, every: 1s, params: {path: /y}}
"""


@pytest.fixture
def scheduled(house: House) -> House:
    (house.home.runbooks / "touch.yaml").write_bytes(b"unattended: true\n" + RUNBOOK)
    return house


def trigger(house: House, store: Store) -> Trigger:
    return Trigger(house.home, store, house.home.beat_key())


@contextmanager
def beating(house: House) -> Iterator[Beat]:
    stop = threading.Event()
    with house.home.open_store() as store:
        beat = Beat(house.home.schedules, store, trigger(house, store))
        thread = threading.Thread(target=beat.run, args=(stop,))
        thread.start()
        try:
            yield beat
        finally:
            stop.set()
            thread.join(timeout=20)


def slots(house: House, name: str = "often") -> list[int]:
    return [firing.slot for firing in house.store.firings.list(name)]


def test_beat_due_schedule_makes_an_ordinary_run_signed_by_beat(scheduled: House) -> None:
    scheduled.home.schedules.write_text(EVERY_SECOND)
    with beating(scheduled):
        eventually(lambda: slots(scheduled))
    firing = scheduled.store.firings.list("often")[-1]
    assert firing.run_id is not None
    run = scheduled.store.runs.get(firing.run_id)
    assert run is not None
    assert (run.via, run.operator, run.schedule, run.slot) == (
        Via.BEAT,
        "beat",
        "often",
        firing.slot,
    )
    key = scheduled.home.beat_key()
    order = decode(payload_of(scheduled.order(run), key, PayloadType.ORDER), Order)
    assert (order.via, order.params["path"]) == ("beat", "/y")
    assert verify_all(scheduled.store).findings == ()


def test_beat_two_of_them_fire_each_moment_once(scheduled: House) -> None:
    scheduled.home.schedules.write_text(EVERY_SECOND)
    with beating(scheduled), beating(scheduled):
        eventually(lambda: len(slots(scheduled)) >= 3)
    found = slots(scheduled)
    assert len(scheduled.store.runs.list()) == len(found) == len(set(found))
    assert all(slot % 1000 == 0 for slot in found)


def save(house: House, text: str) -> None:
    """Write the schedules as editors do: whoever reads never finds half of them."""
    draft = house.home.schedules.with_suffix(".new")
    draft.write_text(text)
    draft.rename(house.home.schedules)


def test_beat_file_made_wrong_goes_on_with_the_last_good_one(scheduled: House) -> None:
    save(scheduled, EVERY_SECOND)
    with beating(scheduled) as beat:
        eventually(lambda: slots(scheduled))
        save(scheduled, EVERY_SECOND.replace("every", "evry"))
        eventually(lambda: "schedules.yaml:2:5: " in beat.detail)
        fired = len(slots(scheduled))
        eventually(lambda: len(slots(scheduled)) > fired)
        save(scheduled, EVERY_SECOND.replace("often", "other"))
        eventually(lambda: slots(scheduled, "other"))
        assert beat.detail == ""


def test_trigger_schedule_that_can_make_no_run_is_told(house: House) -> None:
    """The runbook is not there: the firing says so, and nothing else happens."""
    house.home.schedules.write_text(EVERY_SECOND)
    (schedule,) = load_schedules(house.home.schedules)
    slot = now_ms()
    trigger(house, house.store).fire(schedule, slot)
    (firing,) = house.store.firings.list("often")
    assert (firing.slot, firing.run_id) == (slot, None)
    assert "no runbook 'touch'" in firing.error
    assert house.store.runs.list() == []


def test_trigger_seals_a_stored_secret_that_nobody_is_there_to_give(scheduled: House) -> None:
    """And once it is removed, the firing says what is missing."""
    stored = StoredSecrets.of(scheduled.home, scheduled.store)
    stored.set("app-key", "hunter2 & hunter3", "alice")
    with_secret = EVERY_SECOND.replace("params:", 'secrets: {token: "secret:app-key"}, params:')
    scheduled.home.schedules.write_text(with_secret)
    (schedule,) = load_schedules(scheduled.home.schedules)
    trigger(scheduled, scheduled.store).fire(schedule, now_ms())
    (run,) = [summary.run for summary in scheduled.store.runs.list()]
    assert run.secrets == ("token",)
    key = scheduled.home.beat_key()
    order = decode(payload_of(scheduled.order(run), key, PayloadType.ORDER), Order)
    assert list(order.sealed_params) == ["token"]
    stored.remove("app-key")
    trigger(scheduled, scheduled.store).fire(schedule, now_ms() + 1000)
    firing = scheduled.store.firings.list("often")[0]
    assert firing.error == "secret token: no secret 'app-key' is stored"


def test_trigger_moment_long_past_is_told_as_missed_not_made_up_for(scheduled: House) -> None:
    scheduled.home.schedules.write_text(EVERY_SECOND)
    (schedule,) = load_schedules(scheduled.home.schedules)
    trigger(scheduled, scheduled.store).fire(schedule, now_ms() - MISSED_MS - 1000)
    (firing,) = scheduled.store.firings.list("often")
    assert firing.error.startswith("missed")


def test_beat_after_an_outage_fires_once_not_once_per_moment_missed(scheduled: House) -> None:
    scheduled.home.schedules.write_text(EVERY_SECOND.replace("1s", "20s"))
    long_ago = (now_ms() // 20_000 - 10) * 20_000
    last = Firing(schedule="often", slot=long_ago, at=long_ago, error="of an earlier life")
    scheduled.store.firings.note(last)
    with beating(scheduled):
        eventually(lambda: len(slots(scheduled)) >= 2)
    assert len(slots(scheduled)) <= 3
