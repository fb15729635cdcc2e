"""The action unit: systemctl is asked, and what it says is told."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from contract.action import Unit
from tests.unit.worker.systemd_stand_in import systemd, unit
from worker.actions.action import ActionResult, Context
from worker.actions.unit import control_unit
from worker.root import Root

Verb = Literal["start", "stop", "restart", "reload"]


def act(root: Path, verb: Verb, name: str = "web.service") -> ActionResult:
    return control_unit(Unit(name=name, verb=verb), Context(Root(root), timedelta(seconds=10)))


@pytest.mark.parametrize("verb", ["start", "stop", "restart", "reload"])
@pytest.mark.parametrize("place", ["usr/bin/systemctl", "bin/systemctl"])
def test_control_asks_systemctl_wherever_it_is(tmp_path: Path, verb: Verb, place: str) -> None:
    unit(systemd(tmp_path, place), "web.service")
    assert act(tmp_path, verb).summary == "exit code 0"
    assert (tmp_path / "asked").read_text() == f"--no-ask-password {verb} -- web.service\n"


def test_control_of_a_missing_unit_tells_what_systemctl_said(tmp_path: Path) -> None:
    systemd(tmp_path)
    result = act(tmp_path, "restart")
    assert (result.ok, result.summary) == (False, "exit code 5")
    assert result.ending
    assert result.ending.stderr.text == (
        "Failed to restart web.service: Unit web.service not found.\n"
    )


def test_control_without_systemctl_does_not_start(tmp_path: Path) -> None:
    summary = act(tmp_path, "start").summary
    assert summary == f"did not start: no such program: {tmp_path}/usr/bin/systemctl"
