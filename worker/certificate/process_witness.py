"""Asks for the process that uses a certificate: when it, or one below it, read its files."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from contract.probe import CertificateState, Process
from worker import proc, systemd
from worker.certificate.witness import NotRunning, ProcessWitness, Running
from worker.observations.process import find
from worker.process_tree import descendants
from worker.root import Root

_RELOADED = re.compile(
    r"start_time=\[\w+ (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC\].*code=exited ; status=0"
)


def ask_process(arguments: CertificateState, root: Root) -> ProcessWitness | None:
    """Return what runs; None if no process was asked for. Raises DenreiError if none can tell."""
    wanted = Process(arguments.pid_file, arguments.cmdline, arguments.unit, arguments.user)
    if not (wanted.pid_file or wanted.cmdline or wanted.unit):
        return None
    booted = proc.boot_moment()
    found = find(wanted, root, booted)
    if not found:
        return NotRunning(_description(wanted))
    oldest = min(found, key=lambda stat: (stat.start_ticks, stat.pid))
    youngest = max(stat.start_ticks for stat in [*found, *descendants(oldest.pid)])
    return Running(
        pid=oldest.pid,
        name=oldest.name,
        started_at=booted + proc.after_boot(oldest.start_ticks),
        newest=booted + proc.after_boot(youngest),
        reloaded_at=reloaded_at(wanted.unit, root) if wanted.unit else None,
    )


def pids_of(process: Running) -> Sequence[int]:
    """Return the process and all below it."""
    return [process.pid, *(stat.pid for stat in descendants(process.pid))]


def reloaded_at(unit: str, root: Root) -> datetime | None:
    """Return when systemd reloaded a unit last with success, if it did since it was started."""
    said = systemd.show(unit, root, (), ("ExecReload",)).get("ExecReload", "")
    found = _RELOADED.search(said)
    if not found:
        return None
    return datetime.strptime(found[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


def _description(wanted: Process) -> str:
    if wanted.unit:
        return f"unit {wanted.unit}"
    if wanted.pid_file and wanted.cmdline:
        return f"pid file {wanted.pid_file}, command line {wanted.cmdline!r}"
    return f"pid file {wanted.pid_file}" if wanted.pid_file else f"command line {wanted.cmdline!r}"
