"""A home whose broker knows its administrator and those whom Denrei let in, whichever it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contract.publisher import Publisher
from orchestrator.broker.admin import Admin
from orchestrator.broker.password import url_for
from orchestrator.broker.plan import Verb
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.failure import run_guarded
from orchestrator.cli.program import program
from orchestrator.home import Home
from tests.orchestrator_house import House

NAMES = ("web1", "web2")
Denrei = Callable[..., tuple[ExitCode, str, str]]


class GuardedHome:
    """The home, and what is done with its users."""

    def __init__(self, folder: Path, url: str, admin_url: str) -> None:
        """Make a home at `folder` whose broker is at `url`, and its administrator's access."""
        self._url = url
        built = House.build(folder, url_for(url, "server", "secret of the server"), NAMES)
        config = folder / "denrei.yaml"
        config.write_text(f"{config.read_text()}broker_admin: {admin_url}\n")
        self.home, self.store = Home.open(folder), built.store

    def make_users(self) -> None:
        """Let the hosts and the server in."""
        with self.admin() as admin:
            for name in NAMES:
                admin.set_host(name, f"secret of {name}")
        self.apply()

    def admin(self) -> Admin:
        return Admin(self.home, self.store)

    def apply(self) -> list[tuple[Verb, str]]:
        """Make the users fit; tell what was changed."""
        with self.admin() as admin:
            changes = admin.plan()
            assert admin.apply(changes)
            return [(change.verb, change.name) for change in changes]

    def publisher(self, user: str, password: str) -> Publisher:
        return Publisher(url_for(self._url, user, password))


def broker_command(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Denrei:
    """Return `denrei broker` on a home, run in this process."""
    monkeypatch.setenv("DENREI_HOME", str(home.path))

    def run(*arguments: str) -> tuple[ExitCode, str, str]:
        capsys.readouterr()
        code = run_guarded(program, ["broker", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
