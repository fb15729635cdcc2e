"""What the tests of the command line may ask for."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from contract.key import SigningKey
from orchestrator.cli.failure import run_guarded
from orchestrator.cli.passphrase import VARIABLE
from orchestrator.cli.program import program
from orchestrator.home import Home
from tests.unit.orchestrator.cli.place import RUNBOOK, Place


class Said(NamedTuple):
    """What the program answered."""

    code: int
    out: str
    err: str


Denrei = Callable[..., Said]

WORDS = "correct horse battery"


def loads(path: Path, words: str = WORDS) -> bool:
    """Tell whether a key file is opened by a passphrase. Raises PassphraseError if not."""
    return bool(SigningKey.load(path, lambda _path: words.encode()))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home with one runbook of its own and the hosts web1, web2 and db1."""
    monkeypatch.setenv("DENREI_HOME", str(tmp_path / "home"))
    for name in ("COLUMNS", "DENREI_OPERATOR", "DENREI_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    home = Home.create(tmp_path / "home", "redis://127.0.0.1:1/0", "alice")
    (home.runbooks / "look.yaml").write_text(RUNBOOK)
    made = Place(home, tmp_path)
    made.add_host("web1", env="prod")
    made.add_host("web2", env="prod")
    made.add_host("db1", env="test")
    return made


@pytest.fixture
def denrei(capsys: pytest.CaptureFixture[str]) -> Denrei:
    """Run the program in this process, with its real exit codes and its real errors."""

    def run(*arguments: object) -> Said:
        capsys.readouterr()  # what the recorder logged in the test's own process is not an answer
        code = run_guarded(program, [str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(int(code), captured.out, captured.err)

    return run


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the passphrase, named in the environment."""
    path = tmp_path / "passphrase"
    path.touch(0o600)
    path.write_text(f"{WORDS}\nanother line\n")
    monkeypatch.setenv(VARIABLE, str(path))
    return path
