"""The shipped runbook cert/scan, carried out by a host."""

from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest

from contract.outcome import StepOutcome
from tests.unit.worker.scan.samples import lay_out
from tests.unit.worker.scan.test_scan import SITE, YEARS, put_pair
from tests.worker_host import WorkerHost

RUNBOOK = resources.files("runbooks").joinpath("cert", "scan.yaml").read_text()
OK, FAILED = StepOutcome.OK, StepOutcome.FAILED
SOON = datetime.now(UTC) + timedelta(days=5)
PAST = datetime.now(UTC) - timedelta(days=5)


@pytest.mark.parametrize(
    ("not_after", "fail_on", "outcome"),
    [
        (YEARS, "any", OK),
        (SOON, "any", FAILED),
        (SOON, "failing", OK),
        (SOON, "nothing", OK),
        (PAST, "any", FAILED),
        (PAST, "failing", FAILED),
        (PAST, "nothing", OK),
    ],
)
def test_fail_on_decides_which_certificate_makes_the_run_fail(
    not_after: datetime, fail_on: str, outcome: StepOutcome, host: WorkerHost
) -> None:
    """Whatever the outcome, the fleet learns of all certificates, and that these are all."""
    put_pair(host.root, "a", not_after=not_after)
    put_pair(host.root, "good")
    text = SITE % ("a", "a") + SITE % ("good", "good")
    lay_out(host.root, {"/etc/nginx/nginx.conf": text})
    report = host.run(RUNBOOK, params={"fail_on": fail_on})
    assert report.outcome == outcome
    paths = [fact.path for fact in report.certificates]
    assert paths == ["/etc/nginx/a.pem", "/etc/nginx/good.pem"]
    assert report.certificates_complete


def test_report_says_what_needs_work(host: WorkerHost) -> None:
    put_pair(host.root, "a").unlink()
    lay_out(host.root, {"/etc/nginx/nginx.conf": SITE % ("a", "a")})
    values = host.run(RUNBOOK).passes[0].values
    assert (values["count"], values["needing_work"], values["worst"]) == (1, 1, "missing")
    gone = host.root / "etc/nginx/a.pem"
    assert values["work"] == [f"/etc/nginx/a.pem: missing: {gone} is not there"]
    assert (values["complete"], values["problems"]) == (True, [])


def test_host_without_any_certificate_is_well(host: WorkerHost) -> None:
    report = host.run(RUNBOOK)
    assert (report.outcome, report.certificates) == (OK, [])
    assert report.certificates_complete
