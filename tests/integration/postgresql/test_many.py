"""The same as with SQLite, and what only PostgreSQL refuses."""

import pytest

from orchestrator.store.database import Database, StoreError
from tests.integration.orchestrator.test_many import *
from tests.integration.orchestrator.test_many import _APPEND


def test_insert_many_text_that_is_too_long_is_refused_and_not_cut(database: Database) -> None:
    with pytest.raises(StoreError, match="too long"), database.writing() as connection:
        _APPEND.execute(connection, [letter(1, host="h" * 64)])
