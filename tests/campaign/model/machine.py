"""The state machine: all that people, brokers, disks, clocks and crashes do, in any order."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contract.names import REPORTS_QUEUE, host_queue
from tests.campaign.model.sides import HOST, Room
from tests.campaign.model.world import World

RUNBOOK = st.sampled_from(["work", "work", "vain"])
WHICH = st.integers(0, 5)
CRASH = st.just(0) | st.integers(1, 40)  # at which of the moments that last; 0: none
QUEUE = st.sampled_from([host_queue(HOST), REPORTS_QUEUE])
HOUR_MS = 3_600_000
CLOCK = st.sampled_from([-200 * HOUR_MS, -2 * HOUR_MS, -90_000, 0, 30_000, 90_000, 2 * HOUR_MS])


class Machine(RuleBasedStateMachine):
    """Does to a world whatever may happen to it, and holds it to the laws."""

    examples = 0

    def __init__(self) -> None:
        """Begin a new world."""
        super().__init__()
        type(self).examples += 1
        self.world = World()
        self.has_forgotten = False

    @rule(
        name=RUNBOOK,
        expires_s=st.sampled_from([20.0, 300.0, 900.0]),
        check=st.sampled_from([False, False, False, True]),
    )
    def publish(self, name: str, expires_s: float, check: bool) -> None:  # noqa: FBT001
        self.world.publish(name, expires_s, check=check)

    @rule(crash=CRASH)
    def dispatch(self, crash: int) -> None:
        self.world.at_orchestrator(self.world.orchestrator.dispatch, crash)

    @rule(which=WHICH, crash=CRASH)
    def deliver(self, which: int, crash: int) -> None:
        self.world.at_host(lambda: self.world.host.deliver(which), crash)

    @rule(which=WHICH, kill=st.booleans(), crash=CRASH)
    def cancel(self, which: int, kill: bool, crash: int) -> None:  # noqa: FBT001
        self.world.at_orchestrator(lambda: self.world.cancel(which, kill=kill), crash)

    @rule(turns=st.integers(1, 3), crash=CRASH, meanwhile=st.booleans())
    def work(self, turns: int, crash: int, meanwhile: bool) -> None:  # noqa: FBT001
        """Carry out what is there; `meanwhile` the courier may put down what comes."""
        self.world.meanwhile = meanwhile
        self.world.at_host(lambda: self.world.host.work(turns), crash)
        self.world.meanwhile = False

    @rule(crash=CRASH)
    def send(self, crash: int) -> None:
        self.world.at_host(self.world.host.send, crash)

    @rule(which=WHICH, crash=CRASH)
    def record(self, which: int, crash: int) -> None:
        self.world.at_orchestrator(lambda: self.world.orchestrator.record(which), crash)

    @rule(crash=CRASH)
    def prune(self, crash: int) -> None:
        self.world.at_host(self.world.host.tidy, crash)

    @rule(name=RUNBOOK, crash=CRASH)
    def run_one(self, name: str, crash: int) -> None:
        """Bring an order home and its report back: chance alone would seldom get so far."""
        self.publish(name, 300.0, check=False)
        self.dispatch(0)
        self.deliver(0, 0)
        self.work(2, crash, meanwhile=False)
        self.send(0)
        for _ in range(3):
            self.record(0, 0)
        self.deliver(0, 0)

    @rule(kill=st.booleans(), crash=CRASH)
    def cancel_in_the_middle(self, kill: bool, crash: int) -> None:  # noqa: FBT001
        """Let a tombstone come while its run is at work."""
        self.publish("work", 300.0, check=False)
        self.dispatch(0)
        self.deliver(0, 0)
        self.world.at_orchestrator(lambda: self.world.cancel(-1, kill=kill))
        self.dispatch(0)
        self.work(2, crash, meanwhile=True)

    @precondition(lambda self: not self.has_forgotten)  # it takes long; once is enough
    @rule(crash=CRASH)
    def repeat_what_the_host_has_forgotten(self, crash: int) -> None:
        """Play an order back when it is pruned, to a host whose clock is back at its time."""
        self.has_forgotten = True
        begun = self.world.clocks.wall_ms
        self.run_one("work", 0)
        letters = list(self.world.wire.ever)
        self.pass_time(400.0)
        self.run_one("vain", crash)
        self.prune(0)
        self.set_hosts_clock(begun - self.world.clocks.wall_ms)
        for queue, letter in letters[-6:]:
            self.world.wire.put(queue, letter)
        for _ in range(6):
            self.deliver(-1, 0)
        self.work(2, crash, meanwhile=False)

    @rule(queue=QUEUE, which=WHICH)
    def drop(self, queue: str, which: int) -> None:
        self.world.wire.take(queue, which)

    @rule(queue=QUEUE, which=WHICH)
    def duplicate(self, queue: str, which: int) -> None:
        if letter := self.world.wire.look(queue, which):
            self.world.wire.put(queue, letter)

    @rule(which=st.integers(0, 30))
    def repeat_what_was_long_ago(self, which: int) -> None:
        self.world.wire.again(which)

    @rule(down=st.sampled_from([False, False, True]))
    def break_broker(self, down: bool) -> None:  # noqa: FBT001
        self.world.wire.down = down

    @rule(room=st.sampled_from(Room))
    def fill_disk(self, room: Room) -> None:
        self.world.at_host(lambda: self.world.host.leave(room))

    @rule(seconds=st.sampled_from([1.0, 30.0, 61.0, 400.0, 3600.0]))
    def pass_time(self, seconds: float) -> None:
        """Also what a suspended machine sees: its boot clock goes on."""
        self.world.clocks.pass_time(seconds)

    @rule(off_ms=CLOCK)
    def set_hosts_clock(self, off_ms: int) -> None:
        self.world.clocks.host_off_ms = off_ms

    @rule()
    def restart_host(self) -> None:
        self.world.at_host(self.world.host.stop)

    @rule()
    def reboot_host(self) -> None:
        self.world.at_host(self.world.host.stop)
        self.world.clocks.reboot()

    @invariant()
    def laws_hold(self) -> None:
        assert not self.world.laws.broken, "; ".join(self.world.laws.broken)

    def teardown(self) -> None:
        """Let everything run to its end, and hold that to the laws, too."""
        try:
            if not self.world.laws.broken:
                self.world.heal()
                self.laws_hold()
        finally:
            self.world.close()
