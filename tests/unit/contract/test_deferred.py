"""A deferred module: not there until somebody uses it, and then the real one."""

import subprocess
import sys

import pytest


def told(code: str) -> str:
    """Return what a fresh Python prints."""
    done = subprocess.run(
        [sys.executable, "-c", f"from contract.deferred import defer\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_deferred_module_that_is_imported_only_is_not_loaded() -> None:
    code = "defer('wave'); import sys, wave; print(len(vars(sys.modules['wave'])) < 10)"
    assert told(code) == "True"


@pytest.mark.parametrize(
    "use",
    [
        "import wave; print(wave.Wave_read.__name__)",
        "from wave import Wave_read; print(Wave_read.__name__)",
        "import wave; wave.open; import wave; print(wave.Wave_read.__name__)",
    ],
)
def test_deferred_module_that_is_used_is_the_real_one(use: str) -> None:
    assert told(f"defer('wave'); {use}") == "Wave_read"


def test_name_that_another_module_has_too_is_taken_without_loading() -> None:
    code = (
        "from contract.deferred import defer_but; import math, sys; "
        "defer_but('cmath', math, 'pi'); from cmath import pi; "
        "print('phase' in vars(sys.modules['cmath'])); "
        "from cmath import phase; print(phase(-1) == pi)"
    )
    assert told(code).split() == ["False", "True"]


def test_deferred_package_gives_its_modules_without_being_loaded() -> None:
    code = (
        "defer('xml.sax'); import sys, xml.sax.saxutils; "
        "print(xml.sax.saxutils.escape('<'), 'xml.sax.expatreader' in sys.modules)"
    )
    assert told(code) == "&lt; False"


def test_deferred_module_that_is_loaded_already_stays() -> None:
    assert told("import json; defer('json'); import json; print(json.dumps(1))") == "1"


def test_name_taken_from_a_deferred_module_loads_it_when_called() -> None:
    code = (
        "defer('xml.sax.saxutils', 'escape'); defer('wave', 'open'); import sys; "
        "from xml.sax.saxutils import escape; print(escape('<'), 'xml.sax' in sys.modules, "
        "len(vars(sys.modules['wave'])) < 10)"
    )
    assert told(code) == "&lt; True True"


def test_name_taken_from_a_deferred_package_loads_nothing() -> None:
    code = (
        "defer('asyncio', 'Lock'); import sys; from asyncio import Lock; "
        "from typing import Optional; Optional[Lock]; print('asyncio.locks' in sys.modules)"
    )
    assert told(code) == "False"
