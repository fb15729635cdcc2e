"""Daemons that run, with the pair that they are to begin with."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.alone import alone
from tests.integration.tls.daemon import Daemon
from tests.integration.tls.kinds import KINDS
from tests.integration.tls.pair import Authority
from tests.worker_host import WorkerHost


@pytest.fixture(scope="module")
def authority() -> Authority:
    """Who signs all certificates of a module."""
    return Authority()


@pytest.fixture(scope="module", params=list(KINDS))
def installed(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """A daemon of each kind, set up in a directory that its user may enter; nothing runs yet."""
    home = Path(tempfile.mkdtemp(prefix="denrei-tls-"))
    home.chmod(0o755)
    yield KINDS[request.param](home)
    shutil.rmtree(home)


@pytest.fixture
def daemon(installed: Daemon, authority: Authority) -> Iterator[Daemon]:
    """One that runs and serves a pair for two names, and that was never seen to before."""
    shutil.rmtree(installed.home / "pairs", ignore_errors=True)
    installed.renew(authority.pair("www.example", "example"))
    with alone():
        installed.tell("start")
        yield installed
        installed.tell("stop")


@pytest.fixture
def host(tmp_path: Path) -> WorkerHost:
    """A host whose paths are the machine's own."""
    host = WorkerHost(tmp_path)
    host.config = replace(host.config, root=Path("/"))
    return host
