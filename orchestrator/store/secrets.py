"""Stored secrets: encrypted before they come here, and decrypted elsewhere."""

from collections.abc import Callable

from sqlalchemy import delete, insert, select, update

from orchestrator.store.database import Database
from orchestrator.store.record import StoredSecret
from orchestrator.store.row import to_row
from orchestrator.store.schema import secrets


class Secrets:
    """Reads and writes encrypted secrets."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def all(self) -> list[StoredSecret]:
        """Return every secret by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(secrets).order_by(secrets.c.name)).mappings()
            return [StoredSecret(**row) for row in rows]

    def get(self, name: str) -> StoredSecret | None:
        """Return a secret by its name."""
        with self._database.reading() as connection:
            query = select(secrets).where(secrets.c.name == name)
            row = connection.execute(query).mappings().first()
            return StoredSecret(**row) if row else None

    def put(self, secret: StoredSecret) -> bool:
        """Store a secret; tell whether it replaced one of this name."""
        with self._database.writing() as connection:
            again = update(secrets).where(secrets.c.name == secret.name).values(**to_row(secret))
            if connection.execute(again).rowcount:
                return True
            connection.execute(insert(secrets).values(**to_row(secret)))
            return False

    def remove(self, name: str) -> bool:
        """Forget a secret; tell whether there was one."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(secrets).where(secrets.c.name == name))
            return bool(gone.rowcount)

    def change_all(self, change: Callable[[StoredSecret], StoredSecret]) -> int:
        """Replace every secret by what it becomes, all or none; return how many."""
        with self._database.writing() as connection:
            rows = [StoredSecret(**row) for row in connection.execute(select(secrets)).mappings()]
            for row in rows:
                where = update(secrets).where(secrets.c.name == row.name)
                connection.execute(where.values(**to_row(change(row))))
        return len(rows)
