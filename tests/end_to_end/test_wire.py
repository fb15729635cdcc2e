"""The broker is a wire: it may die, forget and repeat; runs end as they should, and run once."""

import shutil
from collections.abc import Iterator

import pytest
import redis

from contract.names import DELIVER_TASK, host_queue
from contract.publisher import Publisher
from lab.fleet import Fleet
from lab.redis import EmbeddedRedis
from tests.end_to_end.desk import Desk
from tests.end_to_end.fleet_control import count_said, start_server, stop
from tests.end_to_end.tally import Tally, write_runbook
from tests.waiting import eventually
from worker.mailbox import Mailbox

HOSTS = ("web1", "web2")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet of this module's own: its broker is treated badly."""
    with Fleet(tmp_path_factory.mktemp("wire"), HOSTS) as running:
        running.await_workers()
        yield running


@pytest.fixture(scope="module")
def runbook(fleet: Fleet) -> str:
    return write_runbook(fleet.home)


@pytest.fixture
def tallies(fleet: Fleet) -> dict[str, Tally]:
    """The counting program on each host, its gate open."""
    return {name: Tally(host) for name, host in fleet.hosts.items()}


def lose_everything(server: EmbeddedRedis) -> None:
    """Kill Redis and start it without its data, as after a lost disk."""
    server.kill()
    shutil.rmtree(server.directory / "appendonlydir")
    server.start()


@pytest.mark.timeout(120)
def test_broker_away_while_hosts_finish_gets_their_reports_when_it_is_back(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """Reports are kept on the hosts until the recorder has acknowledged them."""
    for tally in tallies.values():
        tally.close_gate()
    run = desk.detach(runbook, "--all")
    for tally in tallies.values():
        tally.await_begun(run.run_id)
    fleet.redis.kill()
    for tally in tallies.values():
        tally.open_gate()
    outboxes = [host.directory / "state/outbox" for host in fleet.hosts.values()]
    eventually(lambda: all(list(box.glob("*.keep")) for box in outboxes), what="both reports")
    fleet.redis.start()
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.outcomes) == (0, dict.fromkeys(HOSTS, "changed"))
    eventually(
        lambda: not any(list(box.glob("*.keep")) for box in outboxes),
        within=20,
        what="both reports acknowledged",
    )


def queued(fleet: Fleet, name: str) -> int:
    with redis.Redis.from_url(fleet.redis.url) as client:
        return int(client.llen(host_queue(name)))


def order_of(desk: Desk, run_id: str) -> bytes:
    """The order's exact bytes, as the record has them."""
    (order,) = desk.letters("order", "--run", run_id)
    return str(order["envelope"]).encode()


def publish(fleet: Fleet, queue: str, letter: bytes, *, times: int = 1) -> None:
    publisher = Publisher(fleet.redis.url)
    for _ in range(times):
        publisher.publish(queue, DELIVER_TASK, letter)
    publisher.close()


@pytest.mark.timeout(120)
def test_order_lost_with_the_broker_before_the_host_took_it_is_published_again(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """The host was away when its queue was lost: the same order comes again, and runs once."""
    stop(fleet, "web1")
    run = desk.detach(runbook, "--host", "web1")
    eventually(lambda: queued(fleet, "web1"), what="the order on the queue")
    lose_everything(fleet.redis)
    fleet.start_host("web1")
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.outcomes) == (0, {"web1": "changed"})
    assert tallies["web1"].begun.count(run.run_id) == 1


