"""A table whose functions are imported when they are asked for."""

import subprocess
import sys

import pytest

from worker.late import Late

TABLE: Late[object] = Late({"join": "posixpath:join", "no_module": "no.such:x", "no_name": "os:x"})


def test_late_table_gives_what_a_name_stands_for() -> None:
    assert TABLE["join"] is __import__("posixpath").join
    assert list(TABLE) == ["join", "no_module", "no_name"]
    assert len(TABLE) == 3


def test_late_table_without_a_name_says_so_as_any_mapping() -> None:
    assert TABLE.get("other") is None
    with pytest.raises(KeyError):
        TABLE["other"]


@pytest.mark.parametrize(
    ("name", "error"), [("no_module", ImportError), ("no_name", AttributeError)]
)
def test_late_table_with_a_wrong_place_fails_when_it_is_used(
    name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        TABLE[name]


def test_tables_of_kinds_import_none_of_them_by_themselves() -> None:
    code = (
        "import sys, worker.observations.table, worker.actions.table; "
        "print(sorted({'worker.observations.x509', 'worker.actions.command'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
