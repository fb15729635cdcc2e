"""The laws of the table: a probe gives exactly the declared fields, and changes nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from contract.expression import ValueType
from contract.observation import OBSERVATIONS
from tests.unit.worker.children import child, script
from tests.unit.worker.observations.certificates import certificate, pem
from tests.unit.worker.observations.servers import in_tls, saying, server_context, serving
from tests.unit.worker.snapshot import snapshot
from tests.unit.worker.still import still
from tests.unit.worker.systemd_stand_in import systemd, unit
from worker.observations.observation import CertificateFields, Fields
from worker.observations.table import PROBES, TELLS_OF_CERTIFICATES
from worker.root import Root

_PYTHON = {
    ValueType.BOOL: bool,
    ValueType.INT: int,
    ValueType.STRING: str,
    ValueType.STRINGS: list,
    ValueType.TIMESTAMP: datetime,
    ValueType.DURATION: timedelta,
}
LOG = "2026-01-01T00:00:00Z error\n"
THERE: dict[str, dict[str, object]] = {
    "x509": {"path": "/there"},
    "certificate_state": {"path": "/there", "pid_file": "/pid"},
    "certificates": {"paths": ["/there"]},
    "process": {"pid_file": "/pid"},
    "file": {"path": "/there"},
    "glob": {"path": "/ther*"},
    "tcp": {"host": "127.0.0.1"},
    "tls": {"host": "127.0.0.1"},
    "http": {"url": "http://127.0.0.1:PORT/"},
    "unit": {"name": "web.service"},
    "log": {"path": "/log", "match": "error"},
    "json": {"path": "/json", "pointer": "/0"},
    "command": {"argv": ["/tool"]},
}
ABSENT: dict[str, dict[str, object]] = {
    "x509": {"path": "/absent"},
    "certificate_state": {"path": "/absent", "pid_file": "/absent"},
    "certificates": {},
    "process": {"pid_file": "/absent"},
    "file": {"path": "/absent"},
    "glob": {"path": "/absent*"},
    "tcp": {"host": "a..b"},
    "tls": {"host": "a..b"},
    "http": {"url": "http://a..b/"},
    "unit": {"name": "absent.service"},
    "log": {"path": "/absent", "match": "error"},
    "json": {"path": "/absent", "pointer": "/0"},
    "command": {"argv": ["/absent"]},
}
NOT_IN_USE = {
    *("pid", "loaded_at"),
    *("served_not_before", "served_not_after", "served_serial", "served_sha256", "lost_names"),
}
BY_PROGRAM = {"command", "unit"}  # these look by running one


def test_probes_and_the_contract_name_the_same_kinds() -> None:
    assert PROBES.keys() == OBSERVATIONS.keys() == THERE.keys() == ABSENT.keys()


def test_probes_that_tell_of_certificates_are_those_that_say_so() -> None:
    telling = {
        kind
        for kind, probe in PROBES.items()
        if get_type_hints(probe)["return"] is CertificateFields
    }
    assert telling == TELLS_OF_CERTIFICATES


@contextmanager
def full(root: Path) -> Iterator[Mapping[str, int]]:
    """Fill a host with something of every kind; give the ports of its servers."""
    (root / "there").write_bytes(pem(certificate(ed25519.Ed25519PrivateKey.generate())))
    (root / "log").write_text(LOG)
    (root / "json").write_text("[1]")
    script(root / "tool", "echo hello")
    answer = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    with (
        child("x") as pid,
        serving(in_tls(server_context(root))) as tls,
        serving(answer) as http,
    ):
        (root / "pid").write_text(str(pid))
        unit(systemd(root), "web.service", MainPID=pid)
        yield {"tls": tls, "certificate_state": tls, "tcp": http, "http": http}


def look(kind: str, arguments: Mapping[str, object], root: Path, port: int = 0) -> Fields:
    """Observe as a runbook would, in a fork in which the kernel forbids every change."""
    tree = dict(arguments)
    if kind in ("tls", "tcp", "certificate_state") and port:
        tree["port"] = port
    if kind == "http":
        tree["url"] = str(tree["url"]).replace("PORT", str(port))
    converted = msgspec.convert(tree, OBSERVATIONS[kind].arguments)
    return still(lambda: PROBES[kind](converted, Root(root)), may_start=kind in BY_PROGRAM)


@pytest.mark.parametrize("kind", OBSERVATIONS)
def test_probe_of_what_is_there_gives_every_field_and_changes_nothing(
    kind: str, tmp_path: Path
) -> None:
    """When the guard holds, all fields are bound; CEL is given the types that lint checked."""
    with full(tmp_path) as ports:
        before = snapshot(tmp_path)
        seen = look(kind, THERE[kind], tmp_path, ports.get(kind, 0))
        assert snapshot(tmp_path) == before
    declared = OBSERVATIONS[kind]
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
    systemd(tmp_path)
    before = snapshot(tmp_path)
    seen = look(kind, ABSENT[kind], tmp_path)
    assert seen[declared.guard] is False
    assert seen.keys() == {declared.guard} | declared.unguarded
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize(
    ("kind", "arguments", "unbound"),
    [
        ("log", {"path": "/log", "match": "none"}, {"last", "last_at"}),
        ("log", {"path": "/there", "match": "BEGIN"}, {"last_at"}),
        ("json", {"path": "/json", "pointer": ""}, {"number"}),
        ("certificate_state", {"path": "/there", "pid_file": "/no", "made_here": True}, NOT_IN_USE),
        ("unit", {"name": "idle.service"}, {"started_at"}),
    ],
)
def test_field_with_a_guard_of_its_own_is_there_only_with_it(
    kind: str, arguments: dict[str, object], unbound: set[str], tmp_path: Path
) -> None:
    declared = OBSERVATIONS[kind]
    with full(tmp_path):
        unit(tmp_path / "units", "idle.service", ActiveState="inactive")
        seen = look(kind, arguments, tmp_path)
    assert declared.fields.keys() - seen.keys() == unbound
    assert all(seen[declared.further_guards[name]] is False for name in unbound)
    assert all(
        declared.fields[guard] is ValueType.BOOL for guard in declared.further_guards.values()
    )
