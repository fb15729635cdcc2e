"""The simulated hosts: as hard to convince as real ones, and as stubborn about their reports."""

from pathlib import Path

import pytest

from benchmarks.simulated.host import SimulatedHost
from benchmarks.simulated.house import House
from benchmarks.simulated.wire import reply
from contract.key import SigningKey
from contract.loader import load_runbook
from orchestrator.recorder import Recorder
from orchestrator.store.record import Kind
from orchestrator.submission import Submission, submit
from orchestrator.verifier import Verifier
from tests.orchestrator_house import OneByOne
from worker.policy_file import read_policy, shipped_policy

RUNBOOK = b"""\
name: look
observe: {it: {file: {path: /x}}}
steps: [{name: it is there, ensure: it.exists}]
"""
NOWHERE = "redis://127.0.0.1:1/0"


class Scene:
    """A home with one simulated host, and an order for it."""

    def __init__(self, directory: Path) -> None:
        self.house = House.build(directory / "home", NOWHERE, 1)
        policy = read_policy(shipped_policy("permissive").encode(), "permissive.yaml")
        self.host = SimulatedHost(self.house.hosts[0], policy)
        self.store = self.house.home.open_store()

    def order(self, key: SigningKey | None = None) -> bytes:
        submission = Submission(
            runbook=load_runbook(RUNBOOK, "look.yaml"),
            source="look.yaml",
            hosts=self.store.hosts.targets(),
            operator=self.house.home.operator,
        )
        run = submit(submission, key or self.house.home.operator_key(), self.store)
        (letter,) = self.store.envelopes.list(run_id=run.run_id, kinds=[Kind.ORDER])
        return letter.data


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_simulated_host_signs_what_the_recorder_believes(scene: Scene) -> None:
    recorder = OneByOne(Recorder(scene.store, scene.house.home.recorder_key(), Verifier()))
    order = scene.order()
    ((_, report),) = scene.host.take(order)
    assert recorder.record(report).acknowledgement
    ((_, receipt),) = scene.host.take(order)
    assert recorder.record(receipt).after
    assert scene.host.refused == 0


def test_simulated_host_refuses_an_order_by_an_unknown_key(scene: Scene) -> None:
    """It verifies: what it saves in steps it does not save in signatures."""
    assert list(scene.host.take(scene.order(SigningKey.generate()))) == []
    assert scene.host.refused == 1


def test_simulated_host_repeats_its_report_until_acknowledged(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = OneByOne(Recorder(scene.store, scene.house.home.recorder_key(), Verifier()))
    ((_, report),) = scene.host.take(scene.order())
    assert list(scene.host.again()) == []
    monkeypatch.setattr("time.monotonic", lambda: 10**9)
    assert [text for _, text in scene.host.again()] == [report]
    acknowledgement = recorder.record(report).acknowledgement
    assert acknowledgement
    assert list(scene.host.take(acknowledgement.data)) == []
    monkeypatch.setattr("time.monotonic", lambda: 10**10)
    assert list(scene.host.again()) == []


def test_reply_of_redis_is_read_however_it_is_cut() -> None:
    """Nothing is taken for whole before it is; a time-out is an answer without a message."""
    whole = b"*2\r\n$6\r\nhost.a\r\n$8\r\na\r\nb\r\n\r\n\r\n"
    assert reply(whole) == b"a\r\nb\r\n\r\n"
    assert [reply(whole[:end]) for end in range(len(whole))] == [None] * len(whole)
    assert reply(b"*-1\r\n") == b""
