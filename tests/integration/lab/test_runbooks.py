"""The shipped runbooks on a lab host, carried out by an executor within this process."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contract.certificate import CertificateVerdict
from contract.instant import show_instant
from contract.outcome import StepOutcome
from contract.parameter import ParameterError, bind
from contract.report import Report
from lab.cloud import Cloud
from lab.host import LabHost
from orchestrator.library import Library
from tests.integration.lab.conftest import Site
from tests.unit.worker.systemd_stand_in import systemd, unit
from tests.worker_host import WorkerHost, new_run_id

OK, FAILED = StepOutcome.OK, StepOutcome.FAILED
WAAGENT = "var/lib/waagent"
OMS_EXTENSION = f"{WAAGENT}/Microsoft.EnterpriseCloud.Monitoring.OmsAgentForLinux-1.14.23"
LONG_AGO = "2025-01-01T00:00:00Z"


class Desk:
    """A lab host with an executor, and what its newest report says."""

    def __init__(self, worker: WorkerHost, site: Site) -> None:
        self.worker = worker
        self.site = site
        self.report: Report

    def run(self, name: str, *, key: str = "", **params: Any) -> Report:
        """Carry out a shipped runbook by its name, with the workspace's key if it wants one."""
        text, run_id = Library().find(name).data.decode(), new_run_id()
        sealed = self.worker.sealed(text, run_id, key=key) if key else {}
        letter = self.worker.order(text, run_id=run_id, params=params, sealed_params=sealed)
        self.worker.inbox.put(letter)
        self.worker.work()
        self.report = max(self.worker.heard(Report), key=lambda report: report.counter)
        return self.report

    @property
    def values(self) -> dict[str, Any]:
        return self.report.passes[0].values

    @property
    def failed(self) -> list[str]:
        return [step.name for step in self.report.passes[0].steps if step.outcome is FAILED]

    def incident(self, at: datetime) -> str:
        """Ask whether a moment fits the renewal; the answer is a value and a note alike."""
        self.run("check", incident_at=show_instant(at))
        answer: str = self.values["incident"]
        assert answer in self.report.notes
        return answer

    def be_in_the_public_cloud(self) -> None:
        """Let the identity say so; the agent no longer runs, so its last word stays."""
        self.site.control("stop", self.site.id)
        identity = self.site.files.identity
        text = identity.read_text().replace(self.site.host.cloud.tld, "opinsights.azure.com")
        identity.write_text(text)

    def log(self, at: datetime, line: str) -> None:
        with self.site.files.log.open("a") as file:
            file.write(f"{at:%Y-%m-%d %H:%M:%S} +0000 {line}\n")


@pytest.fixture
def desk(tmp_path: Path, make_host: Callable[[str], LabHost], cloud: Cloud) -> Desk:
    worker, workspace = WorkerHost(tmp_path), cloud.workspace()
    return Desk(worker, Site(make_host("root"), workspace.id, workspace.key))


@pytest.fixture
def old(desk: Desk) -> Desk:
    """An agent that started just now, on a certificate of 345 days ago."""
    desk.site.host.onboard(desk.site.id, desk.site.key, days=20)
    desk.site.wait_for_upload(200)
    return desk


@pytest.fixture
def healthy(desk: Desk) -> Desk:
    """An agent that runs on a certificate of this moment."""
    desk.site.host.onboard(desk.site.id, desk.site.key)
    desk.site.wait_for_upload(200)
    return desk


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def test_check_stale_agent_gets_verdict_evidence_and_advice(healthy: Desk) -> None:
    """The verdict goes to the fleet too; what confirms it is no part of it."""
    healthy.site.host.renew()
    healthy.site.wait_for_upload(403)
    (fact,) = healthy.run("check").certificates
    assert fact.verdict is CertificateVerdict.STALE_IN_MEMORY
    assert fact.path.endswith(f"{healthy.site.id}/certs/oms.crt")
    assert healthy.failed == ["agent runs on the renewed certificate"]
    values = healthy.values
    assert values["verdict"] == CertificateVerdict.STALE_IN_MEMORY
    assert values["outage_at"] == values["not_before"]
    assert values["advice"].startswith("oms/restart loads the renewed certificate: omsagent-")
    assert values["last_upload_succeeded"] == "false"
    assert values["uploaded_since_renewal"] is values["uploaded_since_start"] is False
    assert values["refused_since_renewal"] > 0
    assert values["unsent_chunks"] > 0
    assert values["unsent_bytes"] > 0
    assert healthy.incident(now()).startswith("fits: the certificate was renewed at ")

    healthy.run("restart")
    healthy.site.wait_for_upload(200, since=datetime.now(UTC).timestamp())
    assert healthy.run("check").outcome is OK
    assert healthy.values["verdict"] == CertificateVerdict.FRESH
    assert healthy.values["uploaded_since_renewal"] is True
    assert healthy.values["advice"] == ""


def test_check_counts_only_what_the_log_says_since_the_renewal(old: Desk) -> None:
    """What was refused with an earlier certificate belongs to an earlier incident."""
    renewed = now() - timedelta(days=345)
    old.log(renewed - timedelta(days=1), "[warn]: … code=403 …")
    old.log(renewed + timedelta(days=1), "[warn]: … code=403 …")
    old.log(renewed + timedelta(days=2), "[error]: throwing away old logs.")
    old.run("check")
    assert (old.values["refused_since_renewal"], old.values["lost_since_renewal"]) == (1, 1)