@pytest.mark.timeout(120)
def test_copies_of_an_order_run_once(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """Copies before, during and after the run are the same order: one run, one report."""
    tally = tallies["web1"]
    already = len(tally.begun)
    tally.close_gate()
    stop(fleet, "web1")
    run = desk.detach(runbook, "--host", "web1")
    eventually(lambda: queued(fleet, "web1"), what="the order on the queue")
    order = order_of(desk, run.run_id)
    publish(fleet, host_queue("web1"), order, times=3)
    fleet.start_host("web1")
    tally.await_begun(run.run_id)
    publish(fleet, host_queue("web1"), order)
    eventually(lambda: not queued(fleet, "web1"), what="the copies fetched")
    tally.open_gate()
    assert desk.watch(run.run_id).outcomes == {"web1": "changed"}
    publish(fleet, host_queue("web1"), order)
    after = desk.submit(runbook, "--host", "web1")  # in line behind the copies
    assert after.outcomes == {"web1": "changed"}
    assert tally.begun[already:] == [run.run_id, after.run_id]
    assert len(desk.letters("report", "--run", run.run_id)) == 1


@pytest.mark.timeout(120)
def test_run_submitted_without_a_broker_waits_for_it_and_is_told_so(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """`--detach` exits 0, following exits 7 at its time-out, and both run when Redis is back."""
    fleet.redis.stop()
    detached = desk.detach(runbook, "--host", "web1")
    assert detached.code == 0
    assert "can't reach the broker" in detached.told
    assert "orders wait until" in detached.told
    followed = desk.submit(runbook, "--host", "web1", follow="2s")
    assert followed.code == 7
    assert followed.states == {"web1": "queued"}
    assert "orders wait until" in followed.told
    assert f"denrei run watch {followed.run_id}" in followed.told
    fleet.redis.start()
    for answer in (detached, followed):
        ended = desk.watch(answer.run_id)
        assert (ended.code, ended.outcomes) == (0, {"web1": "changed"})
        assert tallies["web1"].begun.count(answer.run_id) == 1


@pytest.mark.timeout(120)
def test_run_submitted_without_a_server_waits_for_one_and_is_told_so(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """The run is stored and told with its deadline; it runs once a server is there."""
    stop(fleet, "server")
    detached = desk.detach(runbook, "--host", "web1")
    assert detached.code == 0
    assert "no server is running" in detached.told
    assert "orders wait until" in detached.told
    followed = desk.submit(runbook, "--host", "web1", follow="1s")
    assert (followed.code, followed.states) == (7, {"web1": "queued"})
    assert "no server is running" in followed.told
    start_server(fleet)
    for answer in (detached, followed):
        ended = desk.watch(answer.run_id)
        assert (ended.code, ended.outcomes) == (0, {"web1": "changed"})
        assert tallies["web1"].begun.count(answer.run_id) == 1


@pytest.mark.timeout(120)
def test_offline_host_is_shown_as_queued_until_its_order_expires(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """Expired is neither failed nor ok (exit 4); a host that finds the order later refuses it."""
    stop(fleet, "web1")
    run = desk.detach(runbook, "--host", "web1", "--expires", "6s")
    shown = desk.denrei.must("run", "show", run.run_id).out
    assert "queued" in shown
    assert "expires at" in shown
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.states) == (4, {"web1": "expired"})
    fleet.start_host("web1")
    refusal = desk.await_letter("refusal", "--run", run.run_id)
    assert refusal["payload"]["reason"] == "expired"
    assert desk.show(run.run_id).states == {"web1": "expired"}
    assert run.run_id not in tallies["web1"].begun


@pytest.mark.timeout(120)
def test_report_that_comes_after_the_expiry_replaces_it(
    fleet: Fleet, desk: Desk, runbook: str, tallies: dict[str, Tally]
) -> None:
    """The host took the order in time, but could not say so: what it says later counts."""
    stop(fleet, "web1")
    host = fleet.hosts["web1"]
    log, state = host.directory / "executor.log", host.directory / "state"
    executor = host.worker.start(log, "executor")
    eventually(lambda: count_said(log, "executor_ready"), within=30, what="the executor alone")
    run = desk.detach(runbook, "--host", "web1", "--expires", "6s")
    Mailbox(state / "inbox").put(order_of(desk, run.run_id))  # its courier ended just after this
    outbox = state / "outbox"
    eventually(lambda: list(outbox.glob("*.keep")), within=8, what="the report in the outbox")
    executor.stop()
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.states) == (4, {"web1": "expired"})
    fleet.start_host("web1")
    eventually(
        lambda: desk.show(run.run_id).states == {"web1": "succeeded"},
        within=30,
        what="the late report",
    )
    assert desk.watch(run.run_id).code == 0
    assert tallies["web1"].begun.count(run.run_id) == 1
