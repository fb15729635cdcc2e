"""A home whose RabbitMQ knows its administrator, and those whom Denrei let in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import amqp

from contract.broker import NO_FILES
from lab.rabbit import EmbeddedRabbit
from orchestrator.broker.definitions import digest_of
from orchestrator.broker.password import url_for
from orchestrator.broker.rabbit_api import RabbitApi
from orchestrator.broker.rabbit_users import RabbitUsers
from orchestrator.broker.user import ADMIN, is_ours
from tests.guarded_home import GuardedHome

ADMIN_MAY = {"configure": r"^(from|host|enrolment)\.", "write": "^$", "read": "^$"}


class Guarded(GuardedHome):
    """A home whose RabbitMQ has the users that it made, and the passwords that it gave."""

    def __init__(self, folder: Path, server: EmbeddedRabbit) -> None:
        self.server = server
        self.api = RabbitApi(server.api_url, NO_FILES)  # as guest, who may do everything
        self._make_admin()
        super().__init__(folder, server.url, url_for(server.api_url, ADMIN, "secret of the admin"))

    @classmethod
    @contextmanager
    def build(cls, folder: Path, server: EmbeddedRabbit) -> Iterator[Self]:
        """Make the home and its users; take them all away at the end."""
        made = cls(folder, server)
        made.make_users()
        yield made
        for name in (*filter(is_ours, made.users().names()), ADMIN):
            made.api.delete("users", name)
        made.store.close()

    def users(self) -> RabbitUsers:
        return RabbitUsers(self.server.api_url, "denrei", NO_FILES)

    @contextmanager
    def speaker(self, user: str, password: str) -> Iterator[amqp.Channel]:
        """Connect past our own wire, as whoever took the host over would."""
        connection = amqp.Connection(
            f"127.0.0.1:{self.server.port}",
            userid=user,
            password=password,
            virtual_host="denrei",
            confirm_publish=True,
        )
        connection.connect()
        try:
            yield connection.channel()
        finally:
            connection.collect()

    def _make_admin(self) -> None:
        """Make the administrator as the how-to says."""
        hashed = digest_of(ADMIN, "secret of the admin")
        kept = {"hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ["administrator"]}
        self.api.post(
            "definitions",
            content={
                "users": [{"name": ADMIN, "password_hash": hashed, **kept}],
                "permissions": [{"user": ADMIN, "vhost": "denrei", **ADMIN_MAY}],
            },
        )
