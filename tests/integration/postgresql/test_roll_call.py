"""The same as with SQLite."""

from tests.integration.orchestrator.test_roll_call import *
