"""Letters as they come, many at a time: each is believed, stored and answered by itself."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from contract.key import SigningKey, VerifyKey
from contract.names import PING_TASK, PRESENCE_TASK, RECORD_TASK, host_queue
from contract.outcome import HostRunState
from contract.post import Received
from lab.redis import EmbeddedRedis
from orchestrator.attendance import Attendance
from orchestrator.recorder import Recorder
from orchestrator.recording import FIRST_PART, PART, Recording
from orchestrator.store.record import Kind
from orchestrator.verifier import Verifier
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.waiting import eventually


class Stumbling:
    """A key that fails, in a way that nobody foresaw, the first times that it is asked."""

    def __init__(self, key: SigningKey, times: int) -> None:
        self._key, self._left = key, times

    @property
    def public(self) -> VerifyKey:
        return self._key.public

    def sign(self, message: bytes) -> bytes:
        if self._left:
            self._left -= 1
            raise RuntimeError
        return self._key.sign(message)


def recording(house: House, stumbles: int = 0) -> Recording:
    key = Stumbling(house.home.recorder_key(), stumbles)
    return Recording(
        Recorder(house.store, key, Verifier()), house.home.broker, Attendance(house.store)
    )


def stored(house: House, kind: Kind) -> list[str]:
    return [letter.host for letter in house.store.envelopes.list(kinds=[kind])]


@pytest.fixture
def letters(live_house: House) -> list[bytes]:
    """A report of each of two hosts about the same run."""
    run = live_house.submit()
    return [live_house.hosts[name].report(live_house.order(run, name)) for name in ("web1", "web2")]


@pytest.fixture
def answers(clean_redis: EmbeddedRedis) -> Iterator[dict[str, QueueReader]]:
    readers = {name: QueueReader(clean_redis.url, host_queue(name)) for name in ("web1", "web2")}
    yield readers
    for reader in readers.values():
        reader.__exit__()


def test_letters_that_come_together_are_each_stored_and_acknowledged(
    live_house: House, letters: list[bytes], answers: dict[str, QueueReader]
) -> None:
    words = [Received(RECORD_TASK, letter.decode()) for letter in letters]
    strange = [Received(PING_TASK, "x"), Received(PRESENCE_TASK, "{}"), Received(RECORD_TASK, "{}")]
    recording(live_house).take([words[0], *strange, words[1], words[0]])
    assert stored(live_house, Kind.REPORT) == ["web1", "web2"]
    assert len(answers["web1"].take()) == 2  # the repeated one is answered again
    assert len(answers["web2"].take()) == 1


@pytest.mark.parametrize("is_late", [False, True])
def test_receipt_and_report_in_one_batch_end_alike_in_either_sequence(
    live_house: House, *, is_late: bool
) -> None:
    run, host = live_house.submit(), live_house.hosts["web1"]
    order = live_house.order(run)
    both = [host.receipt(order, HostRunState.RUNNING), host.report(order)]
    batch = both[::-1] if is_late else both
    recording(live_house).take([Received(RECORD_TASK, each.decode()) for each in batch])
    assert live_house.state(run) is HostRunState.SUCCEEDED


def test_letter_that_nobody_foresaw_keeps_no_other_out(
    live_house: House, letters: list[bytes], answers: dict[str, QueueReader]
) -> None:
    """It is told and dropped; the recorder goes on, and so do those that came with it."""
    words = [Received(RECORD_TASK, letter.decode()) for letter in letters]
    recording(live_house, stumbles=2).take(words)  # over both, and over the first by itself
    assert stored(live_house, Kind.REPORT) == ["web2"]
    assert answers["web1"].take() == []
    assert len(answers["web2"].take()) == 1


def test_flood_is_recorded_whole_but_for_what_must_not_be_believed(live_house: House) -> None:
    """Its later parts are verified by another process, as soon as there is one."""
    order, host = live_house.order(live_house.submit()), live_house.hosts["web1"]
    receipts = [host.receipt(order, HostRunState.RUNNING, at) for at in range(4 * PART)]
    words = [Received(RECORD_TASK, each.decode()) for each in receipts]
    forged = replace(words[-2], text=words[-2].text.replace('"sig":"', '"sig":"AAAA')[:-8] + '"}]}')
    with Verifier() as verifier:
        recorder = Recorder(live_house.store, live_house.home.recorder_key(), verifier)
        flooded = Recording(recorder, live_house.home.broker, Attendance(live_house.store))
        flooded.take(words[:FIRST_PART])
        assert verifier.pid is None  # few letters don't pay for it

        def is_helped() -> bool:
            flooded.take(words[:PART])
            return verifier.pid is not None

        eventually(is_helped, what="a process beside")
        flooded.take([*words[PART:-2], forged, words[-1]])
    letters = live_house.store.envelopes.list(kinds=[Kind.RECEIPT])
    assert [each.data for each in letters] == [*receipts[:-2], receipts[-1]]
