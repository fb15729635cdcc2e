"""A cloud for all of these tests, and hosts of their own for each."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from cryptography import x509

from lab import renewal
from lab.cloud import Cloud
from lab.host import LabHost
from lab.places import Workspace
from tests.waiting import eventually

FALSE_LINE = "already onboarded and agent is running"
WRONG_KEY = "d3Jvbmcga2V5"


@dataclass(frozen=True)
class Site:
    """A host with the workspace that it is to join, or has joined."""

    host: LabHost
    id: str
    key: str

    @property
    def files(self) -> Workspace:
        return self.host.places.workspace(self.id)

    @property
    def log(self) -> str:
        return self.files.log.read_text()

    def join(self, *more: str, key: str = "", tld: str = "") -> CompletedProcess[str]:
        """Run `omsadmin.sh -w -s -d`."""
        host = self.host
        told = ("-w", self.id, "-s", key or self.key, "-d", tld or host.cloud.tld, *more)
        return host.call(host.admin, *told)

    def admin(self, *arguments: str) -> CompletedProcess[str]:
        return self.host.call(self.host.admin, *arguments)

    def control(self, *arguments: str) -> CompletedProcess[str]:
        return self.host.call(self.host.control, *arguments)

    def certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.files.certificate.read_bytes())

    def make_stale(self) -> int:
        """Renew at once: the daemon's memory is old whether or not its start counts as before."""
        self.wait_for_upload(200)
        pid = self.host.pid()
        renewal.renew(self.host.root, self.id)
        self.wait_for_upload(403)
        assert pid is not None
        return pid

    def write_file(self, key: str = "", more: str = "") -> None:
        """Write the onboarding file, as the runbook does it."""
        path = self.host.places.onboarding_file
        path.write_text(
            f"WORKSPACE_ID={self.id}\nSHARED_KEY={key or self.key}\n"
            f"URL_TLD={self.host.cloud.tld}\n{more}"
        )
        path.chmod(0o600)

    def wait_for_upload(self, status: int | None, since: float = 0.0) -> None:
        """Wait until the daemon's newest upload since then had this status."""
        eventually(
            lambda: self.host.upload_status(self.id, since) == status,
            what=f"an upload answered {status}",
        )


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture
def make_host(tmp_path: Path, cloud: Cloud) -> Iterator[Callable[[str], LabHost]]:
    hosts: list[LabHost] = []

    def make(name: str) -> LabHost:
        hosts.append(LabHost(tmp_path / name, name, cloud, pace=0.1))
        return hosts[-1]

    yield make
    for host in hosts:
        host.stop()


@pytest.fixture
def fresh(make_host: Callable[[str], LabHost], cloud: Cloud) -> Site:
    """A host that can reach its workspace but has joined none."""
    host, workspace = make_host("web1"), cloud.workspace()
    host.make_resolvable(workspace.id)
    return Site(host, workspace.id, workspace.key)


@pytest.fixture
def joined(fresh: Site) -> Site:
    """A host whose daemon runs in its workspace."""
    fresh.host.onboard(fresh.id, fresh.key)
    return fresh


@pytest.fixture
def closed() -> int:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
