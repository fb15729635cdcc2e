"""Hosts are led from keyring to keyring: real Redis, a real executor, a dispatcher between."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contract.envelope import PayloadType, sign
from contract.instant import now_ms
from contract.key import SigningKey
from contract.keyring import Keyring, RootKey, Roots
from contract.names import DELIVER_TASK, host_queue
from contract.order import encode
from contract.outcome import HostRunState
from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.dispatch import Dispatcher
from orchestrator.founding import window
from orchestrator.inventory import Inventory
from orchestrator.store.record import Run
from tests.integration.orchestrator.test_dispatch import make_due
from tests.membership import join_home
from tests.orchestrator_house import House
from tests.queue_reader import QueueReader
from tests.worker_host import WorkerHost
from worker.membership import load_membership


@dataclass(frozen=True)
class Post:
    """An orchestrator and one host, with the mail between them carried by hand."""

    house: House
    host: WorkerHost
    dispatcher: Dispatcher
    queue: QueueReader

    def carry(self) -> None:
        """Let the dispatcher send what is due, the host do it, and the recorder hear of it."""
        make_due(self.house)
        self.dispatcher.turn()
        for task, letter in self.queue.take():
            if task == DELIVER_TASK:
                self.host.inbox.put(letter)
        self.host.work()
        for path in self.host.outbox.letters():
            self.house.recorder().record(path.read_bytes())
            path.unlink()

    def lose(self) -> None:
        """Let what is due get lost on the way."""
        self.dispatcher.turn()
        self.queue.take()

    def issue(self, *roots: SigningKey, **changes: Any) -> Keyring:
        """Sign and store the next keyring."""
        newest = self.house.store.keyrings.newest()
        members = {"version": newest.version + 1, "issued_at": now_ms(), **changes}
        following = msgspec.structs.replace(newest, **members)
        keys = roots or (SigningKey.load(self.house.home.root_key),)
        letter = sign(PayloadType.KEYRING, encode(following), keys)
        return self.house.store.keyrings.add(letter, now_ms())

    def version(self) -> int:
        return load_membership(self.host.config).keyring.version

    def known_version(self) -> int:
        return Inventory(self.house.store).get("web1").keyring

    def state(self, run: Run) -> HostRunState:
        return self.house.state(run)


@pytest.fixture
def post(tmp_path: Path, clean_redis: EmbeddedRedis) -> Iterator[Post]:
    with ExitStack() as stack:
        house = House.build(tmp_path / "home", clean_redis.url, ())
        stack.callback(house.store.close)
        host = WorkerHost(tmp_path / "host")
        join_home(host.config, house.home, house.store)
        publisher = Publisher(clean_redis.url)
        stack.callback(publisher.close)
        queue = stack.enter_context(QueueReader(clean_redis.url, host_queue("web1")))
        yield Post(house, host, Dispatcher(house.store, publisher), queue)


def test_host_follows_a_new_keyring_and_says_so(post: Post) -> None:
    post.issue()
    post.carry()
    assert (post.version(), post.known_version()) == (2, 2)
    post.carry()
    assert post.queue.take() == []


def test_host_that_was_away_for_three_keyrings_catches_up_and_does_its_order(post: Post) -> None:
    """What was sent meanwhile is lost; the order waits for what it goes by, and is not refused."""
    for _ in range(3):
        post.issue()
        post.lose()
    run = post.house.submit()
    post.carry()
    assert (post.version(), post.state(run)) == (1, HostRunState.QUEUED)
    post.carry()
    post.carry()
    assert (post.version(), post.known_version()) == (4, 4)
    assert post.state(run) is HostRunState.SUCCEEDED


def test_roots_exchanged_and_the_operator_s_key_rotated_lose_no_run(post: Post) -> None:
    """An order by the old key, an order by the new one, and the old one revoked after both."""
    home, now = post.house.home, now_ms()
    before = post.house.submit()
    (alice,) = post.house.store.keyrings.newest().people
    new_root, new_key = SigningKey.generate(), SigningKey.generate()
    both = msgspec.structs.replace(alice, keys=[*alice.keys, window(new_key.public, now)])
    roots = Roots(threshold=1, keys=[RootKey(name="alice", key=new_root.public.text)])
    post.issue(SigningKey.load(home.root_key), new_root, people=[both], roots=roots)
    home.person_key("alice").rename(home.path / "old.pem")
    new_key.save(home.person_key("alice"))
    after = post.house.submit()
    post.carry()
    post.carry()
    assert [post.state(run) for run in (before, after)] == [HostRunState.SUCCEEDED] * 2
    gone = msgspec.structs.replace(alice.keys[0], revoked_at=now)
    only = msgspec.structs.replace(alice, keys=[gone, window(new_key.public, now)])
    post.issue(new_root, people=[only])
    home.person_key("alice").unlink()
    (home.path / "old.pem").rename(home.person_key("alice"))
    thief = post.house.submit()
    post.carry()
    post.carry()
    assert post.version() == 3
    assert post.state(thief) is HostRunState.REFUSED
    assert "was revoked" in post.house.host_run(thief).reason


def test_new_labels_reach_the_host_by_an_admission(post: Post) -> None:
    registrar = post.house.home.registrar_key()
    Inventory(post.house.store).label("web1", {"env": "test"}, registrar)
    post.carry()
    assert load_membership(post.host.config).admission.labels == {"env": "test"}
    post.carry()
    assert post.queue.take() == []


def test_host_whose_disk_was_restored_is_led_again(post: Post) -> None:
    old = post.host.config.keyring.read_bytes()
    post.issue()
    post.carry()
    post.host.config.keyring.write_bytes(old)
    run = post.house.submit()
    for _ in range(3):
        post.carry()
    assert (post.version(), post.state(run)) == (2, HostRunState.SUCCEEDED)
