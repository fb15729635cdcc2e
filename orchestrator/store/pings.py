"""Questions to the hosts' executors, and their answers."""

from sqlalchemy import insert, select

from orchestrator.store import envelopes as letters
from orchestrator.store.database import Database
from orchestrator.store.record import NewEnvelope, PingRecord
from orchestrator.store.row import to_row
from orchestrator.store.schema import pings


class Pings:
    """Reads and writes pings."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, ping: PingRecord, letter: NewEnvelope) -> None:
        """Store a ping and its finished envelope."""
        with self._database.writing(rings=True) as connection:
            connection.execute(insert(pings).values(**to_row(ping)))
            letters.append(connection, [letter])

    def get(self, nonce: str) -> PingRecord | None:
        """Return a ping by its nonce."""
        with self._database.reading() as connection:
            query = select(pings).where(pings.c.nonce == nonce)
            row = connection.execute(query).mappings().first()
            return PingRecord(**row) if row else None
