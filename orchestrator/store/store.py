"""The store: one database with all its nouns."""

from collections.abc import Callable
from typing import Self

from contract.closing import Closing
from orchestrator.store import migration
from orchestrator.store.approvals import Approvals
from orchestrator.store.broker_users import BrokerUsers
from orchestrator.store.cancels import Cancels
from orchestrator.store.certificates import Certificates
from orchestrator.store.database import Database, StoreError
from orchestrator.store.enrolments import Enrolments
from orchestrator.store.envelopes import Envelopes
from orchestrator.store.firings import Firings
from orchestrator.store.following import Following
from orchestrator.store.hosts import Hosts
from orchestrator.store.incoming import Incoming
from orchestrator.store.keyrings import Keyrings
from orchestrator.store.outgoing import Outgoing
from orchestrator.store.pings import Pings
from orchestrator.store.presences import Presences
from orchestrator.store.runs import Runs
from orchestrator.store.secrets import Secrets
from orchestrator.store.services import Services
from orchestrator.store.watch import ChangeWatch

__all__ = ["Store", "StoreError"]


class Store(Closing):
    """Everything that the orchestrator knows. SQLite by default, PostgreSQL by URL."""

    def __init__(self, database: Database) -> None:
        """Work on an opened database; use `create` or `open`."""
        self._database = database
        self.hosts = Hosts(database)
        self.keyrings = Keyrings(database)
        self.following = Following(database)
        self.runs = Runs(database)
        self.broker_users = BrokerUsers(database)
        self.enrolments = Enrolments(database)
        self.cancels = Cancels(database)
        self.approvals = Approvals(database)
        self.envelopes = Envelopes(database)
        self.outgoing = Outgoing(database)
        self.incoming = Incoming(database)
        self.services = Services(database)
        self.pings = Pings(database)
        self.presences = Presences(database)
        self.certificates = Certificates(database)
        self.firings = Firings(database)
        self.secrets = Secrets(database)

    @classmethod
    def create(cls, url: str) -> Self:
        """Make the tables, or bring them up to date. Raises StoreError."""
        return cls._after(migration.upgrade, url)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a store that exists, bringing it up to date. Raises StoreError."""
        return cls._after(migration.check, url)

    @classmethod
    def _after(cls, prepare: Callable[[Database], None], url: str) -> Self:
        database = Database(url)
        try:
            prepare(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def watch(self) -> ChangeWatch:
        """Begin to watch for changes by others."""
        return ChangeWatch(self._database)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()
