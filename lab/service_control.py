"""The stand-in for O/bin/service_control (oms-agent.md section 5), after SysV or systemd.

Kept as upstream has them: no `status`, `is-running` inverted (and 1 when omsadmin.conf is missing),
omsadmin.conf sourced by a shell, "running" meaning only that some process has the pid, a restart
that registers a lost service again, exit 0 for stopping what is stopped.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab import key_value, process, settings
from lab.exit_code import Service as Code
from lab.places import Places, Workspace

_START, _TERM, _KILL = 18.0, 10.0, 5.0  # upstream's seconds
_POLL = 0.01
_UNITS = "usr/lib/systemd/system"
_USAGE = "usage: service_control start|stop|restart|reload|enable|disable|is-running [workspace]"


class Service:
    """The service of one workspace."""

    def __init__(self, places: Places, name: str) -> None:
        self._places = places
        self._ours: Workspace = places.workspace(name)
        told = settings.read(places.root)
        self._pace = told.pace
        self._has_systemd = told.manager == "systemd"

    def is_running(self) -> int:
        """Give 1 for running, 0 for not; 1 also for a workspace that was never onboarded."""
        if not self._ours.identity.exists():
            return 1
        return 1 if self._running() else 0

    def start(self) -> int:
        if not self._sourced():
            return Code.FAILED
        if not self._ours.registered_marker.exists():
            self._register()
        state = self._state()
        if state in ("T", "t", "Z"):
            return Code.INTERNAL if state == "t" else Code.STOPPED
        if not self._running():
            self._ours.pid_file.unlink(missing_ok=True)
            self._launch()
        return Code.DONE if self._wait(self._running, _START) else Code.FAILED

    def stop(self) -> int:
        return self._end() if self._sourced() else Code.FAILED

    def restart(self) -> int:
        """Stop and start; a lost unit and symlink are made again first."""
        if not self._sourced():
            return Code.FAILED
        if not self._ours.registered_marker.exists():
            self._register()
        return self._end() or self.start()

    def enable(self) -> int:
        if not self._sourced():
            return Code.FAILED
        self._register()
        return Code.DONE

    def disable(self) -> int:
        """Stop, and remove the unit and its marker; the program's symlink survives."""
        code = self._end()
        self._unit().unlink(missing_ok=True)
        self._ours.registered_marker.unlink(missing_ok=True)
        return code

    def _sourced(self) -> bool:
        if not self._ours.identity.exists():
            return False
        key_value.source(self._ours.identity, ["WORKSPACE_ID"])
        return True

    def _register(self) -> None:
        self._unit().parent.mkdir(parents=True, exist_ok=True)
        self._unit().write_text(f"#!/bin/sh\n# service of workspace {self._ours.name}\n")
        if not self._program().is_symlink():
            self._program().symlink_to("omsagent")
        self._ours.registered_marker.touch()

    def _launch(self) -> None:
        ours = self._ours
        program = self._program().with_name("omsagent") if self._has_systemd else self._program()
        command = [str(self._places.ruby), str(program), "-d", str(ours.pid_file)]
        command += ["--no-supervisor", "-o", str(ours.log), "-c", str(ours.daemon_config)]
        if self._has_systemd:
            command = [*(word for word in command if word != "--no-supervisor"), "--no-supervisor"]
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            check=False,
        )

    def _end(self) -> int:
        pid = process.read_pid(self._ours.pid_file)
        if pid is None or not process.alive(pid):
            self._ours.pid_file.unlink(missing_ok=True)
            return Code.DONE
        for number, seconds in ((signal.SIGTERM, _TERM), (signal.SIGKILL, _KILL)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                break
            if self._wait(lambda: not process.alive(pid), seconds):
                break
        else:
            return Code.PID_FILE_STAYS
        complain("error: list of process IDs must follow -p")  # upstream's noise at a good stop
        self._ours.pid_file.unlink(missing_ok=True)
        return Code.DONE

    def _state(self) -> str | None:
        pid = process.read_pid(self._ours.pid_file)
        return process.state(pid) if pid else None

    def _running(self) -> bool:
        return self._state() in ("R", "S", "D", "I")

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds * self._pace
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def _unit(self) -> Path:
        if self._has_systemd:
            return self._places.root / _UNITS / f"omsagent-{self._ours.name}.service"
        return self._places.root / "etc/init.d" / f"omsagent-{self._ours.name}"

    def _program(self) -> Path:
        return self._places.program / "bin" / f"omsagent-{self._ours.name}"


_VERBS: dict[str, Callable[[Service], int]] = {
    "start": Service.start,
    "stop": Service.stop,
    "restart": Service.restart,
    "reload": Service.restart,
    "enable": Service.enable,
    "disable": Service.disable,
}


def allowed(root: Path, user: int) -> bool:
    """Say whether the user counts as root and as omsagent: who owns the lab host, and root."""
    return user in (0, root.stat().st_uid)


def complain(text: str) -> None:
    """Print to standard error."""
    sys.stderr.write(text + "\n")


def main(root: str, argv: list[str]) -> int:
    """Run one verb for one workspace, or for all of them."""
    places = Places(Path(root))
    verb, name = [*argv, "", ""][:2]
    if not verb:
        complain(_USAGE)
        return Code.NO_VERB
    if verb in _FOR_EVERYBODY:
        return _FOR_EVERYBODY[verb](places, name)
    if verb not in _VERBS:
        complain(_USAGE)
        return Code.BAD_VERB
    if not allowed(places.root, os.geteuid()):
        complain(f"ERROR:  service_control {verb} must be run as root")
        return Code.NOT_ROOT
    return _VERBS[verb](Service(places, name)) if name else _everywhere(places, verb)


def _help(_places: Places, _name: str) -> int:
    sys.stdout.write(_USAGE + "\n")
    return Code.DONE


def _find_systemd_dir(places: Places, _name: str) -> int:
    if settings.read(places.root).manager != "systemd":
        return Code.NO_SERVICE_MANAGER
    sys.stdout.write(f"/{_UNITS}\n")
    return Code.DONE


def _is_running(places: Places, name: str) -> int:
    return Service(places, name or places.primary() or "none").is_running()


_FOR_EVERYBODY: dict[str, Callable[[Places, str], int]] = {
    "help": _help,
    "functions": lambda _places, _name: Code.DONE,
    "find-systemd-dir": _find_systemd_dir,
    "is-running": _is_running,
}


def _everywhere(places: Places, verb: str) -> int:
    """Do it for every UUID-named workspace and scom, never LAD; give the number of failures."""
    names = places.workspaces()
    if (places.config / "scom").is_dir():
        names.append("scom")
    failures = 0
    for name in names:
        code = _VERBS[verb](Service(places, name))
        if code:
            failures += 1
            told = f"{verb}_omsagent failed with result '{int(code)}' on workspace {name}"
            complain(f"ERROR:  {told}")
    return failures
