"""The whole of it over RabbitMQ, by console scripts: it may die; runs end all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.fleet import Fleet
from lab.rabbit import EmbeddedRabbit
from orchestrator.broker.password import new_password, url_for
from tests.end_to_end.desk import Desk
from tests.end_to_end.tally import Tally, write_runbook
from tests.rabbit_server import emptied
from tests.waiting import eventually

HOSTS = ("web1", "web2")


class RabbitFleet(Fleet):
    """A fleet whose letters go over RabbitMQ."""

    def __init__(self, directory: Path, rabbit: EmbeddedRabbit) -> None:
        super().__init__(directory, HOSTS)
        self.rabbit = rabbit

    def broker(self, _name: str) -> str:
        return url_for(self.rabbit.url, "server", new_password())

    def furnish(self) -> None:
        """Let Denrei make the users: the server's now, each host's as it is enrolled."""
        with (self.home / "denrei.yaml").open("a") as settings:
            settings.write(f"broker_admin: {self.rabbit.api_url}\n")
        self.denrei.must("broker", "apply")


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory, rabbit_server: EmbeddedRabbit
) -> Iterator[RabbitFleet]:
    """A fleet of this module's own: its broker is treated badly."""
    folder = tmp_path_factory.mktemp("rabbit")
    with emptied(rabbit_server) as server, RabbitFleet(folder, server) as running:
        running.await_workers()
        yield running


@pytest.mark.timeout(180)
def test_rabbitmq_killed_in_the_middle_of_a_run_delays_it_and_no_more(
    fleet: RabbitFleet, desk: Desk
) -> None:
    """A check goes round; a run outlives the broker; after it everything is as before."""
    for host in fleet.hosts.values():
        host.agent.onboard(fleet.workspace.id, fleet.workspace.key)
    checked = desk.submit("check", "--all")
    assert (checked.code, checked.outcomes) == (0, dict.fromkeys(HOSTS, "ok"))

    tallies = {name: Tally(host) for name, host in fleet.hosts.items()}
    for tally in tallies.values():
        tally.close_gate()
    run = desk.detach(write_runbook(fleet.home), "--all")
    for tally in tallies.values():
        tally.await_begun(run.run_id)
    fleet.rabbit.kill()
    for tally in tallies.values():
        tally.open_gate()
    outboxes = [host.directory / "state/outbox" for host in fleet.hosts.values()]
    eventually(lambda: all(list(box.glob("*.keep")) for box in outboxes), what="both reports")
    fleet.rabbit.start()
    ended = desk.watch(run.run_id)
    assert (ended.code, ended.outcomes) == (0, dict.fromkeys(HOSTS, "changed"))
    assert all(tally.begun.count(run.run_id) == 1 for tally in tallies.values())

    assert desk.submit("check", "--all").outcomes == dict.fromkeys(HOSTS, "ok")
    assert desk.denrei.run("audit", "verify").code == 0
    assert desk.denrei.run("broker", "apply", "--check").code == 0


def test_hosts_over_rabbitmq_have_users_of_their_own(fleet: RabbitFleet, desk: Desk) -> None:
    """Enrolment goes over it as well: with the token's user first, then with the host's."""
    for name, host in fleet.hosts.items():
        told = (host.directory / "etc/courier/courier.yaml").read_text()
        assert f"amqp://host.{name}:" in told
    listed = desk.denrei.run("broker", "acl").out
    assert all(f'"host.{name}"' in listed for name in HOSTS)
