"""Periodic checks: the clock fires ordinary runs, signed by an identity of their own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.tally import Tally, write_runbook
from tests.waiting import eventually

SCHEDULES = """\
schedules:
  - name: often
    runbook: tally
    targets: {hosts: [web1]}
    every: 2s
"""


@pytest.fixture
def schedules(fleet: Fleet) -> Iterator[Path]:
    """The file of schedules, with one that fires every two seconds; emptied at the end."""
    write_runbook(fleet.home / "runbooks")
    path = fleet.home / "schedules.yaml"
    path.write_text(SCHEDULES)
    yield path
    path.write_text("schedules: []\n")


@pytest.mark.timeout(90)
def test_schedule_fires_runs_that_are_signed_recorded_and_listed(
    desk: Desk, web1: FleetHost, schedules: Path
) -> None:
    """Runs by beat, via beat, one per moment, each reported by the host."""
    tally = Tally(web1)
    fired = eventually(
        lambda: [run for run in desk.runs() if run["schedule"] == "often"][1:],
        within=30,
        what="two runs of the schedule",
    )[0]
    assert (fired["operator"], fired["via"]) == ("beat", "beat")
    ended = desk.watch(fired["id"])
    assert (ended.code, ended.outcomes) == (0, {"web1": "changed"})
    assert tally.begun.count(fired["id"]) == 1
    (order,) = desk.letters("order", "--run", fired["id"])
    assert (order["payload"]["operator"], order["payload"]["via"]) == ("beat", "beat")

    told = json.loads(desk.denrei.must("schedule", "list", "-o", "json").out)
    (listed,) = told["schedules"]
    assert (listed["name"], listed["runbook"]) == ("often", "tally")
    assert listed["last"]["run_id"] in {run["id"] for run in desk.runs()}
    assert listed["next_at"] > listed["last"]["due_at"]
    assert desk.denrei.run("audit", "verify").code == 0


def test_crooked_schedules_are_told_with_file_line_and_column(desk: Desk, schedules: Path) -> None:
    """Listing names the place; the schedules that were good go on firing."""
    before = len(desk.runs())
    eventually(lambda: len(desk.runs()) > before, within=30, what="a first run")
    schedules.write_text(SCHEDULES.replace("every:", "evry:"))
    said = desk.denrei.run("schedule", "list")
    assert said.code == 2
    assert f"{schedules}:5:" in said.err
    before = len(desk.runs())
    eventually(lambda: len(desk.runs()) > before, within=30, what="another run")
