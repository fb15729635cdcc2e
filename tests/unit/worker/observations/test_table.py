"""The law of the table: a probe gives exactly the fields that the contract declares."""

import socket
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from contract.expression import ValueType
from contract.observation import OBSERVATIONS
from tests.unit.worker.children import child, script
from tests.unit.worker.observations.certificates import certificate, pem
from worker.observations import PROBES
from worker.root import Root

_PYTHON = {
    ValueType.BOOL: bool,
    ValueType.INT: int,
    ValueType.STRING: str,
    ValueType.STRINGS: list,
    ValueType.TIMESTAMP: datetime,
    ValueType.DURATION: timedelta,
}
THERE: dict[str, dict[str, object]] = {
    "x509": {"path": "/there"},
    "process": {"pid_file": "/pid"},
    "file": {"path": "/there"},
    "glob": {"path": "/ther*"},
    "tcp": {"host": "127.0.0.1"},
    "command": {"argv": ["/tool"]},
}
ABSENT: dict[str, dict[str, object]] = {
    "x509": {"path": "/absent"},
    "process": {"pid_file": "/absent"},
    "file": {"path": "/absent"},
    "glob": {"path": "/absent*"},
    "tcp": {"host": "a..b"},
    "command": {"argv": ["/absent"]},
}


def test_probes_and_the_contract_name_the_same_kinds() -> None:
    assert PROBES.keys() == OBSERVATIONS.keys() == THERE.keys() == ABSENT.keys()


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_probe_of_what_is_there_gives_every_field_in_its_type(kind: str, tmp_path: Path) -> None:
    """When the guard holds, all fields are bound; CEL is given the types that lint checked."""
    (tmp_path / "there").write_bytes(pem(certificate(ed25519.Ed25519PrivateKey.generate())))
    script(tmp_path / "tool", "echo hello")
    with child("x") as pid, socket.create_server(("127.0.0.1", 0)) as listener:
        (tmp_path / "pid").write_text(str(pid))
        arguments = THERE[kind]
        if kind == "tcp":
            arguments = {**arguments, "port": listener.getsockname()[1]}
        declared = OBSERVATIONS[kind]
        seen = PROBES[kind](msgspec.convert(arguments, declared.arguments), Root(tmp_path))
    assert seen[declared.guard] is True
    assert {name: type(value) for name, value in seen.items()} == {
        name: _PYTHON[kind] for name, kind in declared.fields.items()
    }
    times = [value for value in seen.values() if isinstance(value, datetime)]
    assert all(time.utcoffset() == timedelta(0) for time in times)


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_probe_of_what_is_absent_gives_the_guard_and_the_unguarded(
    kind: str, tmp_path: Path
) -> None:
    declared = OBSERVATIONS[kind]
    seen = PROBES[kind](msgspec.convert(ABSENT[kind], declared.arguments), Root(tmp_path))
    assert seen[declared.guard] is False
    assert seen.keys() == {declared.guard} | declared.unguarded
