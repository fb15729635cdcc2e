"""One orchestrator and one host with an order to carry out, whose processes can be killed."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from contract.loader import load_runbook
from contract.publisher import Publisher
from orchestrator import dispatch
from orchestrator.attendance import Attendance
from orchestrator.dispatch import Dispatcher
from orchestrator.home import Home
from orchestrator.recorder import Recorder
from orchestrator.recording import Recording
from orchestrator.store.database import Database
from orchestrator.store.record import HostRun, Run
from orchestrator.store.store import Store
from orchestrator.verifier import Verifier
from tests.campaign.crash.defect import end_by_defects
from tests.campaign.crash.point import CrashPoint, Role, Stage
from tests.campaign.crash.trap import Trap
from tests.campaign.crash.wire import Wire
from tests.life import live
from tests.membership import join_home
from tests.orchestrator_house import House
from tests.unit.worker.lives import SECRET, be_executor
from tests.worker_host import WorkerHost
from worker.courier import Sender, make_courier
from worker.courier_config import load_courier_config
from worker.watchdog import Watchdog

WITNESSED = """\
name: witnessed
params:
  key: {secret: true}
for_each: {place: {list: [a]}}
observe:
  first: {file: {path: "/${place.name}-first"}}
  second: {file: {path: "/${place.name}-second"}}
steps:
  - name: first
    ensure: first.exists
    do:
      command: [/bin/tool, "${place.name}-first"]
      files: [{path: /etc/key, content: "${params.key}"}]
      scrub: [/etc/copy]
    within: 100ms
    on_interrupt: rerun
  - name: second
    ensure: second.exists
    do: {command: [/bin/tool, "${place.name}-second"]}
    within: 100ms
"""
HOST = "web1"
# It takes longer than a run of which only the report is sent: there is a receipt to be lost, too.
TOOL = "[ ! -e etc/key ] || cp etc/key etc/copy; echo $1 >> witness; sleep 0.3; touch $1"


@dataclass(frozen=True, slots=True)
class World:
    """Everything that lasts: the home with its store, the host with its state, the wire."""

    home: Home
    host: WorkerHost
    wire: Wire
    run: Run
    cancels: bool = False  # the order is taken back while the host is away

    @classmethod
    def build(
        cls, directory: Path, template: Home, wire: Wire, *, cancels: bool = False
    ) -> "World":
        """Make a world in a directory, with an order that was just submitted."""
        path = directory / "home"
        shutil.copytree(template.path, path)
        home = replace(template, path=path, store_url=f"sqlite:///{path / 'store.db'}")
        host = WorkerHost(directory / "host", home.broker, HOST)
        (host.root / "etc").mkdir()
        host.tool("tool", TOOL)
        with Store(Database(home.store_url)) as store:
            join_home(host.config, home, store)
            runbook = load_runbook(WITNESSED.encode(), "witnessed.yaml")
            run = House(home, store, {}).submit(runbook=runbook, secrets={"key": SECRET})
        wire.clear()
        return cls(home, host, wire, run, cancels)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the store for a moment: nothing of it may be open when a process is forked."""
        with Store(Database(self.home.store_url)) as store:
            yield store

    def host_run(self) -> HostRun:
        with self.store() as store:
            host_run = store.runs.host_run(self.run.run_id, HOST)
        assert host_run is not None
        return host_run

    def stage(self) -> Stage:
        host_run = self.host_run()
        if host_run.reported_at is not None:
            return Stage.RECORDED
        if host_run.cancel_sha256 is None:
            return Stage.ANY
        return Stage.TAKEN_BACK if host_run.cancel_answered_at is None else Stage.ANSWERED

    @property
    def is_host_away(self) -> bool:
        """Tell whether the host is not to read its queue yet: first the tombstone must be in it."""
        host_run = self.host_run()
        return self.cancels and (host_run.cancel_sha256 is None or not host_run.publishes)

    def has_work(self, role: Role) -> bool:
        """Tell whether a process in this role would find anything to do."""
        match role:
            case Role.DISPATCHER:
                return not self.host_run().ended
            case Role.OPERATOR:
                return self.cancels and self.host_run().cancel_sha256 is None
            case Role.DELIVERER:
                return self.wire.holds(self.wire.deliveries) and not self.is_host_away
            case Role.EXECUTOR:
                return bool(self.host.inbox.letters())
            case Role.SENDER:
                return bool(self.host.outbox.letters())
            case Role.RECORDER:
                return self.wire.holds(self.wire.reports)

    def live(self, role: Role, point: CrashPoint | None) -> bool:
        """Be a process in this role until it has nothing to do; tell whether it lived so long."""

        def life() -> None:
            end_by_defects()
            if point is not None:
                Trap(point).set()
            _WORK[role](self)

        return live(life)


def dispatch_orders(world: World) -> None:
    dispatch.FIRST_PAUSE_MS = dispatch.LAST_PAUSE_MS = 0  # a turn of ours is as good as a pause
    with world.store() as store:
        Dispatcher(store, Publisher(world.home.broker)).turn()


def take_back(world: World) -> None:
    with world.store() as store:
        House(world.home, store, {}).cancel(world.run)


def take_deliveries(world: World) -> None:
    config, watchdog = world.host.config, Watchdog()
    own = load_courier_config(config.courier_config)
    app = make_courier(config, own, watchdog, Sender(config, own, watchdog))
    world.wire.consume(world.wire.deliveries, app)


def execute(world: World) -> None:
    be_executor(world.host)


def send(world: World) -> None:
    config = world.host.config
    own = load_courier_config(config.courier_config)
    Sender(config, own, Watchdog())._send_letters()


def record(world: World) -> None:
    broker = world.home.broker
    with world.store() as store:
        recording = Recording(
            Recorder(store, world.home.recorder_key(), Verifier()), broker, Attendance(store)
        )
        world.wire.drain(world.wire.reports, recording.take)


_WORK: Mapping[Role, Callable[[World], None]] = {
    Role.DISPATCHER: dispatch_orders,
    Role.OPERATOR: take_back,
    Role.DELIVERER: take_deliveries,
    Role.EXECUTOR: execute,
    Role.SENDER: send,
    Role.RECORDER: record,
}
