"""A crash at every moment at which something lasts: nothing lost, nothing repeated or unreported.

A part of `./dev campaign --only crash`, which plays all of it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import structlog

from contract.outcome import HostRunState
from lab.redis import EmbeddedRedis
from orchestrator.home import Home
from tests.campaign.campaign import Scale
from tests.campaign.crash.campaign import attempt_at, chosen, quick_disk
from tests.campaign.crash.defect import end_by_defects
from tests.campaign.crash.laws import broken
from tests.campaign.crash.point import Role
from tests.campaign.crash.schedule import Schedule, play
from tests.campaign.crash.story import POINTS as STORY_POINTS
from tests.campaign.crash.story import STORIES, Story, tell
from tests.campaign.crash.table import POINTS
from tests.campaign.crash.wire import Wire
from tests.campaign.crash.world import HOST, World
from tests.life import LifeError, live
from tests.unit.worker.lives import SECRET


@pytest.fixture(scope="module")
def template(redis_server: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home.create(tmp_path_factory.mktemp("template") / "home", redis_server.url, "alice")


@pytest.fixture
def world(template: Home, tmp_path: Path) -> Iterator[World]:
    """A world with one order submitted."""
    wire = Wire(template.broker, HOST)
    yield World.build(tmp_path, template, wire)
    wire.clear()
    wire.close()


@pytest.mark.parametrize("schedule", [*chosen(Scale.SMOKE, 1)], ids=lambda s: s.points[-1].name)
def test_kill_at_a_point_loses_and_repeats_nothing(template: Home, schedule: Schedule) -> None:
    with quick_disk() as directory:
        assert attempt_at(schedule, template, directory).violations == ()


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_kill_in_a_rescue_or_around_a_cancel_breaks_no_promise(story: Story) -> None:
    """At every fifth point; each story gets to many of them."""
    with quick_disk() as directory:
        told = [tell(story, p, directory / str(at)) for at, p in enumerate(STORY_POINTS[::5])]
    assert [violation for each in told for violation in each.violations] == []
    assert sum(each.is_reached for each in told) >= 3


@pytest.mark.parametrize("copies", [1, 2])
def test_order_that_nobody_cuts_off_goes_its_whole_way(world: World, copies: int) -> None:
    played = play(Schedule((), copies), world)
    assert (played.reached, played.settled) == ((), True)
    assert broken(world, played) == []


@pytest.mark.parametrize("copies", [1, 2])
def test_order_that_is_taken_back_while_its_host_is_away_never_begins(
    template: Home, tmp_path: Path, copies: int
) -> None:
    wire = Wire(template.broker, HOST)
    world = World.build(tmp_path, template, wire, cancels=True)
    played = play(Schedule((), copies), world)
    wire.close()
    assert (played.reached, played.settled) == ((), True)
    assert world.host_run().state is HostRunState.CANCELLED
    assert broken(world, played) == []
    (world.host.root / "witness").touch()
    assert broken(world, played) == ["it ran, and its host says that it never began"]


def test_points_are_many_in_every_process_and_lead_to_each_other() -> None:
    assert len(POINTS) >= 110
    assert {point.role for point in POINTS.values()} == set(Role)
    for point in POINTS.values():
        if point.opened_by:
            assert not POINTS[point.opened_by].opened_by, point.name


def end_nothing(world: World) -> None:
    with closing(sqlite3.connect(world.host.config.ledger)) as db, db:
        db.execute("UPDATE orders SET state = 'running'")


DAMAGE: dict[str, Callable[[World], object]] = {
    "repeated": lambda w: (w.host.root / "witness").write_text("a-second a-second\n"),
    "which is not so": lambda w: (w.host.root / "a-first").unlink(),
    "a secret is left": lambda w: (w.host.root / "etc/key").write_text(SECRET),
    "left in inbox": lambda w: (w.host.inbox.directory / ".draft").touch(),
    "lost": end_nothing,
}


@pytest.mark.parametrize("law", DAMAGE)
def test_laws_notice_what_is_not_so(world: World, law: str) -> None:
    """A law that nothing breaks would prove nothing."""
    played = play(Schedule((), 1), world)
    DAMAGE[law](world)
    (sentence,) = broken(world, played)
    assert law in sentence


def test_schedule_whose_point_is_never_reached_is_seen(world: World) -> None:
    point = POINTS["recovery.sweep:after"]
    assert play(Schedule((point,), 1), world).reached == ()


def test_error_that_a_process_logs_is_no_crash_but_a_defect() -> None:
    def break_a_run() -> None:
        end_by_defects()
        structlog.get_logger().error("run_broke")

    with pytest.raises(LifeError):
        live(break_a_run)
