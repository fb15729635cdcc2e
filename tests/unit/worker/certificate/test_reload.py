"""Reloads by systemd, as its own words tell of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.certificate import CertificateVerdict as Verdict
from contract.probe import CertificateState
from tests.unit.worker.certificate.daemons import issue
from tests.unit.worker.children import child
from tests.unit.worker.systemd_stand_in import systemd, unit
from worker.certificate.fact import to_fact
from worker.certificate.look import look
from worker.certificate.process_witness import reloaded_at
from worker.root import Root


def reload_line(start: str, code: str = "exited", status: str = "0") -> str:
    """How systemd tells of a reload."""
    return (
        "{ path=/bin/kill ; argv[]=/bin/kill -HUP $MAINPID ; ignore_errors=no ; "
        f"start_time=[{start}] ; stop_time=[{start}] ; pid=7 ; code={code} ; status={status} }}"
    )


@pytest.mark.parametrize(
    ("said", "at"),
    [
        (reload_line("Wed 2026-11-25 18:00:00 UTC"), datetime(2026, 11, 25, 18, tzinfo=UTC)),
        (reload_line("Wed 2026-11-25 18:00:00 UTC", status="1"), None),
        (reload_line("n/a", "(null)", "0/0"), None),
        ("", None),
    ],
    ids=["reloaded", "reload that failed", "not reloaded", "can't be reloaded"],
)
def test_reload_by_systemd_is_seen(tmp_path: Path, said: str, at: datetime | None) -> None:
    unit(systemd(tmp_path), "web.service", ExecReload=said)
    assert reloaded_at("web.service", Root(tmp_path)) == at


def test_unit_that_was_reloaded_after_the_renewal_is_in_use(tmp_path: Path) -> None:
    """To the second, as systemd tells it: the file's change must lie before that second."""
    units = systemd(tmp_path)
    issue().put(tmp_path / "crt")
    arguments = CertificateState(path="/crt", unit="web.service")
    with child() as pid:
        later = f"{datetime.now(UTC) + timedelta(seconds=2):%a %Y-%m-%d %H:%M:%S} UTC"
        unit(units, "web.service", MainPID=pid, ExecReload=reload_line(later))
        state = look(arguments, Root(tmp_path))
    assert (state.verdict, state.confirmed) == (Verdict.FRESH, True)
    assert "reloaded at" in state.reason
    assert to_fact(state, arguments).service == "web.service"
