"""The installation of compose.yaml without Docker: Redis with its users, the server, a host."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from contract.broker import BrokerError
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from lab.command import Script
from lab.installation import Installation, host_config
from lab.redis import EmbeddedRedis, find_redis_server, free_port
from orchestrator.broker.acl import INTRODUCTION
from orchestrator.home import Home
from worker.config import load_config
from worker.courier_config import load_courier_config

HOSTS = ("lab-1", "lab-2")


def knows_introduction() -> bool:
    """Tell whether this machine's Redis is of 7.2 or later, as the one of compose.yaml is."""
    told = subprocess.run(
        [find_redis_server(), "--version"], capture_output=True, text=True, check=True
    )
    found = re.search(r"\bv=(\d+)\.(\d+)", told.stdout)
    return found is not None and (int(found[1]), int(found[2])) >= (7, 2)


class House:
    """An installation, the Redis that is for it alone, and its console scripts."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        hosts = tuple(folder / name for name in HOSTS)
        (folder / "redis").mkdir()
        self.installation = Installation(
            folder / "home", folder / "redis", hosts, address=f"127.0.0.1:{port}"
        )
        self.installation.make()
        self.acl = folder / "redis" / "users.acl"
        if not knows_introduction():
            self.acl.write_text(self.acl.read_text().replace(INTRODUCTION, ""))
        self.redis = EmbeddedRedis(
            folder / "data",
            port=port,
            username="admin",
            password=(folder / "redis" / "admin.password").read_text(),
            acl_file=self.acl,
        )
        self.denrei = Script("denrei", {"DENREI_HOME": str(folder / "home")})

    def host(self, name: str) -> Script:
        """Give the Python that becomes a host's container."""
        folder = next(folder for folder in self.installation.hosts if folder.name == name)
        config = str(host_config(folder).path)
        return Script("python", {"LAB_FOLDER": str(folder), "DENREI_WORKER_CONFIG": config})

    def publisher(self, name: str) -> Publisher:
        """Connect as the server, or as a host."""
        if name == "server":
            return Publisher(Home.open(self.installation.home).broker)
        config = load_config(Path(self.host(name).settings["DENREI_WORKER_CONFIG"]))
        return Publisher(load_courier_config(config.courier_config).broker)

    def refusals(self) -> list[object]:
        """Give what Redis refused so far."""
        with redis.Redis.from_url(self.redis.url) as admin:
            log = admin.acl_log()
        return [entry for entry in log if entry["object"] != INTRODUCTION.strip(" +")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    with made.redis:
        yield made


def test_server_and_host_do_their_work_with_the_rights_they_have(
    house: House, tmp_path: Path
) -> None:
    """An order goes out, a report and its acknowledgement come through; Redis refuses nothing."""
    server = house.denrei.start(tmp_path / "server.log", "server", "--beat")
    container = ("-I", "-m", "lab.container", "host", "--cloud-port", "0")
    host = house.host("lab-1").start(tmp_path / "host.log", *container)
    try:
        done = house.denrei.run("submit", "check", "--host", "lab-1", "--timeout", "40s")
        assert done.code == 0, done.err
        assert house.denrei.run("audit", "verify").code == 0
        assert "check-all" in house.denrei.run("schedule", "list").out
        assert house.refusals() == []
    finally:
        for service in (host, server):
            service.stop()


REFUSED: tuple[tuple[str, Callable[[Publisher], object]], ...] = (
    ("lab-1", lambda wire: wire.publish(host_queue("lab-2"), DELIVER_TASK, b"x")),
    ("lab-1", lambda wire: wire.waiting(host_queue("lab-2"))),
    ("lab-1", lambda wire: wire.waiting(REPORTS_QUEUE)),
    ("lab-1", lambda wire: wire.publish("anything", DELIVER_TASK, b"x")),
    ("server", lambda wire: wire.publish("anything", DELIVER_TASK, b"x")),
)


def test_redis_refuses_what_is_not_a_users_business(house: House) -> None:
    """A host reaches no report and no other host's queue; the server nothing but Denrei's lists."""
    for name, act in REFUSED:
        wire = house.publisher(name)
        with pytest.raises(BrokerError):
            act(wire)
        wire.close()
    with redis.Redis(port=house.redis.port) as nobody, pytest.raises(redis.AuthenticationError):
        nobody.ping()


def test_host_may_add_to_the_reports_and_to_its_own_queue(house: House) -> None:
    wire = house.publisher("lab-1")
    wire.publish(REPORTS_QUEUE, RECORD_TASK, b"x")
    wire.publish(host_queue("lab-1"), DELIVER_TASK, b"x")
    assert wire.waiting(host_queue("lab-1")) == 1
    wire.close()


def test_installation_made_again_keeps_what_is_there(house: House) -> None:
    """Each start makes only what is missing, and nothing that is secret can be read by others."""
    folder = house.installation.home.parent
    house.installation.make()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    house.installation.make()
    kept = (house.acl, *folder.rglob("*.pem"), *folder.rglob("courier.yaml"))
    assert len(kept) == 1 + 5 + 2 * len(HOSTS) + len(HOSTS)
    assert all(path.read_bytes() == before[path] for path in kept)
    assert not any(path.stat().st_mode & 0o007 for path in kept)
    password = (house.installation.redis / "admin.password").read_text()
    assert password not in house.acl.read_text()
