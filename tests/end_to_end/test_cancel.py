"""Taking a run back through the console scripts: from a host that is away, and from one at work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import process
from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import FOLLOW, Desk
from tests.end_to_end.fleet_control import stop
from tests.end_to_end.tally import Tally, write_runbook


@pytest.fixture
def web2_away(fleet: Fleet, web2: FleetHost) -> Iterator[FleetHost]:
    """The second host with its worker stopped; afterwards it is back."""
    stop(fleet, "web2")
    yield web2
    if fleet.services["web2"].process.poll() is not None:
        fleet.start_host("web2")


def test_cancelled_run_of_an_offline_host_does_not_begin_when_it_is_back(
    fleet: Fleet, desk: Desk, web2_away: FleetHost, tmp_path: Path
) -> None:
    """The order lies in the queue when it is cancelled; the tombstone is read first."""
    tally = Tally(web2_away)
    run_id = desk.detach(write_runbook(tmp_path), "--host", "web2").run_id
    told = desk.denrei.must("run", "cancel", run_id, "-m", "wrong host", "--detach").err
    assert "web2: tombstone signed; waits for the host" in told
    assert desk.show(run_id).host("web2")["cancelling"]
    fleet.start_host("web2")
    ended = desk.watch(run_id)
    assert (ended.code, ended.states) == (4, {"web2": "cancelled"})
    assert desk.await_letter("receipt", "--run", run_id, state="cancelled")
    assert desk.await_letter("refusal", "--run", run_id)["payload"]["reason"] == "cancelled"
    assert tally.begun == []
    (cancel,) = desk.letters("cancel", "--run", run_id)
    assert (cancel["payload"]["operator"], cancel["payload"]["reason"]) == ("demo", "wrong host")
    assert desk.denrei.run("audit", "verify").code == 0


def test_cancelled_run_at_work_is_ended_now_with_kill(
    desk: Desk, web1: FleetHost, tmp_path: Path
) -> None:
    """The command that runs is ended, and its step says so."""
    tally = Tally(web1)
    tally.close_gate()
    run_id = desk.detach(write_runbook(tmp_path), "--host", "web1").run_id
    tally.await_begun(run_id)
    program = str(web1.agent.root / "bin" / "tally")
    assert process.with_argument(program)
    done = desk.denrei.run("run", "cancel", run_id, "--kill", "-y", "--timeout", FOLLOW)
    assert done.code == 4, done.err
    ended = desk.show(run_id)
    assert ended.states == {"web1": "cancelled"}
    (step,) = ended.host("web1")["passes"][0]["steps"]
    assert (step["outcome"], step["action"]["signal"]) == ("cancelled", 15)
    assert process.with_argument(program) == []
