"""Where the agent's files are under a lab host's root (oms-agent.md section 2)."""

import re
from dataclasses import dataclass
from pathlib import Path

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

PRIMARY_CONFIG_LINKS = ("conf", "certs")
PRIMARY_STATE_LINKS = ("tmp", "run", "state", "log")


@dataclass(frozen=True)
class Workspace:
    """The files of one workspace: `config` is E/<ws>, `state` is V/<ws>."""

    name: str
    config: Path
    state: Path

    @property
    def certificate(self) -> Path:
        return self.config / "certs/oms.crt"

    @property
    def key(self) -> Path:
        return self.config / "certs/oms.key"

    @property
    def identity(self) -> Path:
        return self.config / "conf/omsadmin.conf"

    @property
    def daemon_config(self) -> Path:
        return self.config / "conf/omsagent.conf"

    @property
    def registered_marker(self) -> Path:
        return self.config / "conf/.service_registered"

    @property
    def pid_file(self) -> Path:
        return self.state / "run/omsagent.pid"

    @property
    def log(self) -> Path:
        return self.state / "log/omsagent.log"

    @property
    def shared_key(self) -> Path:
        return self.state / "tmp/shared_key"

    @property
    def last_upload(self) -> Path:
        return self.state / "state/last_upload.json"

    def make_directories(self) -> None:
        """Create what exists from the first onboarding attempt on, successful or not."""
        for folder in ("conf/omsagent.d", "certs"):
            (self.config / folder).mkdir(parents=True, exist_ok=True)
        (self.config / "conf").chmod(0o750)
        (self.config / "certs").chmod(0o700)
        for folder in PRIMARY_STATE_LINKS:
            (self.state / folder).mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Places:
    """The files of one host: `config` is E, `state` is V, `program` is O of oms-agent.md."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / "etc/opt/microsoft/omsagent"

    @property
    def state(self) -> Path:
        return self.root / "var/opt/microsoft/omsagent"

    @property
    def program(self) -> Path:
        return self.root / "opt/microsoft/omsagent"

    @property
    def renewer(self) -> Path:
        """What renews a certificate; upstream's agent does it within its own process."""
        return self.program / "plugin/renew_certs"

    @property
    def control(self) -> Path:
        return self.program / "bin/service_control"

    @property
    def install_info(self) -> Path:
        return self.config / "sysconf/installinfo.txt"

    @property
    def sudo_rule(self) -> Path:
        """What lets the agent restart itself after a renewal."""
        return self.root / "etc/sudoers.d/omsagent"

    @property
    def ruby(self) -> Path:
        return self.program / "ruby/bin/ruby"

    @property
    def proxy(self) -> Path:
        return self.config / "proxy.conf"

    @property
    def onboarding_file(self) -> Path:
        return self.root / "etc/omsagent-onboard.conf"

    @property
    def hosts(self) -> Path:
        return self.root / "etc/hosts"

    @property
    def authority(self) -> Path:
        return self.root / "etc/ssl/certs/lab-ca.pem"

    @property
    def upload_status(self) -> Path:
        """One file for all workspaces, in the log directory of the primary one."""
        return self.state / "log/ODSIngestion.status"

    def workspace(self, name: str) -> Workspace:
        return Workspace(name, self.config / name, self.state / name)

    def workspaces(self) -> list[str]:
        """Name the workspaces as upstream does: the UUID-named directories, onboarded or not."""
        if not self.config.is_dir():
            return []
        return sorted(p.name for p in self.config.iterdir() if UUID.fullmatch(p.name))

    def primary(self) -> str | None:
        """Name the workspace to which E/conf points, if that one is onboarded."""
        conf = self.config / "conf"
        if not (conf / "omsadmin.conf").exists():
            return None
        return conf.resolve().parent.name
