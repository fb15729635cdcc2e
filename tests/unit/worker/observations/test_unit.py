"""The observation unit, as systemctl tells it; what systemd itself says was tried in a real one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.probe import Process, Unit
from tests.unit.worker.children import child, script
from tests.unit.worker.systemd_stand_in import systemd, unit
from worker.observations.observation import Fields, ObservationError
from worker.observations.process import observe_process
from worker.observations.unit import observe_unit
from worker.root import Root
from worker.systemd import SystemdError


def look(root: Path, name: str = "web.service") -> Fields:
    return observe_unit(Unit(name=name), Root(root))


def test_observe_a_running_unit_gives_every_field(tmp_path: Path) -> None:
    with child("x") as pid:
        unit(systemd(tmp_path), "web.service", MainPID=pid, NRestarts=3)
        fields = look(tmp_path)
        (tmp_path / "pid").write_text(str(pid))
        process = observe_process(Process(pid_file="/pid"), Root(tmp_path))
    started_at, seen_at = fields.pop("started_at"), process["started_at"]
    assert isinstance(started_at, datetime)
    assert isinstance(seen_at, datetime)
    assert abs((started_at - seen_at).total_seconds()) < 0.01  # never two truths about one start
    assert fields == {
        "exists": True,
        "active": True,
        "active_state": "active",
        "sub_state": "running",
        "load_state": "loaded",
        "unit_file_state": "enabled",
        "enabled": True,
        "main_pid": pid,
        "started": True,
        "n_restarts": 3,
        "fragment_path": "/lib/systemd/system/web.service",
    }


def test_observe_a_unit_that_ended_tells_its_start_to_the_second(tmp_path: Path) -> None:
    stopped = {"ActiveState": "failed", "UnitFileState": "static"}
    start = "Wed 2026-11-25 15:13:24 UTC"
    unit(systemd(tmp_path), "web.service", ExecMainStartTimestamp=start, **stopped)
    fields = look(tmp_path)
    assert fields["started_at"] == datetime(2026, 11, 25, 15, 13, 24, tzinfo=UTC)
    assert (fields["active"], fields["enabled"], fields["main_pid"]) == (False, False, 0)


def test_observe_a_unit_that_never_started_has_no_start(tmp_path: Path) -> None:
    unit(systemd(tmp_path), "web.service", ActiveState="inactive")
    assert look(tmp_path)["started"] is False
    assert "started_at" not in look(tmp_path)


def test_observe_a_unit_without_a_main_process_is_seen(tmp_path: Path) -> None:
    """A timer or a target has no such properties at all."""
    units = systemd(tmp_path)
    (units / "x.timer").write_text(
        "LoadState=loaded\nActiveState=active\nSubState=waiting\nUnitFileState=\nFragmentPath=/x\n"
    )
    fields = look(tmp_path, "x.timer")
    assert (fields["active"], fields["main_pid"], fields["started"]) == (True, 0, False)


def test_observe_a_missing_unit_is_knowledge(tmp_path: Path) -> None:
    systemd(tmp_path)
    assert look(tmp_path) == {"exists": False}


def test_observe_asks_with_the_name_behind_all_options(tmp_path: Path) -> None:
    script(tmp_path / "bin/systemctl", 'echo "$@" >&2; exit 1')
    with pytest.raises(SystemdError, match=r"show --property=.* -- -H$"):
        look(tmp_path, "-H")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("echo 'System has not been booted with systemd' >&2; exit 1", "not been booted"),
        ("exit 0", "no answer"),
        ("echo LoadState=loaded", "no answer"),
    ],
)
def test_observe_where_systemd_does_not_answer_is_unknown(
    tmp_path: Path, text: str, problem: str
) -> None:
    script(tmp_path / "usr/bin/systemctl", text)
    with pytest.raises(SystemdError, match=f"can't ask systemd for web.service: .*{problem}"):
        look(tmp_path)


def test_observe_without_systemctl_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(SystemdError, match="no such program"):
        look(tmp_path)


def test_observe_a_time_that_can_not_be_read_is_unknown(tmp_path: Path) -> None:
    unit(systemd(tmp_path), "web.service", ExecMainStartTimestamp="some day")
    with pytest.raises(ObservationError, match="'some day'"):
        look(tmp_path)
