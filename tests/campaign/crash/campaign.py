"""The crash campaign: which schedules are played at which scale, and what came of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.redis import EmbeddedRedis
from orchestrator.home import Home
from tests.campaign.campaign import Scale, Tally
from tests.campaign.crash.laws import broken
from tests.campaign.crash.point import CrashPoint, Role
from tests.campaign.crash.schedule import Schedule, play
from tests.campaign.crash.story import POINTS as STORY_POINTS
from tests.campaign.crash.story import STORIES, STORY, Told, tell
from tests.campaign.crash.table import POINTS, SMOKE
from tests.campaign.crash.wire import Wire
from tests.campaign.crash.world import HOST, World
from tests.life import LifeError

_MEMORY = Path("/dev/shm")  # noqa: S108 - a campaign has a directory of its own in there


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one schedule."""

    reached: frozenset[str]
    violations: tuple[str, ...]


def crash(scale: Scale, seed: int) -> Tally:
    """Kill every process at every named point on an order's way, and hold the end to the laws."""
    schedules, reached, violations = 0, set[str](), list[str]()
    with EmbeddedRedis() as server, quick_disk() as directory:
        template = Home.create(directory / "template", server.url, "alice")
        for schedule in chosen(scale, seed):
            attempt = attempt_at(schedule, template, directory)
            schedules += 1
            reached |= attempt.reached
            violations += attempt.violations
        stories = list(told_stories(scale, seed, directory))
    schedules += sum(told.is_reached for told in stories)
    reached |= {told.point.name for told in stories if told.is_reached}
    violations += [violation for told in stories for violation in told.violations]
    violations += unreached(stories)
    return Tally({"crash_points": len(reached), "schedules": schedules}, tuple(violations))


def told_stories(scale: Scale, seed: int, directory: Path) -> Iterator[Told]:
    """Tell the further stories: at every point, or at every second one, whichever the seed says."""
    step = 1 if scale is Scale.FULL else 2
    for story in STORIES:
        for point in STORY_POINTS[seed % step :: step]:
            with TemporaryDirectory(dir=directory) as place:
                yield tell(story, point, Path(place))


def unreached(stories: Sequence[Told]) -> list[str]:
    """Say which points of the stories' own no story got to, so that they show nothing."""
    tried = {told.point.name for told in stories if told.point.name.startswith(STORY)}
    reached = {told.point.name for told in stories if told.is_reached}
    return [f"no story reaches {name}, so it shows nothing" for name in sorted(tried - reached)]


@contextmanager
def quick_disk() -> Iterator[Path]:
    """Give a directory in memory: being killed is no power loss."""
    with TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        yield Path(directory)


def attempt_at(schedule: Schedule, template: Home, directory: Path) -> Attempt:
    """Play one schedule in a world of its own."""
    wire = Wire(template.broker, HOST)
    with TemporaryDirectory(dir=directory) as place:
        world = World.build(Path(place), template, wire, cancels=schedule.cancels)
        try:
            played = play(schedule, world)
        except LifeError as error:
            return Attempt(frozenset(), (f"{schedule}: {error}",))
        finally:
            wire.close()
        laws = broken(world, played)
    if schedule.must_be_reached and played.reached != schedule.points:
        laws.append("not reached, so it shows nothing")
    names = frozenset(point.name for point in played.reached)
    return Attempt(names, tuple(f"{schedule}: {law}" for law in laws))


def chosen(scale: Scale, seed: int) -> Iterator[Schedule]:
    """Yield what is to be played at a scale."""
    if scale is Scale.FULL:
        for copies in (1, 2):
            yield from (single(point, copies) for point in POINTS.values())
            yield from _pairs(copies)
        return
    points = POINTS.values() if scale is Scale.QUICK else [POINTS[name] for name in SMOKE]
    # Both numbers of copies for each point, by turns from one seed to the next.
    yield from (single(point, 1 + (at + seed) % 2) for at, point in enumerate(points))


def single(point: CrashPoint, copies: int) -> Schedule:
    """Return the schedule that leads to one point, by the crash before it if it needs one."""
    opener = [POINTS[point.opened_by]] if point.opened_by else []
    return Schedule((*opener, point), copies)


def _pairs(copies: int) -> Iterator[Schedule]:
    """Every crash of the executor, and every other one while it is cleared up."""
    killed = [p for p in POINTS.values() if p.role is Role.EXECUTOR and not p.is_of_cancel]
    for first in (point for point in killed if not point.opened_by):
        yield from (Schedule((first, second), copies, must_be_reached=False) for second in killed)
