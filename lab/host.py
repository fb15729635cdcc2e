"""One lab host: a root directory with the stand-ins in it, and handles on what happens there."""

import dataclasses
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab import process, renewal, settings
from lab.cloud import Cloud
from lab.places import Places
from lab.settings import Settings

_CODE = (
    "import sys; sys.path.append(sys.argv.pop(1)); from lab.{module} import main; "
    "sys.exit(main(sys.argv.pop(1), sys.argv[1:]))"
)
_SCRIPT = """#!/bin/sh
# A stand-in; the root is found from where this script lies.
case "$0" in */*) here="${{0%/*}}" ;; *) here="$(dirname "$(command -v "$0")")" ;; esac
root="$(cd "$here/../../../.." && pwd)" || exit 30
exec {python} -I -c {code} {home} "$root" "$@"
"""
_DAEMON = """import sys

sys.path.append({home!r})
from lab.agent import main

sys.exit(main(sys.argv))
"""


class LabError(Exception):
    """The lab host could not be brought into the state that was asked for."""


class LabHost:
    """A host under `root`, talking to `cloud`.

    With `tied`, its daemons end by themselves when the process that made this object is gone.
    """

    def __init__(
        self, root: Path, name: str, cloud: Cloud, *, pace: float = 0.2, tied: bool = True
    ) -> None:
        self.root = root.absolute()  # not resolved: command lines must show the path as given
        self.name = name
        self.cloud = cloud
        self.places = Places(self.root)
        self._install(Settings(pace=pace, owner=_owner() if tied else ""))

    @property
    def admin(self) -> Path:
        """The path of omsadmin.sh."""
        return self.places.program / "bin/omsadmin.sh"

    @property
    def control(self) -> Path:
        """The path of service_control."""
        return self.places.control

    def call(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the scripts as a host would: clean environment, no terminal."""
        return subprocess.run(
            [str(script), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            cwd="/",
            timeout=120,
            check=False,
        )

    def configure(self, **changes: Any) -> Settings:
        """Change ROOT/etc/lab.conf: the fields of `lab.settings.Settings`."""
        changed = dataclasses.replace(settings.read(self.root), **changes)
        settings.write(self.root, changed)
        return changed

    def make_resolvable(self, workspace: str) -> None:
        """Let the workspace's name lead to the cloud, in ROOT/etc/hosts."""
        self.make_unresolvable(workspace)
        with self.places.hosts.open("a") as file:
            file.write(f"127.0.0.1 {workspace}.oms.{self.cloud.domain}\n")

    def make_unresolvable(self, workspace: str) -> None:
        """Take the workspace's name out of ROOT/etc/hosts."""
        lines = self.places.hosts.read_text().splitlines(keepends=True)
        kept = [line for line in lines if f"{workspace}.oms." not in line]
        self.places.hosts.write_text("".join(kept))

    def onboard(self, workspace: str, key: str, days: int = 365, *, second: bool = False) -> None:
        """Onboard with a certificate that is valid for `days` more days; `second` beside another.

        Newest scripts refuse a second workspace; hosts that have two got them from older ones.
        """
        self.make_resolvable(workspace)
        self.configure(days_left=days, allow_second=second)
        more = ["-m", "marker"] if second else []
        done = self.call(self.admin, "-w", workspace, "-s", key, "-d", self.cloud.tld, *more)
        if done.returncode != 0 or self.pid(workspace) is None:
            told = (done.stdout + done.stderr).strip()
            raise LabError(f"{self.name}: onboarding gave exit code {done.returncode}: {told}")

    def renew(self, workspace: str = "", within: float = 10.0) -> None:
        """Renew the certificate in place, as soon as that leaves the daemon stale."""
        name = self._named(workspace)
        renewal.wait_until_stale(self.root, name, within)
        renewal.renew(self.root, name)

    def pid(self, workspace: str = "") -> int | None:
        """Give the daemon's pid, checked against its command line as oms-agent.md asks."""
        path = self.places.workspace(self._named(workspace)).pid_file
        pid = process.read_pid(path)
        return pid if pid and str(path) in process.command_line(pid) else None

    def upload_status(self, workspace: str = "", since: float = 0.0) -> int | None:
        """Give the HTTP status of the newest upload, if the daemon began it after `since`."""
        try:
            path = self.places.workspace(self._named(workspace)).last_upload
            told = json.loads(path.read_text())
        except OSError:
            return None
        status: int | None = told["status"]
        return status if told["time"] > since else None

    def add_neighbour(self, name: str) -> None:
        """Make the directories of a neighbour that is no workspace: `scom` or `LAD`."""
        self.places.workspace(name).make_directories()
        self.places.workspace(name).daemon_config.write_text("# not the agent's own\n")

    def stop(self, within: float = 5.0) -> None:
        """Kill every daemon under the root."""
        deadline = time.monotonic() + within
        number = signal.SIGTERM
        while pids := process.with_argument(f"-d {self.places.state}/"):
            for pid in pids:
                _signal(pid, number)
            if time.monotonic() > deadline:
                number = signal.SIGKILL
            if time.monotonic() > deadline + within:
                raise LabError(f"{self.name}: processes {pids} do not end")
            time.sleep(0.01)

    def install_release(self, release: str) -> None:
        """Make this a host with another release of the agent: from 1.16.0 on it heals itself."""
        self.places.install_info.write_text(f"{release} Original\n2022-12-19\n")

    def _scripts(self) -> Iterator[tuple[str, Path]]:
        """Name the module behind each script."""
        yield "omsadmin", self.admin
        yield "service_control", self.control
        yield "renewal", self.places.renewer

    def _named(self, workspace: str) -> str:
        return workspace or self.places.primary() or "none"

    def _install(self, told: Settings) -> None:
        home = str(Path(__file__).parents[1])
        places = self.places
        folders = (places.config / "sysconf", places.state)
        for folder in (*folders, self.admin.parent, places.renewer.parent):
            folder.mkdir(parents=True, exist_ok=True)
        for module, path in self._scripts():
            code = shlex.quote(_CODE.format(module=module))
            python = shlex.quote(sys.executable)
            path.write_text(_SCRIPT.format(python=python, code=code, home=shlex.quote(home)))
            path.chmod(0o755)
        (places.program / "bin/omsagent").write_text(_DAEMON.format(home=home))
        places.ruby.parent.mkdir(parents=True, exist_ok=True)
        if not places.ruby.is_symlink():
            places.ruby.symlink_to(os.path.realpath(sys.executable))
        self.install_release("1.14.23-0")
        places.sudo_rule.parent.mkdir(parents=True, exist_ok=True)
        places.sudo_rule.write_text(f"omsagent ALL=(ALL) NOPASSWD: {self.control} restart\n")
        (places.config / "omsagent.env").touch()
        places.authority.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.cloud.authority, places.authority)
        if not places.hosts.exists():
            places.hosts.write_text(f"127.0.0.1 localhost\n127.0.0.1 {self.name}\n")
        settings.write(self.root, told)


def _owner() -> str:
    return f"{os.getpid()}:{process.start_ticks(os.getpid())}"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
