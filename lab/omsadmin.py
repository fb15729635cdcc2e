"""The stand-in for O/bin/omsadmin.sh (oms-agent.md sections 6 and 7), dangers included.

Arguments are split again at blanks and globs; one call does onboard, list, -U, -R, -x, -X in this
order whatever the order of the options; -p writes E/proxy.conf before anything is tried; -x removes
whatever has that name; the onboarding file is sourced by a shell and stays after a failure. One
danger ends at the lab's border: `-x ..` removes nothing outside of the agent's directories.
"""

import getopt
import glob
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lab import key_value, settings
from lab.exit_code import Onboarding as Code
from lab.onboarding import Onboarding, Request, configure_surroundings, say, tell
from lab.places import PRIMARY_CONFIG_LINKS, PRIMARY_STATE_LINKS, Places
from lab.service_control import Service, allowed, complain

_OPTIONS = "w:s:d:p:u:a:m:vlx:XURo:h"
_FILE_NAMES = ("WORKSPACE_ID", "SHARED_KEY", "URL_TLD", "PROXY", "MULTI_HOMING_MARKER")
_USAGE = """Maintenance tool for OMS:
Onboarding: omsadmin.sh -w <workspace id> -s <shared key> [-d <top level domain>]
            [-p <proxy>] [-u <proxy user>] [-a <azure resource id>] [-m <marker>] [-v]
List: -l   Remove one: -x <workspace id>   Remove all: -X
Migrate: -U   Directories and logrotate: -R   SCOM port: -o <port>   Help: -h"""


class ExitError(Exception):
    """Ends the script at once, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Call:
    """The options of one call; flags are in it with an empty value."""

    given: dict[str, str]
    from_file: bool = False
    names: dict[str, str] = field(default_factory=dict)

    def value(self, option: str, name: str = "") -> str:
        return self.given.get(option) or self.names.get(name, "")


class Omsadmin:
    """One call of the script on one host."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def run(self, call: Call) -> int:
        self._log_first_line(call)
        self._write_proxy(call)
        if call.from_file or "-w" in call.given or "-s" in call.given:
            self._onboard(call)
        if "-l" in call.given:
            self._list()
        if "-U" in call.given:
            self._migrate()
        if "-R" in call.given:
            self._rebuild()
        if "-o" in call.given:
            self._scom(call.given["-o"])
        if "-x" in call.given:
            self._remove(call.given["-x"])
        if "-X" in call.given:
            self._remove_all()
        return Code.DONE

    def _log_first_line(self, call: Call) -> None:
        """Die where `set -e` meets a dead `logger`: with the file or -p, not with a plain -w."""
        dead = settings.read(self._places.root).logger != "alive"
        if dead and (call.from_file or "-p" in call.given):
            raise ExitError(Code.NOT_ALLOWED)

    def _write_proxy(self, call: Call) -> None:
        proxy = call.value("-p", "PROXY")
        if "-u" in call.given:
            if not proxy:
                raise ExitError(Code.PROXY)
            tell(f"Proxy password for {call.given['-u']}: ")
            proxy = f"{call.given['-u']}:{sys.stdin.readline().strip()}@{proxy}"
        if proxy:
            path = self._places.proxy
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(proxy + "\n")
            say("info", f"Created proxy configuration: {path}")

    def _onboard(self, call: Call) -> None:
        request = Request(
            workspace=call.value("-w", "WORKSPACE_ID"),
            key=call.value("-s", "SHARED_KEY"),
            tld=call.value("-d", "URL_TLD") or "opinsights.azure.com",
            resource_id=call.value("-a"),
            marker=call.value("-m", "MULTI_HOMING_MARKER"),
            verbose="-v" in call.given,
        )
        code = Onboarding(self._places, request).run()
        if code:
            raise ExitError(code)
        if call.from_file:
            self._places.onboarding_file.unlink(missing_ok=True)

    def _list(self) -> None:
        names = self._places.workspaces()
        if not names:
            tell("No Workspace")
        for name in names:
            kind = "Primary" if name == self._places.primary() else "Secondary"
            tell(f"{kind} Workspace: {name}    Status: {self._status(name)}")

    def _status(self, name: str) -> str:
        ours = self._places.workspace(name)
        if Service(self._places, name).is_running() == 1:
            return "Onboarded(OMSAgent Running)"
        if ours.registered_marker.exists():
            return "Warning(OMSAgent Registered, Not Running)"
        return "Saved(OMSAgent Not Registered, Workspace Configuration Saved)"

    def _migrate(self) -> None:
        old = self._places.config / "conf/proxy.conf"
        if old.exists() and not self._places.proxy.exists():
            shutil.copyfile(old, self._places.proxy)
            self._places.proxy.chmod(0o600)

    def _rebuild(self) -> None:
        for name in self._places.workspaces():
            self._places.workspace(name).make_directories()
            configure_surroundings(self._places, name)

    def _scom(self, port: str) -> None:
        scom = self._places.workspace("scom")
        scom.make_directories()
        (scom.config / "conf/scom_port.conf").write_text(port + "\n")

    def _remove_all(self) -> None:
        names = self._places.workspaces()
        names += [name for name in ("scom", "LAD") if (self._places.config / name).is_dir()]
        for name in names:
            self._remove(name)

    def _remove(self, name: str) -> None:
        """Do what `rm -rf V/$1 E/$1` does, whatever $1 is."""
        if (self._places.config / name / "conf").is_dir():
            Service(self._places, name).disable()
        for folder in (self._places.state, self._places.config):
            _wipe(folder, name)
        _unlink_dangling(self._places)
        rsyslog = self._places.root / "etc/rsyslog.d/95-omsagent.conf"
        if rsyslog.exists():
            lines = rsyslog.read_text().splitlines(keepends=True)
            rsyslog.write_text("".join(line for line in lines if name not in line))
        (self._places.root / "etc/logrotate.d" / f"omsagent-{name}").unlink(missing_ok=True)
        say("info", f"Workspace {name} removed")


