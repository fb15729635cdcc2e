"""A statement that is executed for many rows at once, and was compiled once."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Insert, Update


class Many:
    """Hands rows to the driver as they are: SQLAlchemy would look at every value of each again.

    So only for columns whose values the drivers take without conversion.
    """

    def __init__(self, statement: Insert | Update, columns: Sequence[str] | None = None) -> None:
        """Prepare a statement; an insertion says for which columns."""
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, Any] = {}  # by dialect

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for rows that have all its parameters, within somebody's transaction."""
        compiled: Any = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = self._statement.compile(
                dialect=connection.dialect, column_keys=self._columns
            )
            self._compiled[connection.dialect.name] = compiled
        values: Sequence[Any] = rows
        if compiled.positional:
            values = [*map(itemgetter(*compiled.positiontup), rows)]
        connection.exec_driver_sql(str(compiled), values)
