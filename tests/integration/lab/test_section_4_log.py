"""Section 4, what an affected host says, and what of it proves something."""

import json
import time
from datetime import UTC, datetime, timedelta

from lab import renewal
from tests.integration.lab.conftest import Site
from tests.waiting import eventually
from worker.observations.timestamp import leading_time


def test_log_of_a_stale_host_goes_on_lying(joined: Site) -> None:
    """The heartbeat line only means "queued"; the 403 line comes once, the warning every time."""
    joined.make_stale()
    before = joined.log
    again = "temporarily failed to flush the buffer"
    heartbeat = "Sending OMS Heartbeat succeeded at"
    eventually(
        lambda: (
            joined.log.count(again) > before.count(again) + 2
            and joined.log.count(heartbeat) > before.count(heartbeat)
            and "topology request success" in joined.log[len(before) :]
        ),
        what="more of the same lines",
    )
    assert joined.log.count("[error]: HTTP Error: (request-id=;") == 1
    assert "class=Net::HTTPForbidden; code=403; message=Forbidden" in joined.log
    assert "Encountered retryable exception. Will retry sending data later." in joined.log
    assert "Certificates successfully renewed" in joined.log


def test_status_file_tells_the_last_upload(joined: Site) -> None:
    """V/log/ODSIngestion.status lies in the primary's log directory."""
    path = joined.host.places.upload_status

    def told() -> tuple[str, str]:
        status = json.loads(path.read_text())
        assert status["operation"] == "ODSIngestion"
        return status["success"], status["message"]

    joined.wait_for_upload(200)
    eventually(lambda: told() == ("true", "Sending success"))
    renewal.renew(joined.host.root, joined.id)
    eventually(lambda: told() == ("false", "Retryable exception"))


def test_unsent_data_is_kept_and_the_oldest_dropped(joined: Site) -> None:
    """At most ten chunks wait; a restart saves what is still in the buffer files."""
    joined.make_stale()
    folder = joined.files.state / "state"
    first = min(folder.glob("out_oms.*.buffer"))
    eventually(lambda: not first.exists(), what="the loss of the oldest chunk")
    assert len(list(folder.glob("out_oms.*.buffer"))) <= 10
    joined.control("restart", joined.id)
    eventually(lambda: not list(folder.glob("out_oms.*.buffer")), what="an empty buffer")


def test_wrong_clock_is_refused_too(joined: Site) -> None:
    """A 403 alone does not prove the incident: clock skew gives one as well."""
    joined.wait_for_upload(200)
    joined.host.configure(clock_skew=1200)
    joined.wait_for_upload(403)
    joined.host.configure(clock_skew=0)
    joined.wait_for_upload(200, since=time.time())


def test_every_line_of_the_log_begins_with_a_time_and_its_zone(joined: Site) -> None:
    """So a runbook can count those since the renewal."""
    joined.wait_for_upload(200)
    now = datetime.now(UTC)
    times = [leading_time(line, now) for line in joined.log.splitlines()]
    assert all(time and abs(now - time) < timedelta(minutes=2) for time in times)
