"""A home whose Redis knows nobody but those whom Denrei let in."""

from pathlib import Path

import redis

from contract.wire import Publisher
from lab.redis import EmbeddedRedis
from orchestrator.broker.admin import Admin
from orchestrator.broker.password import url_for
from orchestrator.broker.plan import Verb
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