def _wipe(folder: Path, name: str) -> None:
    path = Path(os.path.normpath(folder / name))
    if not path.is_relative_to(folder):
        return
    if path.is_symlink() or path.is_file():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _unlink_dangling(places: Places) -> None:
    links = [places.config / name for name in PRIMARY_CONFIG_LINKS]
    links += [places.state / name for name in PRIMARY_STATE_LINKS]
    for link in links:
        if link.is_symlink() and not link.exists():
            link.unlink()


def _parse(places: Places, argv: list[str]) -> Call:
    words = _split_again(argv)
    try:
        pairs, rest = getopt.getopt(words, _OPTIONS)
    except getopt.GetoptError as error:
        complain(f"{error}\n{_USAGE}")
        raise ExitError(Code.BAD_OPTION) from error
    given = dict(pairs)
    if rest:
        complain(f"Parsing error: '{' '.join(rest)}' is unparsed\n{_USAGE}")
        raise ExitError(Code.BAD_OPTION)
    if set(given) - {"-v"}:
        return Call(given)
    path = places.onboarding_file
    if not path.exists():
        complain(_USAGE)
        raise ExitError(Code.BAD_OPTION)
    return Call(given, from_file=True, names=key_value.source(path, _FILE_NAMES))


def _split_again(argv: list[str]) -> list[str]:
    words = " ".join(argv).split()
    expanded = [sorted(glob.glob(word)) or [word] for word in words]  # noqa: PTH207
    return [found for group in expanded for found in group]


def main(root: str, argv: list[str]) -> int:
    """Run one call; give its exit code."""
    places = Places(Path(root))
    if not allowed(places.root, os.geteuid()):
        complain("This script must be executed as root or omsagent.")
        return Code.NOT_ALLOWED
    try:
        call = _parse(places, argv)
        if "-h" in call.given:
            tell(_USAGE)
            return Code.DONE
        return Omsadmin(places).run(call)
    except ExitError as end:
        return end.code
    except key_value.SourcingFailedError as error:
        complain(str(error))
        return Code.INTERNAL
