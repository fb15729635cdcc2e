"""Attacks from the wire: nothing is run that should not be, and nothing believed."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import SigningKey
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.order import letter_digest, sign_message
from contract.outcome import HostRunState, StepOutcome
from contract.publisher import Publisher
from contract.report import Report
from lab.fleet import Fleet, FleetHost
from orchestrator.home import Home
from tests.end_to_end.desk import Answer, Desk
from tests.end_to_end.fleet_control import count_said
from tests.end_to_end.forgery import FORGERIES, alter, read_order
from tests.end_to_end.tally import Tally, write_runbook
from tests.waiting import eventually


@pytest.fixture
def tally(web1: FleetHost) -> Tally:
    return Tally(web1)


@pytest.fixture
def runbook(tmp_path: Path) -> str:
    return write_runbook(tmp_path)


@pytest.fixture
def publisher(fleet: Fleet) -> Iterator[Publisher]:
    """The attacker's hands on the broker."""
    publisher = Publisher(fleet.redis.url)
    yield publisher
    publisher.close()


def order_of(desk: Desk, run: Answer) -> bytes:
    (order,) = desk.letters("order", "--run", run.run_id)
    return str(order["envelope"]).encode()


def refusals_of(desk: Desk, digests: Iterable[str]) -> list[str]:
    """Wait until the record has the host's refusals of these letters; return their reasons."""

    def look() -> list[str]:
        found = desk.letters("refusal", "--host", "web1")
        reasons = {one["payload"]["letter_sha256"]: one["payload"]["reason"] for one in found}
        return [reasons.get(digest, "") for digest in digests]

    return eventually(lambda: all(found := look()) and found, within=20, what="every refusal") or []


def test_forged_orders_are_refused_under_the_hosts_signature_and_not_run(
    fleet: Fleet, desk: Desk, tally: Tally, runbook: str, publisher: Publisher
) -> None:
    """Each refusal stands with its reason in the audit log, and the program ran for one order."""
    run = desk.submit(runbook, "--host", "web1")
    order, key = read_order(order_of(desk, run)), Home.open(fleet.home).operator_key()
    forged = [forge(order, key) for forge in FORGERIES.values()]
    for letter in forged:
        publisher.publish(host_queue("web1"), DELIVER_TASK, letter)
    reasons = refusals_of(desk, [letter_digest(letter) for letter in forged])
    assert reasons == list(FORGERIES)
    assert tally.begun == [run.run_id]
    assert desk.show(run.run_id).states == {"web1": "succeeded"}
    assert desk.denrei.run("audit", "verify").code == 0


def test_replayed_order_is_answered_but_not_run_again(
    desk: Desk, tally: Tally, runbook: str, publisher: Publisher
) -> None:
    """The very same bytes after the end: the host knows them, and does nothing."""
    run = desk.submit(runbook, "--host", "web1")
    publisher.publish(host_queue("web1"), DELIVER_TASK, order_of(desk, run))
    after = desk.submit(runbook, "--host", "web1")  # in line behind the replay
    assert tally.begun == [run.run_id, after.run_id]
    assert desk.show(run.run_id).document == run.document


def test_forged_report_is_not_believed(
    fleet: Fleet, desk: Desk, tally: Tally, runbook: str, publisher: Publisher
) -> None:
    """Neither a stranger's report, nor another host's, nor an altered one ends a run."""
    tally.close_gate()
    run = desk.detach(runbook, "--host", "web1")
    tally.await_begun(run.run_id)
    order = order_of(desk, run)
    stranger = report_on(order, SigningKey.generate())
    neighbour = report_on(order, key_of(fleet.hosts["web2"]))
    own = report_on(order, key_of(fleet.hosts["web1"]))
    log = fleet.services["server"].log
    before = count_said(log, "not_believed")
    for letter in (stranger, neighbour, alter(own, state="failed"), b"no letter at all"):
        publisher.publish(REPORTS_QUEUE, RECORD_TASK, letter)
    eventually(lambda: count_said(log, "not_believed") == before + 4, what="four disbeliefs")
    desk.await_letter("receipt", "--run", run.run_id)
    assert desk.show(run.run_id).states == {"web1": "running"}
    assert desk.letters("report", "--run", run.run_id) == []
    tally.open_gate()
    assert desk.watch(run.run_id).outcomes == {"web1": "changed"}


def key_of(host: FleetHost) -> SigningKey:
    return SigningKey.load(host.directory / "etc/keys/sign.pem")


def report_on(order: bytes, key: SigningKey) -> bytes:
    """A report that speaks for web1 and says that all is well."""
    report = Report(
        host="web1",
        epoch=1,
        keyring=1,
        run_id=read_order(order).run_id,
        order_sha256=letter_digest(order),
        counter=1,
        state=HostRunState.SUCCEEDED,
        outcome=StepOutcome.OK,
        check=False,
        accepted_at=now_ms(),
        started_at=now_ms(),
        ended_at=now_ms(),
        passes=[],
    )
    return sign_message(PayloadType.REPORT, report, key)
