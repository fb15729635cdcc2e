"""The store: one database with all its nouns."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Self

from contract.closing import Closing
from orchestrator.store import migration
from orchestrator.store.database import Database, StoreError

if TYPE_CHECKING:
    from orchestrator.store.approvals import Approvals
    from orchestrator.store.broker_users import BrokerUsers
    from orchestrator.store.cancels import Cancels
    from orchestrator.store.certificates import Certificates
    from orchestrator.store.doorbell import Doorbell
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
    """Everything that the orchestrator knows. SQLite by default, PostgreSQL by URL.

    Each noun is imported when it is first asked for: a command pays for those that it uses.
    """

    def __init__(self, database: Database) -> None:
        """Work on an opened database; use `create` or `open`."""
        self._database = database

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

    def watch(self) -> "ChangeWatch":
        """Begin to watch for changes by others."""
        from orchestrator.store.watch import ChangeWatch

        return ChangeWatch(self._database)

    def doorbell(self) -> "Doorbell":
        """Begin to listen for letters that are left for hosts."""
        from orchestrator.store.doorbell import Doorbell

        return Doorbell(self._database)

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    @cached_property
    def hosts(self) -> "Hosts":
        """Return the hosts."""
        from orchestrator.store.hosts import Hosts

        return Hosts(self._database)

    @cached_property
    def keyrings(self) -> "Keyrings":
        """Return the versions of the keyring."""
        from orchestrator.store.keyrings import Keyrings

        return Keyrings(self._database)

    @cached_property
    def following(self) -> "Following":
        """Return which hosts lag behind."""
        from orchestrator.store.following import Following

        return Following(self._database)

    @cached_property
    def runs(self) -> "Runs":
        """Return the runs and host runs."""
        from orchestrator.store.runs import Runs

        return Runs(self._database)

    @cached_property
    def broker_users(self) -> "BrokerUsers":
        """Return the broker's users."""
        from orchestrator.store.broker_users import BrokerUsers

        return BrokerUsers(self._database)

    @cached_property
    def enrolments(self) -> "Enrolments":
        """Return the enrolments."""
        from orchestrator.store.enrolments import Enrolments

        return Enrolments(self._database)

    @cached_property
    def cancels(self) -> "Cancels":
        """Return the cancels."""
        from orchestrator.store.cancels import Cancels

        return Cancels(self._database)

    @cached_property
    def approvals(self) -> "Approvals":
        """Return the approvals."""
        from orchestrator.store.approvals import Approvals

        return Approvals(self._database)

    @cached_property
    def envelopes(self) -> "Envelopes":
        """Return the letters."""
        from orchestrator.store.envelopes import Envelopes

        return Envelopes(self._database)

    @cached_property
    def outgoing(self) -> "Outgoing":
        """Return what is due to be published."""
        from orchestrator.store.outgoing import Outgoing

        return Outgoing(self._database)

    @cached_property
    def incoming(self) -> "Incoming":
        """Return what comes from hosts."""
        from orchestrator.store.incoming import Incoming

        return Incoming(self._database)

    @cached_property
    def services(self) -> "Services":
        """Return the signs of life of services."""
        from orchestrator.store.services import Services

        return Services(self._database)

    @cached_property
    def pings(self) -> "Pings":
        """Return the pings."""
        from orchestrator.store.pings import Pings

        return Pings(self._database)

    @cached_property
    def presences(self) -> "Presences":
        """Return the presences of hosts."""
        from orchestrator.store.presences import Presences

        return Presences(self._database)

    @cached_property
    def certificates(self) -> "Certificates":
        """Return the certificates."""
        from orchestrator.store.certificates import Certificates

        return Certificates(self._database)

    @cached_property
    def firings(self) -> "Firings":
        """Return the firings of schedules."""
        from orchestrator.store.firings import Firings

        return Firings(self._database)

    @cached_property
    def secrets(self) -> "Secrets":
        """Return the secrets."""
        from orchestrator.store.secrets import Secrets

        return Secrets(self._database)
