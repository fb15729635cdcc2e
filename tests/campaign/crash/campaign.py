"""The crash campaign: which schedules are played at which scale, and what came of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.redis import EmbeddedRedis
from orchestrator.home import Home
from tests.campaign.campaign import Scale, Tally
from tests.campaign.crash.laws import broken
from tests.campaign.crash.point import CrashPoint, Role
from tests.campaign.crash.schedule import Schedule, play
from tests.campaign.crash.table import POINTS
from tests.campaign.crash.wire import Wire
from tests.campaign.crash.world import World
from tests.life import LifeError

_SMOKE = 4  # one point of so many is tried in the test suite; which ones, the seed tells
_MEMORY = Path("/dev/shm")  # noqa: S108 - a campaign has a directory of its own in there


@dataclass(slots=True)
class Crashes:
    """What has come of the schedules so far."""

    schedules: int = 0
    reached: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def tally(self) -> Tally:
        counts = {"crash_points": len(self.reached), "schedules": self.schedules}
        return Tally(counts, tuple(self.violations))


def crash(scale: Scale, seed: int) -> Tally:
    """Kill every process at every named point on an order's way, and hold the end to the laws."""
    with EmbeddedRedis() as server:
        return crash_on(server.url, scale, seed)


def crash_on(broker: str, scale: Scale, seed: int) -> Tally:
    """Do so with a Redis that is there."""
    crashes = Crashes()
    memory = _MEMORY if _MEMORY.is_dir() else None  # being killed is no power loss
    with TemporaryDirectory(dir=memory) as directory:
        template = Home.create(Path(directory, "template"), broker, "alice")
        for schedule, must_be_reached in schedules(scale, seed):
            with TemporaryDirectory(dir=directory) as place:
                world = World.build(Path(place), template, Wire(broker, "web1"))
                _try(schedule, world, crashes, must_be_reached=must_be_reached)
                world.wire.close()
    return crashes.tally()


def _try(schedule: Schedule, world: World, crashes: Crashes, *, must_be_reached: bool) -> None:
    crashes.schedules += 1
    try:
        played = play(schedule, world)
    except LifeError as error:
        crashes.violations.append(f"{schedule}: {error}")
        return
    crashes.reached |= {point.name for point in played.reached}
    crashes.violations += [f"{schedule}: {law}" for law in broken(world, played)]
    if must_be_reached and played.reached != schedule.points:
        crashes.violations.append(f"{schedule}: not reached, so it shows nothing")


def schedules(scale: Scale, seed: int) -> Iterator[tuple[Schedule, bool]]:
    """Yield what is to be played, and whether each point must be reached."""
    points = list(POINTS.values())
    if scale is Scale.FULL:
        yield from ((single(p, copies), True) for copies in (1, 2) for p in points)
        yield from ((pair, False) for pair in _pairs(points))
        return
    if scale is Scale.SMOKE:
        points = points[seed % _SMOKE :: _SMOKE]
    # Both numbers of copies for each point, by turns from one seed to the next.
    yield from ((single(p, 1 + (at + seed) % 2), True) for at, p in enumerate(points))


def single(point: CrashPoint, copies: int) -> Schedule:
    """Return the schedule that leads to one point, by the crash before it if it needs one."""
    opener = [POINTS[point.opened_by]] if point.opened_by else []
    return Schedule((*opener, point), copies)


def _pairs(points: Sequence[CrashPoint]) -> Iterator[Schedule]:
    """Every crash of the executor, and every other one while it is cleared up."""
    killed = [point for point in points if point.role is Role.EXECUTOR]
    for first in killed:
        if not first.opened_by:
            yield from (Schedule((first, second), 1) for second in killed)
