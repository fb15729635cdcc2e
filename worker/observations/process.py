"""The observation `process`: one running process, told apart from any other, ever."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from contract.probe import Process
from worker import proc, systemd
from worker.observations.content import open_regular
from worker.observations.observation import Fields, ObservationError, looking_at
from worker.proc import ProcessStat
from worker.root import Root, UnknownNameError

_PID_FILE_BYTES = 64
_WRITING_TAKES = timedelta(seconds=2)


def observe_process(arguments: Process, root: Root) -> Fields:
    """Find the process by its unit, else by its pid file, else by its command line."""
    booted = proc.boot_moment()  # once, so that all that is said here uses one clock offset
    found = find(arguments, root, booted)
    if not found:
        return {"running": False}
    oldest = min(found, key=lambda stat: (stat.start_ticks, stat.pid))
    user = proc.effective_user(oldest.pid)
    if user is None:
        return {"running": False}  # it went while we looked
    boot = proc.boot_id()
    return {
        "running": True,
        "pid": oldest.pid,
        "started_at": booted + proc.after_boot(oldest.start_ticks),
        "user": root.user_name(user),
        "boot_id": boot,
        "start_ticks": oldest.start_ticks,
        "identity": f"{boot}:{oldest.pid}:{oldest.start_ticks}",
        "count": len(found),
    }


def find(arguments: Process, root: Root, booted: datetime) -> list[ProcessStat]:
    """Return every process that fits. Raises DenreiError if that can't be told."""
    try:
        return _find(arguments, root, booted)
    except UnknownNameError as error:
        raise ObservationError(str(error)) from None


def _find(arguments: Process, root: Root, booted: datetime) -> list[ProcessStat]:
    if arguments.unit:
        return _fitting([_main_pid(arguments.unit, root)], arguments, root)
    if arguments.pid_file:
        found = _fitting(_pid_in_file(arguments.pid_file, root, booted), arguments, root)
        if found or not arguments.cmdline:
            return found
    if arguments.cmdline:
        others = [pid for pid in proc.pids() if pid != os.getpid()]
        return _fitting(others, arguments, root)
    raise ObservationError("a process needs a pid_file, a cmdline or a unit")


def _fitting(pids: Iterable[int], arguments: Process, root: Root) -> list[ProcessStat]:
    text = arguments.cmdline or ""
    text = root.prefix(text) if text.startswith("/") else text
    found = [proc.read_stat(pid) for pid in pids if text in proc.command_line(pid)]
    alive = [stat for stat in found if stat and stat.is_alive]
    if not alive or not arguments.user:
        return alive
    user = root.user_id(arguments.user)
    return [stat for stat in alive if proc.effective_user(stat.pid) == user]


def _pid_in_file(pid_file: str, root: Root, booted: datetime) -> list[int]:
    """Return the pid in the file, unless its process is too young to have written it."""
    path = root.locate(pid_file)
    file = open_regular(path)
    if file is None:
        return []
    with file, looking_at(path):
        content = file.read(_PID_FILE_BYTES).split()
        written_at = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, tz=UTC)
    if not content or not content[0].isdigit():
        return []
    stat = proc.read_stat(int(content[0]))
    if stat is None or booted + proc.after_boot(stat.start_ticks) > written_at + _WRITING_TAKES:
        return []  # the pid went to another process since
    return [stat.pid]


def _main_pid(unit: str, root: Root) -> int:
    said = systemd.show(unit, root, (), ("MainPID",)).get("MainPID", "")
    return int(said) if said.isdecimal() else 0
