"""A schedule: who is killed when, with how many copies of each message; and how it is played."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.campaign.crash.point import CrashPoint, Role, Stage
from tests.campaign.crash.world import World

_ROUNDS = 12  # more than any schedule needs; who has not ended then never will


@dataclass(frozen=True, slots=True)
class Schedule:
    """Kill at each of these points, one after another; 0 to 2 of them."""

    points: tuple[CrashPoint, ...]
    copies: int  # of each message on the wire
    must_be_reached: bool = True  # what reaches nothing shows nothing

    @property
    def cancels(self) -> bool:
        """Tell whether the order is taken back while its host is away."""
        return any(point.is_of_cancel for point in self.points)

    def __str__(self) -> str:
        names = " then ".join(point.name for point in self.points) or "no crash"
        return f"{names} ({self.copies} {'copy' if self.copies == 1 else 'copies'})"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a schedule."""

    reached: tuple[CrashPoint, ...]  # where processes really were killed
    settled: bool  # in the end nobody had anything left to do


def play(schedule: Schedule, world: World) -> Played:
    """Let everybody work, and die, until nobody has anything left to do."""
    waiting, reached = list(schedule.points), list[CrashPoint]()
    settled = False
    for _ in range(_ROUNDS):
        world.wire.send_copies()
        busy = [role for role in Role if _take_turn(role, world, waiting, reached)]
        if schedule.copies > 1:
            world.wire.keep_copies()
        settled = not busy and not world.wire.owes_copies
        if settled:
            break
    return Played(tuple(reached), settled)


def _take_turn(
    role: Role, world: World, waiting: list[CrashPoint], reached: list[CrashPoint]
) -> bool:
    """Let one role do what it finds, again after each kill; tell whether it found anything."""
    if not world.has_work(role):
        return False
    while not world.live(role, point := _armed(role, world, waiting)):
        if point is None:
            raise AssertionError(f"the {role} was killed by nobody")
        reached.append(point)
        waiting.pop(0)
    return True


def _armed(role: Role, world: World, waiting: Sequence[CrashPoint]) -> CrashPoint | None:
    point = waiting[0] if waiting else None
    if point is None or point.role is not role:
        return None
    return point if point.stage in (Stage.ANY, world.stage()) else None
