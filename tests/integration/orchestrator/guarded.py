"""A home whose Redis knows nobody but those whom Denrei let in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import redis

from contract.publisher import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.broker.admin import Admin
from orchestrator.broker.password import url_for
from orchestrator.broker.plan import Verb
from orchestrator.broker.redis_users import RedisUsers
from orchestrator.broker.user import ADMIN
from orchestrator.home import Home
from tests.orchestrator_house import House

NAMES = ("web1", "web2")


class Guarded:
    """A home whose Redis knows nobody but its administrator, and the passwords that it gave."""

    def __init__(self, folder: Path, server: EmbeddedRedis) -> None:
        broker = url_for(server.url, "server", "secret of the server")
        built = House.build(folder, broker, NAMES)
        config = folder / "denrei.yaml"
        config.write_text(f"{config.read_text()}broker_admin: {server.url}\n")
        self.home, self.store, self.server = Home.open(folder), built.store, server

    @classmethod
    @contextmanager
    def build(cls, folder: Path, server: EmbeddedRedis) -> Iterator[Self]:
        """Make the home and its users; take all users but the administrator away at the end."""
        made = cls(folder, server)
        with made.admin() as admin:
            for name in NAMES:
                admin.set_host(name, f"secret of {name}")
        made.apply()
        yield made
        with RedisUsers(server.url) as users:
            for name in users.names():
                if name not in {ADMIN, "default"}:
                    users.delete(name)
            users.save()
        made.store.close()

    def admin(self) -> Admin:
        return Admin(self.home, self.store)

    def apply(self) -> list[tuple[Verb, str]]:
        """Make the users fit; tell what was changed."""
        with self.admin() as admin:
            changes = admin.plan()
            assert admin.apply(changes)
            return [(change.verb, change.name) for change in changes]

    def publisher(self, user: str, password: str) -> Publisher:
        return Publisher(url_for(self.server.url, user, password))

    def speaker(self, user: str, password: str) -> redis.Redis:
        """Connect past our own wire, as whoever took the host over would."""
        url = url_for(self.server.url, user, password)
        return redis.Redis.from_url(url, decode_responses=True)
