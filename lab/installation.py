"""One installation for containers: the server's home, and Redis's first users, made in place.

What is there already is kept, and what is missing is added: it may be run at every start. Hosts
make their keys themselves, and are enrolled as any other.
"""

import base64
import os
import secrets
import uuid
from dataclasses import dataclass
from pathlib import Path

from contract.whole_file import write_whole
from lab import registry
from orchestrator.broker import acl
from orchestrator.broker.user import ADMIN, SERVER, password_in
from orchestrator.home import Home

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
        password = self.redis / "admin.password"
        _write_once(password, secrets.token_urlsafe(32), 0o640)
        home = self._make_home(password.read_text())
        for folder in self.hosts:
            self._make_workspace(folder / "cloud")
        self._make_acl(home)

    def _make_home(self, admin_password: str) -> Home:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.home / "denrei.yaml").exists():
            (self.home / "schedules.yaml").write_text(_SCHEDULES)
            Home.create(self.home, self._broker(SERVER, secrets.token_urlsafe(32)), OPERATOR)
        home = Home.open(self.home)
        if home.broker_admin:
            return home
        with (self.home / "denrei.yaml").open("a") as settings:
            settings.write(f'broker_admin: "{self._broker(ADMIN, admin_password)}"\n')
        return Home.open(self.home)

    def _make_workspace(self, cloud: Path) -> None:
        """Let every host's cloud know the same workspace, whose key the operator has in a file."""
        name, key = self.home / "workspace.id", self.home / "workspace.key"
        _write_once(key, base64.b64encode(secrets.token_bytes(64)).decode(), 0o600)
        _write_once(name, str(uuid.uuid4()), 0o600)
        if not registry.workspaces(cloud):
            cloud.mkdir(mode=0o700, parents=True, exist_ok=True)
            registry.add_workspace(cloud, name.read_text(), key.read_text())

    def _make_acl(self, home: Home) -> None:
        """Give Redis its first users; the others it is told by the server, and it keeps them."""
        file = self.redis / "users.acl"
        urls = (home.broker_admin, home.broker)
        admin, server = (acl.digest_of(password_in(url)) for url in urls)
        users = [acl.admin_user(admin), acl.server_user(server)]
        _write_once(file, acl.acl_file(users), 0o640)
        self.redis.chmod(0o2770)  # Redis writes the file anew

    def _broker(self, user: str, password: str) -> str:
        return f"redis://{user}:{password}@{self.address}/0"


def _write_once(path: Path, text: str, mode: int) -> None:
    if not path.exists():
        write_whole(path, text.encode(), mode)
