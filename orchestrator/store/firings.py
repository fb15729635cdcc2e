"""When schedules were due, and what came of it."""

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from orchestrator.store.database import Database
from orchestrator.store.record import Firing
from orchestrator.store.row import to_row
from orchestrator.store.schema import firings


class Firings:
    """Reads firings, and notes those that made no run."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def list(self, schedule: str, limit: int = 20) -> list[Firing]:
        """Return a schedule's firings, the newest first."""
        query = select(firings).where(firings.c.schedule == schedule)
        query = query.order_by(firings.c.slot.desc()).limit(limit)
        with self._database.reading() as connection:
            return [Firing(**row) for row in connection.execute(query).mappings()]

    def latest(self) -> dict[str, Firing]:
        """Return each schedule's newest firing."""
        newest = select(firings.c.schedule, func.max(firings.c.slot).label("slot"))
        newest_slots = newest.group_by(firings.c.schedule).subquery()
        same = (firings.c.schedule == newest_slots.c.schedule) & (
            firings.c.slot == newest_slots.c.slot
        )
        with self._database.reading() as connection:
            rows = connection.execute(select(firings).join(newest_slots, same)).mappings()
            return {row["schedule"]: Firing(**row) for row in rows}

    def note(self, firing: Firing) -> bool:
        """Note a firing that made no run; False if this slot is taken already."""
        try:
            with self._database.writing() as connection:
                connection.execute(insert(firings).values(**to_row(firing)))
        except IntegrityError:
            return False
        return True
