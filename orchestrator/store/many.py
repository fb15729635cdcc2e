"""A statement for many rows at once: compiled once, and taken by the database as one.

SQLite takes it row by row within one call. PostgreSQL would plan, answer and be waited for row by
row, so it is given an array for each column, and joins with what `unnest` makes of them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Insert,
    String,
    Table,
    Text,
    Update,
    bindparam,
    cast,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

_Row = Mapping[str, ColumnElement[Any]]  # what stands for a row's values in a statement
_Types = Mapping[str, TypeEngine[Any]]

_AS_TEXT = re.compile(r"%\((\w+)\)s")  # %(…)b is binary: it need not escape each quote of a letter
_PREFIX = "row_"  # a parameter of a column's own name would be taken for something else


class Many:
    """Hands rows to the driver as they are: SQLAlchemy would look at every value of each again.

    So only for columns whose values the drivers take without conversion.
    """

    def __init__(self, by_row: Insert | Update, at_once: Insert | Update, names: _Types) -> None:
        """Take both spellings; made by `insert_many` and `update_many`."""
        self._by_row = by_row
        self._at_once = at_once
        self._names = tuple(names)
        self._compiled: dict[str, tuple[str, Callable[[Any], Any]]] = {}  # by dialect

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for rows that have all its values, within somebody's transaction."""
        name = connection.dialect.name
        if name not in self._compiled:
            self._compiled[name] = self._compile(connection)
        text, values_of = self._compiled[name]
        connection.exec_driver_sql(text, values_of(rows))

    def _compile(self, connection: Connection) -> tuple[str, Callable[[Any], Any]]:
        """Return the statement's text, and what makes its parameters of rows."""
        if connection.dialect.name == "postgresql":
            text = str(self._at_once.compile(dialect=connection.dialect))
            return _AS_TEXT.sub(r"%(\1)b", text), self._arrays
        compiled: Any = self._by_row.compile(dialect=connection.dialect)
        values = itemgetter(*(each.removeprefix(_PREFIX) for each in compiled.positiontup))
        return str(compiled), lambda rows: [*map(values, rows)]

    def _arrays(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        return {_PREFIX + name: [*map(itemgetter(name), rows)] for name in self._names}


def insert_many(table: Table, names: Sequence[str]) -> Many:
    """Return what inserts rows in their sequence, with values for these columns."""
    types = {name: table.c[name].type for name in names}
    each, all_ = _one(types), _all(types)
    at_once = insert(table).from_select(names, select(*all_.values()))
    return Many(insert(table).values(each), at_once, types)


def update_many(
    table: Table, where: Mapping[str, ColumnElement[Any]], names: Sequence[str]
) -> Many:
    """Return what sets columns where certain things are as a row says, each by its name there."""
    types = {name: each.type for name, each in where.items()}
    types |= {name: table.c[name].type for name in names}

    def spelled(row: _Row) -> Update:
        is_meant = (each == row[name] for name, each in where.items())
        return update(table).where(*is_meant).values({name: row[name] for name in names})

    return Many(spelled(_one(types)), spelled(_all(types)), types)


def _one(types: _Types) -> _Row:
    return {name: bindparam(_PREFIX + name, type_=type_) for name, type_ in types.items()}


def _all(types: _Types) -> _Row:
    arrays = (
        cast(bindparam(_PREFIX + name), ARRAY(_untrimmed(type_))) for name, type_ in types.items()
    )
    rows = func.unnest(*arrays).table_valued(*types).render_derived("given")
    return {name: rows.c[name] for name in types}


def _untrimmed(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type without a limit: a cast to one cuts off what an insertion refuses."""
    return Text() if isinstance(type_, String) else type_
