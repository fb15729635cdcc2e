"""The observation `unit`: what systemd says of a unit."""

from datetime import UTC, datetime

from contract.probe import Unit
from worker import proc, systemd
from worker.observations.observation import Fields, ObservationError
from worker.root import Root

_STARTED = "ExecMainStartTimestamp"
_OF_ALL = ("LoadState", "ActiveState", "SubState", "UnitFileState", "FragmentPath")
_OF_SERVICES = ("MainPID", "NRestarts", _STARTED)
_TIME = "%a %Y-%m-%d %H:%M:%S UTC"


def observe_unit(arguments: Unit, root: Root) -> Fields:
    """Ask `systemctl show`; a unit that nobody has installed is knowledge."""
    said = systemd.show(arguments.name, root, _OF_ALL, _OF_SERVICES)
    if said["LoadState"] == "not-found":
        return {"exists": False}
    main_pid = _number(said, "MainPID")
    started_at = _started_at(said, main_pid)
    return {
        "exists": True,
        "active": said["ActiveState"] in ("active", "reloading"),
        "active_state": said["ActiveState"],
        "sub_state": said["SubState"],
        "load_state": said["LoadState"],
        "unit_file_state": said["UnitFileState"],
        "enabled": said["UnitFileState"] in ("enabled", "enabled-runtime"),
        "main_pid": main_pid,
        "started": started_at is not None,
        **({"started_at": started_at} if started_at else {}),
        "n_restarts": _number(said, "NRestarts"),
        "fragment_path": said["FragmentPath"],
    }


def _number(said: dict[str, str], name: str) -> int:
    text = said.get(name, "")
    return int(text) if text.isdecimal() else 0


def _started_at(said: dict[str, str], main_pid: int) -> datetime | None:
    """Return when the main process began: exactly while it lives, then to the second.

    systemctl shows whole seconds: too coarse to be compared with a moment of this very run.
    """
    if main_pid and (stat := proc.read_stat(main_pid)):
        return proc.boot_moment() + proc.after_boot(stat.start_ticks)
    text = said.get(_STARTED, "")
    if text in ("", "n/a"):
        return None
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise ObservationError(f"systemd told a time that can't be read: {text!r}") from None
