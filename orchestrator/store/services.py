"""Signs of life of the orchestrator's own processes."""

from sqlalchemy import RowMapping, delete, insert, select, update

from orchestrator.store.database import Database
from orchestrator.store.record import Service, ServiceName
from orchestrator.store.row import to_row
from orchestrator.store.schema import services


class Services:
    """Reads and writes signs of life."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def all(self) -> list[Service]:
        """Return every service that ever ran, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(services).order_by(services.c.name)).mappings()
            return [_service(row) for row in rows]

    def get(self, name: ServiceName) -> Service | None:
        """Return a service's last sign of life."""
        return next((service for service in self.all() if service.name is name), None)

    def beat(self, service: Service) -> None:
        """Leave a sign of life."""
        with self._database.writing() as connection:
            named = services.c.name == service.name.value
            values = to_row(service)
            if not connection.execute(update(services).where(named).values(**values)).rowcount:
                connection.execute(insert(services).values(**values))

    def leave(self, name: ServiceName, pid: int) -> None:
        """Take the sign of life away at an orderly end, unless another process left it."""
        with self._database.writing() as connection:
            own = (services.c.name == name.value) & (services.c.pid == pid)
            connection.execute(delete(services).where(own))


def _service(row: RowMapping) -> Service:
    return Service(**{**row, "name": ServiceName(row["name"])})
