"""The keyrings of the fleet, every version as the letter that its roots signed."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, func, insert, select, update

from contract.keyring import Keyring
from contract.order import letter_digest
from contract.succession import read_keyring
from orchestrator.store.database import Database, StoreError
from orchestrator.store.schema import hosts, keyrings

_NEWEST = select(func.max(keyrings.c.version))


class Keyrings:
    """Reads and adds keyrings; whoever adds one has verified it."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def add(self, letter: bytes, at: int) -> Keyring:
        """Add the next keyring. Raises StoreError if its version is there already."""
        keyring = read_keyring(letter)
        values = {
            "version": keyring.version,
            "digest": letter_digest(letter),
            "data": letter,
            "at": at,
        }
        with self._database.writing(rings=True) as connection:
            connection.execute(insert(keyrings).values(**values))
            connection.execute(update(hosts).values(follow_at=at, follow_pause_ms=0))
        return keyring

    def newest(self) -> Keyring:
        """Return the keyring that counts now. Raises StoreError if there is none."""
        return read_keyring(self.newest_letter())

    def newest_letter(self) -> bytes:
        """Return the letter of the keyring that counts now. Raises StoreError if there is none."""
        query = select(keyrings.c.data).order_by(keyrings.c.version.desc()).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise StoreError("the store has no keyring; was it made by `denrei init`?")
        return _data(row)

    def newest_version(self) -> int:
        """Return the version that counts now; 0 if there is none."""
        with self._database.reading() as connection:
            return connection.execute(_NEWEST).scalar() or 0

    def after(self, version: int) -> list[bytes]:
        """Return the letters of all later versions, the oldest first."""
        query = select(keyrings.c.data).where(keyrings.c.version > version)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(keyrings.c.version)).mappings()
            return [_data(row) for row in rows]

    def all(self) -> Sequence[Keyring]:
        """Return every version, the oldest first."""
        return [read_keyring(letter) for letter in self.after(0)]


def _data(row: RowMapping) -> bytes:
    return bytes(row["data"])
