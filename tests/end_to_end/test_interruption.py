"""The executor killed in the middle of a reonboarding, at the moments that would hurt most."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import psutil
import pytest

from lab import process
from lab.fleet import Fleet, FleetHost
from lab.places import Workspace
from tests.end_to_end.desk import Answer, Desk
from tests.end_to_end.fleet_control import await_child, child, kill
from tests.end_to_end.leak import Secret
from tests.waiting import eventually

REMOVAL = "old onboarding is removed, or is not due"
ONBOARDING = "workspace is onboarded with a fresh certificate"
PATIENCE_S = 60.0
LOOK_S = 0.003


@dataclass(slots=True)
class Victim:
    """A host whose executor is to be killed, when its moment has come."""

    fleet: Fleet
    host: FleetHost
    executor: psutil.Process
    times: int = 0  # how often it was killed so far

    @property
    def workspace(self) -> Workspace:
        return self.host.agent.places.workspace(self.fleet.workspace.id)

    @property
    def key_file_is_there(self) -> bool:
        return self.host.agent.places.onboarding_file.exists()

    def is_removing(self) -> bool:
        return bool(process.with_argument(f"{self.host.agent.root} -x"))

    def is_removed(self) -> bool:
        return not self.workspace.config.exists()

    def has_key_on_disk(self) -> bool:
        return self.key_file_is_there

    def has_a_certificate(self) -> bool:
        return self.key_file_is_there and self.workspace.certificate.exists()

    def has_an_identity(self) -> bool:
        return self.key_file_is_there and self.workspace.identity.exists()

    def is_taken_over(self) -> bool:
        """Whether the next executor is at work, after the first was killed with the key on disk."""
        if self.times == 0:
            return self.key_file_is_there
        following = child(self.fleet, self.host.name, "executor")
        if following is None or following.pid == self.executor.pid:
            return False
        self.executor = following
        return True

    def kill_executor(self) -> None:
        kill(self.executor)

    def kill_everything(self) -> None:
        """Kill the executor and all below it at once, as for a whole control group."""
        below = self.executor.children(recursive=True)
        for one in (self.executor, *below):
            kill(one)


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill, how, and how often."""

    has_come: Callable[[Victim], bool]
    kill: Callable[[Victim], None] = Victim.kill_executor
    times: int = 1


MOMENTS: Mapping[str, Moment] = {
    "removing": Moment(Victim.is_removing),
    "removed": Moment(Victim.is_removed),
    "key-on-disk": Moment(Victim.has_key_on_disk),
    "certificate-made": Moment(Victim.has_a_certificate),
    "identity-saved": Moment(Victim.has_an_identity),
    "all-at-once": Moment(Victim.has_key_on_disk, Victim.kill_everything),
    "twice": Moment(Victim.is_taken_over, times=2),
}


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What became of the run in which all those executors were killed."""

    fleet: Fleet
    answer: Answer
    victims: dict[str, Victim] = field(default_factory=dict)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A host for each moment."""
    with Fleet(tmp_path_factory.mktemp("killed"), MOMENTS) as running:
        running.await_workers(within=120)
        yield running


@pytest.fixture(scope="module")
def aftermath(fleet: Fleet, hasty: tuple[str, ...]) -> Aftermath:
    """One reonboarding of every host, each killed at its own moment."""
    desk = Desk(fleet)
    victims = {}
    for name, host in fleet.hosts.items():
        host.agent.onboard(fleet.workspace.id, fleet.workspace.key, days=20)
        victims[name] = Victim(fleet, host, await_child(fleet, name, "executor"))
    log = fleet.home / "submit.log"
    arguments = ("submit", "reonboard", "--all", *desk.onboarding(), *hasty, "--detach")
    submission = fleet.denrei.start(log, *arguments)  # the first moment may come before it ends
    kill_each(victims)
    assert submission.process.wait(90) == 0, log.read_text()
    return Aftermath(fleet, desk.watch(desk.runs()[0]["id"], within="90s"), victims)


def kill_each(victims: Mapping[str, Victim]) -> None:
    """Kill every executor at its moment; the moments are short, hence a closer look."""
    until = time.monotonic() + PATIENCE_S
    waiting = dict(victims)
    while waiting and time.monotonic() < until:
        time.sleep(LOOK_S)
        for name, victim in list(waiting.items()):
            moment = MOMENTS[name]
            if moment.has_come(victim):
                moment.kill(victim)
                victim.times += 1
                if victim.times == moment.times:
                    del waiting[name]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", MOMENTS)
def test_executor_killed_in_a_reonboarding_is_followed_by_one_that_ends_it(
    aftermath: Aftermath, name: str
) -> None:
    """The host ends onboarded, and its report tells in which step it was interrupted."""
    victim = aftermath.victims[name]
    assert victim.times == MOMENTS[name].times, "its moment did not come"
    told = aftermath.answer.host(name)
    assert (told["state"], told["outcome"]) == ("succeeded", "changed"), told
    ((only),) = told["passes"]
    assert any(step["interrupted"] for step in only["steps"]) or name == "removed"
    assert victim.workspace.identity.exists()
    eventually(
        lambda: victim.host.agent.upload_status(since=time.time() - 1) == 200, what="an upload"
    )


@pytest.mark.timeout(300)
def test_executor_killed_in_a_reonboarding_leaves_no_key_on_any_disk(aftermath: Aftermath) -> None:
    """Not in the onboarding file, the tool's own, the ledgers, the boxes or the logs."""
    fleet = aftermath.fleet
    key = Secret(fleet.workspace.key)
    hosts = [host.directory for host in fleet.hosts.values()]
    assert key.files(fleet.home, fleet.redis.directory, *hosts) == []
    assert not key.is_in(fleet.services["server"].log.read_bytes())
    assert key.files(fleet.key_file.parent) != [], "the search finds nothing at all"