def test_check_incident_is_compared_with_renewal_start_and_log(old: Desk) -> None:
    """The agent of an earlier time is gone, but its log is not."""
    renewed = now() - timedelta(days=345)
    day = timedelta(days=1)
    later = old.incident(now() + timedelta(minutes=1))
    assert later == "can't tell: that moment is still to come"
    earlier = old.incident(renewed - day)
    assert earlier.startswith("does not fit: the certificate was renewed later, at ")
    today = old.incident(datetime.now(UTC))
    assert today.startswith("does not fit: the agent was started at ")
    assert "has used the new certificate since" in today
    between = old.incident(renewed + day)
    assert between.startswith("may fit: the certificate was renewed at ")
    old.log(renewed + timedelta(minutes=1), "[warn]: … code=403 …")
    refused = old.incident(renewed + day)
    assert refused.startswith("fits: the certificate was renewed at ")
    assert "until the agent was started again at " in refused


def test_check_incident_after_the_end_of_the_certificate_has_another_cause(desk: Desk) -> None:
    """And of an agent that no longer runs the log alone tells, of that time and not of later."""
    desk.site.host.onboard(desk.site.id, desk.site.key, days=-1)
    desk.site.wait_for_upload(403)
    today = desk.incident(datetime.now(UTC))
    assert today.startswith("does not fit: the certificate had ended before, at ")
    assert desk.values["advice"].startswith("oms/reonboard helps, and no restart: ")
    desk.site.control("stop", desk.site.id)
    earlier = now() - timedelta(days=9)
    assert desk.incident(earlier).startswith("may fit: the certificate was renewed at ")
    desk.log(earlier, "[warn]: … code=403 …")
    answer = desk.incident(earlier)
    assert answer.startswith("fits: the certificate was renewed at ")
    assert answer.endswith("uploads were refused (403) from then until the agent stopped")


def test_check_incident_that_is_no_moment_is_refused_by_name() -> None:
    runbook = Library().find("check").load()
    with pytest.raises(ParameterError, match="incident_at: 'yesterday' is not a moment"):
        bind(runbook.parameters, {"incident_at": "yesterday"})


def test_check_agent_of_the_extension_gets_a_warning_and_reonboard_refuses(old: Desk) -> None:
    """A fight that nobody wins: restart is fine, a new onboarding would be undone."""
    (old.site.host.root / OMS_EXTENSION).mkdir(parents=True)
    assert old.run("check").outcome is OK
    assert [note for note in old.report.notes if "Azure VM extension manages" in note]
    assert old.run("restart").outcome is OK
    assert [note for note in old.report.notes if "Azure VM extension manages" in note]
    old.run("reonboard", key=old.site.key, domain=old.site.host.cloud.tld)
    (refused,) = [step for step in old.report.passes[0].steps if step.outcome is FAILED]
    assert "!extension.exists" in refused.reason
    assert old.site.files.identity.exists()


def test_check_after_the_end_of_the_public_service_says_migrate(healthy: Desk) -> None:
    """There neither restart nor reonboard helps; elsewhere that date means nothing."""
    assert healthy.run("check", service_ends_at=LONG_AGO).outcome is OK
    healthy.be_in_the_public_cloud()
    status = healthy.site.host.places.upload_status
    status.write_text(json.dumps({"operation": "ODSIngestion", "success": "false"}))
    healthy.run("check", service_ends_at=LONG_AGO)
    assert "the service takes uploads" in healthy.failed
    assert healthy.values["advice"].startswith("migrate: since 2025-01-01T00:00:00Z")
    healthy.run("check", service_ends_at="2999-01-01T00:00:00Z")
    assert "the service takes uploads" not in healthy.failed


def test_check_upload_after_the_end_of_the_service_outweighs_the_date(healthy: Desk) -> None:
    """What was seen says more than what the press wrote."""
    healthy.be_in_the_public_cloud()
    healthy.run("check", service_ends_at=LONG_AGO)
    assert healthy.failed == ["agent is running", "agent runs on the renewed certificate"]
    assert healthy.values["advice"] == "oms/restart starts the agent, which does not run"


BOTH = "data is sent once, not by both agents"
RUNS = "the Azure Monitor Agent runs"
SUPPORT = "no agent without support is in use"


@pytest.mark.parametrize(
    ("state", "said", "failed"),
    [
        ("", "not begun: ", [SUPPORT, "the Azure Monitor Agent is there"]),
        ("failed", "the Azure Monitor Agent is there but does not run", [SUPPORT, RUNS]),
        ("active", "both agents run: ", [SUPPORT, BOTH]),
    ],
)
def test_migrate_host_with_the_old_agent_is_told_what_is_left(
    healthy: Desk, state: str, said: str, failed: list[str]
) -> None:
    """Both at once send everything twice."""
    units = systemd(healthy.worker.root)
    if state:
        unit(units, "azuremonitoragent.service", ActiveState=state)
    healthy.run("oms/migrate")
    assert healthy.values["migration"].startswith(said)
    assert healthy.failed == failed


def test_migrate_host_without_the_old_agent_has_nothing_left_to_do(desk: Desk) -> None:
    """With its successor, or with neither of them."""
    units = systemd(desk.worker.root)
    assert desk.run("oms/migrate").outcome is OK
    assert desk.values["migration"] == "neither agent is in use"
    unit(units, "azuremonitoragent.service")
    assert desk.run("oms/migrate").outcome is OK
    assert desk.values["migration"].startswith("done: the Azure Monitor Agent runs")
