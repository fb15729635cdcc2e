"""The database behind the store: how it is opened, and how its transactions begin."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from contract.bell import ring
from contract.error import DenreiError

_BUSY_TIMEOUT_MS = 15_000
_WAL_PAGES = 4000  # 16 MiB; with the usual 1000 a busy recorder writes many pages twice as often


class StoreError(DenreiError):
    """The store can't be opened, read or written."""


class Database:
    """Transactions on one database. A failing database raises StoreError, never its own errors."""

    def __init__(self, url: str) -> None:
        """Prepare the engine; nothing is opened yet. Raises StoreError for a URL of no use."""
        try:
            self.engine = _engine(url)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise StoreError(f"the store's URL is of no use: {error}") from None

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @property
    def bell(self) -> Path | None:
        """Return where the dispatcher's bell is: beside an SQLite file, nowhere else."""
        file = self.engine.url.database if self.is_sqlite else None
        return Path(f"{file}-bell") if file else None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a transaction that sees one moment. Raises StoreError."""
        with _told(self.engine), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, *, rings: bool = False) -> Iterator[Connection]:
        """Give a transaction that is committed whole or not at all. Raises StoreError.

        One that `rings` leaves letters for hosts: the dispatcher is woken after the commit.
        """
        with _told(self.engine), self.engine.connect() as connection:
            # The write lock is taken at once: reading first and writing later could find, too
            # late, that somebody else wrote in between.
            eager = connection.execution_options(denrei_writing=True)
            with eager.begin():
                yield eager
        if rings and self.bell:
            ring(self.bell)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # a rule of the tables was about to be broken: the caller's business
    except DBAPIError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StoreError(f"the store {where} fails: {error.orig}") from error


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    """Set up one SQLite connection: durable, checked, and with transactions that we begin."""
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"wal_autocheckpoint={_WAL_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("denrei_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
