"""One installation for containers: all of its keys, passwords and configuration, made in place.

What is there already is kept, and what is missing is added: it may be run at every start. The
passwords of Redis are kept in one place each, the broker's URL of whoever uses it; the ACL file is
made from those.
"""

import base64
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from contract.trust import Welcome, load_host_keys
from contract.whole_file import write_whole
from lab import registry
from orchestrator.broker import acl
from orchestrator.broker.user import SERVER, password_in
from orchestrator.home import Home
from orchestrator.inventory import Inventory
from orchestrator.store.store import Store
from worker.config import Config
from worker.courier_config import load_courier_config
from worker.policy_file import shipped_policy
from worker.setup import prepare, take_welcome

OPERATOR = "compose"

_SCHEDULES = """\
schedules:
  - name: check-all
    runbook: check
    targets: {all: true}
    every: 5m
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """The folders that containers share with the one that prepares them."""

    home: Path  # the orchestrator's
    redis: Path  # what Redis reads
    hosts: tuple[Path, ...]  # one per host, named for it
    address: str = "redis:6379"  # where Redis will be

    def make(self) -> None:
        """Make what is missing. Raises DenreiError, OSError."""
        os.umask(0o027)
        home = self._make_home()
        with home.open_store() as store:
            for folder in self.hosts:
                self._make_host(folder, home, store)
        self._make_acl(home)

    def _make_home(self) -> Home:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (self.home / "denrei.yaml").exists():
            return Home.open(self.home)
        (self.home / "schedules.yaml").write_text(_SCHEDULES)
        return Home.create(self.home, self._broker(SERVER), OPERATOR)

    def _make_host(self, folder: Path, home: Home, store: Store) -> None:
        config = host_config(folder)
        if not config.path.exists():
            config.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            config.policy.write_text(shipped_policy("strict"))
            prepare(config, self._broker(f"host.{folder.name}"))
        keys = load_host_keys(config.public)
        host = Inventory(store).admit(keys, {"env": "lab"}, home.registrar_key())
        take_welcome(config, Welcome.of(store.keyrings.newest_letter(), host.admission))
        self._make_workspace(folder / "cloud")

    def _make_workspace(self, cloud: Path) -> None:
        """Let every host's cloud know the same workspace, whose key the operator has in a file."""
        name, key = self.home / "workspace.id", self.home / "workspace.key"
        _write_once(key, base64.b64encode(secrets.token_bytes(64)).decode(), 0o600)
        _write_once(name, str(uuid.uuid4()), 0o600)
        if not registry.workspaces(cloud):
            cloud.mkdir(mode=0o700, parents=True, exist_ok=True)
            registry.add_workspace(cloud, name.read_text(), key.read_text())

    def _make_acl(self, home: Home) -> None:
        password = self.redis / "admin.password"
        _write_once(password, secrets.token_urlsafe(32), 0o640)
        configs = [host_config(folder) for folder in self.hosts]
        users = [
            acl.admin_user(acl.digest_of(password.read_text())),
            acl.server_user(_digest(home.broker)),
            *(acl.host_user(config.name, _digest(_broker_of(config))) for config in configs),
        ]
        write_whole(self.redis / "users.acl", acl.acl_file(users).encode(), 0o640)

    def _broker(self, user: str) -> str:
        return f"redis://{user}:{secrets.token_urlsafe(32)}@{self.address}/0"


def _broker_of(config: Config) -> str:
    return load_courier_config(config.courier_config).broker


def host_config(folder: Path) -> Config:
    """Give the settings of the host in a folder: its name is the folder's."""
    return Config(
        path=folder / "etc" / "worker.yaml",
        name=folder.name,
        state=folder / "state",
        root=folder / "root",
    )


def _digest(broker: str) -> str:
    return acl.digest_of(password_in(broker))


def _write_once(path: Path, text: str, mode: int) -> None:
    if not path.exists():
        write_whole(path, text.encode(), mode)
