"""The broker's users as Denrei made them: what each one's password looks like to the broker."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select, update

from orchestrator.store.database import Database
from orchestrator.store.schema import broker_users


class BrokerUsers:
    """Reads and writes the digests of the broker's users."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def all(self) -> Mapping[str, str]:
        """Return every user's digest by its name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(broker_users).order_by(broker_users.c.name))
            return {row.name: row.digest for row in rows}

    def names(self, prefix: str) -> list[str]:
        """Return the names that begin so: hosts are many, and open enrolments few."""
        begins = broker_users.c.name.startswith(prefix, autoescape=True)
        with self._database.reading() as connection:
            return list(connection.execute(select(broker_users.c.name).where(begins)).scalars())

    def put(self, name: str, digest: str) -> None:
        """Keep a user's digest in place of an older one."""
        with self._database.writing() as connection:
            named = broker_users.c.name == name
            changed = connection.execute(update(broker_users).where(named).values(digest=digest))
            if not changed.rowcount:
                connection.execute(insert(broker_users).values(name=name, digest=digest))

    def forget(self, name: str) -> None:
        """Forget a user; nothing happens if it is not known."""
        with self._database.writing() as connection:
            connection.execute(delete(broker_users).where(broker_users.c.name == name))
