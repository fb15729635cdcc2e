"""A canary sings nowhere: the workspace's key on its whole way through a reonboarding."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pytest
import redis

from lab.cloud import Workspace
from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.leak import Secret

END = "the end of the story"
PARROT = """\
name: parrot
summary: Run a tool that prints the secret that it was given.
params:
  word: {secret: true}
observe:
  mark: {file: {path: /parrot-spoke}}
steps:
  - name: it spoke
    ensure: mark.exists
    do:
      command: [/bin/parrot]
      stdin: "${params.word}"
"""
TOOL = """\
#!/bin/sh
read word
echo heard $word
echo $word >&2
touch {root}/parrot-spoke
"""


class Listener(threading.Thread):
    """Hears all that goes through Redis, and sees every process that shows up meanwhile."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._client: Any = redis.Redis.from_url(url)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._ended = threading.Event()
        self.heard: list[str] = []
        self.seen: dict[tuple[str, bytes], None] = {}

    def __enter__(self) -> Self:
        self._monitor = self._client.monitor().__enter__()
        self.start()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.echo(END)
        self.join(10)
        self._ended.set()
        self._watcher.join(10)
        self._monitor.__exit__(None, None, None)
        self._client.close()

    def run(self) -> None:
        """Note what Redis is told, until the last word."""
        for command in self._monitor.listen():
            self.heard.append(command["command"])
            if END in command["command"]:
                return

    def _watch(self) -> None:
        while not self._ended.wait(0.002):
            for entry in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        self.seen[name, (entry / name).read_bytes()] = None
                    except OSError:
                        continue


@pytest.fixture
def canary(fleet: Fleet, web1: FleetHost) -> Workspace:
    """A workspace of its own on web1, due for a reonboarding; its key is the canary."""
    workspace = fleet.cloud.workspace()
    web1.agent.onboard(workspace.id, workspace.key, days=20)
    return workspace


@pytest.fixture
def key_file(canary: Workspace, tmp_path: Path) -> Path:
    path = tmp_path / "canary"
    path.write_text(canary.key)
    path.chmod(0o600)
    return path


def everything_of(fleet: Fleet) -> Iterator[Path]:
    """Where Denrei and Redis keep what they keep, on both sides."""
    yield fleet.home
    yield fleet.redis.directory
    for host in fleet.hosts.values():
        yield host.directory


def test_key_of_a_reonboarding_is_nowhere_but_where_it_is_needed(
    fleet: Fleet, desk: Desk, canary: Workspace, key_file: Path
) -> None:
    """Not in Redis, the stores, the boxes or the logs, nor on any command line or environment."""
    secret = Secret(canary.key)
    with Listener(fleet.redis.url) as listener:
        done = desk.submit(
            *("reonboard", "--host", "web1", "-p", f"domain={fleet.cloud.tld}"),
            *("--secret", f"key=@{key_file}"),
        )
    assert (done.code, done.outcomes) == (0, {"web1": "changed"})
    assert any("LPUSH" in command for command in listener.heard)
    assert not any(secret.is_in(command.encode()) for command in listener.heard)
    assert any(b"omsadmin" in data for _, data in listener.seen)
    assert [name for name, data in listener.seen if secret.is_in(data)] == []
    assert secret.files(*everything_of(fleet)) == []
    assert not secret.is_in(fleet.services["server"].log.read_bytes())
    assert not secret.is_in(str(done).encode())


def test_secret_that_a_tool_prints_is_masked_before_it_is_stored(
    fleet: Fleet, desk: Desk, web1: FleetHost, tmp_path: Path
) -> None:
    """What the tool says is reported, but for the secret."""
    program = web1.agent.root / "bin/parrot"
    program.parent.mkdir()
    program.write_text(TOOL.format(root=web1.agent.root))
    program.chmod(0o755)
    (tmp_path / "parrot.yaml").write_text(PARROT)
    (tmp_path / "word").write_text("Canary-4711-sings-here")
    done = desk.submit(
        str(tmp_path / "parrot.yaml"), "--host", "web1", "--secret", f"word=@{tmp_path / 'word'}"
    )
    assert (done.code, done.outcomes) == (0, {"web1": "changed"})
    shown = desk.denrei.must("run", "show", done.run_id, "--output").out
    assert "stdout | heard" in shown
    secret = Secret("Canary-4711-sings-here")
    assert not secret.is_in(shown.encode())
    assert secret.files(*everything_of(fleet)) == []
    assert not secret.is_in(fleet.services["server"].log.read_bytes())


@pytest.mark.parametrize("shift", range(3))
def test_search_finds_a_secret_in_every_spelling(tmp_path: Path, shift: int) -> None:
    """The search itself: plain, hexadecimal, quoted, and in base64 wherever it begins."""
    text = base64.b64encode(b"a key / of some length?").decode()
    around = f"{'x' * shift}{text}/more"
    for spelling in (
        around,
        around.encode().hex(),
        quote(around, safe=""),
        base64.b64encode(around.encode()).decode(),
    ):
        (tmp_path / "found").write_text(f"before {spelling} after")
        assert Secret(text).files(tmp_path) == [tmp_path / "found"], spelling
