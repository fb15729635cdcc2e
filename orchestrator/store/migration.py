"""Brings the tables of a database to the version that this program knows."""

from pathlib import Path

from sqlalchemy import inspect, text

from orchestrator.store.database import Database, StoreError

HEAD = "0003"  # the newest revision in migrations/versions; a test holds the two together
_SCRIPTS = Path(__file__).with_name("migrations")


def check(database: Database) -> None:
    """See to it that the tables are there and up to date. Raises StoreError."""
    found = _version(database)
    if found is None:
        where = database.engine.url.render_as_string(hide_password=True)
        raise StoreError(f"there is no store at {where}; run `denrei init`")
    if found == HEAD:
        return
    if found > HEAD:
        message = f"the store is of a newer version ({found}) than this program ({HEAD}); update it"
        raise StoreError(message)
    upgrade(database)


def upgrade(database: Database) -> None:
    """Run every migration that is missing, in one transaction. Raises StoreError."""
    # Imported late: it costs more than most commands take, and is hardly ever needed.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _version(database: Database) -> str | None:
    if database.is_sqlite and not _file_exists(database):
        return None  # merely looking must not make an empty file
    with database.reading() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return None if version is None else str(version)


def _file_exists(database: Database) -> bool:
    name = database.engine.url.database
    return not name or name == ":memory:" or Path(name).exists()
