"""Dropped messages are told of, and a flood of them is told of in a few lines."""

import pytest

from contract.drops import Drops


def test_first_dropped_message_is_told_of_at_once(caplog: pytest.LogCaptureFixture) -> None:
    Drops().note("not JSON")
    assert caplog.messages == ["dropped a message that is not JSON; so far 1"]


def test_flood_of_dropped_messages_is_counted_and_told_of_once_a_second(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("contract.drops.time.monotonic", lambda: now[0])
    drops = Drops()
    for _ in range(10_000):
        drops.note("malformed")
    now[0] += 1.0
    drops.note("malformed")
    assert len(caplog.messages) == 2
    assert caplog.messages[-1] == "dropped a message that is malformed; so far 10001"
