"""Whether a text is one of many, which travel to the database as one parameter.

An IN has a parameter for each of them. SQLAlchemy and PostgreSQL's driver spell a hundred of those
anew every time, which takes longer than it takes the database to look them up. This one has a name
of its own, so that a statement with it is spelled once, and executed with a list for that name.
"""

import json
from typing import Any

from sqlalchemy import ARRAY, Boolean, ColumnElement, Dialect, Text, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine


def among(text: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a text is one of the list which is given under a name."""
    return _Among(text, bindparam(name, type_=_Texts()))


class _Texts(TypeDecorator[list[str]]):
    """Many texts as one value: an array where there are some, or else JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return what the database is to take it for."""
        return ARRAY(Text()) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        """Return what the driver is given."""
        return value if dialect.name == "postgresql" else json.dumps(value)


class _Among(FunctionElement[bool]):
    """The condition, of the text and the list."""

    type = Boolean()
    inherit_cache = True

    def self_group(self, against: Any = None) -> "_Among":  # noqa: ARG002 - part of its interface
        """Return itself: with the `= 1` of an SQLite boolean no index would serve it."""
        return self


@compiles(_Among, "postgresql")
def _postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    text, texts = (compiler.process(each, **options) for each in element.clauses)
    return f"{text} = ANY ({texts})"


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    text, texts = (compiler.process(each, **options) for each in element.clauses)
    return f"{text} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 - both are SQL
