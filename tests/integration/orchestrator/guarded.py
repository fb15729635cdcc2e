"""A home whose Redis knows nobody but those whom Denrei let in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import redis

from lab.redis import EmbeddedRedis
from orchestrator.broker.password import url_for
from orchestrator.broker.redis_users import RedisUsers
from orchestrator.broker.user import ADMIN
from tests.guarded_home import GuardedHome


class Guarded(GuardedHome):
    """A home whose Redis knows nobody but its administrator, and the passwords that it gave."""

    def __init__(self, folder: Path, server: EmbeddedRedis) -> None:
        super().__init__(folder, server.url, server.url)
        self.server = server

    @classmethod
    @contextmanager
    def build(cls, folder: Path, server: EmbeddedRedis) -> Iterator[Self]:
        """Make the home and its users; take all users but the administrator away at the end."""
        made = cls(folder, server)
        made.make_users()
        yield made
        with RedisUsers(server.url) as users:
            for name in users.names():
                if name not in {ADMIN, "default"}:
                    users.delete(name)
            users.save()
        made.store.close()

    def speaker(self, user: str, password: str) -> redis.Redis:
        """Connect past our own wire, as whoever took the host over would."""
        url = url_for(self.server.url, user, password)
        return redis.Redis.from_url(url, decode_responses=True)
