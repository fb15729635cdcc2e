"""The installation of compose.yaml without Docker: Redis with its users, the server, a host."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from contract.broker import BrokerError
from contract.names import DELIVER_TASK, RECORD_TASK, REPORTS_QUEUE, host_queue
from contract.publisher import Publisher
from lab.command import Script, Service
from lab.host_folder import host_config
from lab.installation import Installation
from lab.redis import EmbeddedRedis, find_redis_server, free_port
from orchestrator.broker.acl import INTRODUCTION
from orchestrator.home import Home
from tests.waiting import eventually
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
        home = {"DENREI_HOME": str(folder / "home")}
        self.denrei, self.python = Script("denrei", home), Script("python", home)

    def host(self, name: str) -> Script:
        """Give the Python that becomes a host's container."""
        folder = next(folder for folder in self.installation.hosts if folder.name == name)
        config = str(host_config(folder).path)
        return Script("python", {"LAB_FOLDER": str(folder), "DENREI_WORKER_CONFIG": config})

    def start(self, log: Path, name: str) -> Service:
        """Start a host's container, with the token that it is given."""
        folders = map(str, self.installation.hosts)
        self.python.must("-I", "-m", "lab.container", "tokens", *folders)
        return self.host(name).start(log, "-I", "-m", "lab.container", "host", "--cloud-port", "0")

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


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Redis, the server and the first host, which was enrolled by the token that it was given."""
    folder = tmp_path_factory.mktemp("installation")
    made = House(folder)
    with made.redis, ExitStack() as started:
        server = made.denrei.start(folder / "server.log", "server", "--beat")
        started.callback(server.stop)
        host = made.start(folder / "host.log", "lab-1")
        started.callback(host.stop)
        eventually(lambda: made.denrei.run("host", "ping", "lab-1").code == 0, within=60)
        yield made


def test_server_and_host_do_their_work_with_the_rights_they_have(house: House) -> None:
    """An order goes out, a report and its acknowledgement come through; Redis refuses nothing."""
    done = house.denrei.run("submit", "check", "--host", "lab-1", "--timeout", "40s")
    assert done.code == 0, done.err
    assert house.denrei.run("audit", "verify").code == 0
    assert "check-all" in house.denrei.run("schedule", "list").out
    assert house.refusals() == []


def test_host_makes_its_keys_itself_and_has_a_user_of_its_own(house: House) -> None:
    """What it came in with is gone: its token, and in the end the token's user."""
    folder = house.installation.hosts[0]
    assert not (folder / "token").exists()
    assert len(list((folder / "etc").rglob("*.pem"))) == 2
    assert "user host.lab-1 on" in house.acl.read_text()
    assert house.denrei.run("broker", "apply", "--check").code == 0


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
    assert wire.waiting(host_queue("lab-1")) >= 0
    wire.close()


def test_installation_made_again_keeps_what_is_there(house: House) -> None:
    """Each start makes only what is missing, and nothing that is secret can be read by others."""
    home, redis_folder = house.installation.home, house.installation.redis
    kept = (house.acl, home / "denrei.yaml", *home.rglob("*.pem"), redis_folder / "admin.password")
    before = {path: path.read_bytes() for path in kept}
    house.installation.make()
    assert len(kept) == 3 + 5
    assert all(path.read_bytes() == before[path] for path in kept)
    secret = [path for path in kept if path != house.acl]
    assert not any(path.stat().st_mode & 0o007 for path in secret)
    password = (redis_folder / "admin.password").read_text()
    assert password not in house.acl.read_text()
