"""A canary sings nowhere: secrets on their whole way, through everything that could keep them."""

import base64
import json
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from lab.cloud import Workspace
from lab.command import find_script
from lab.fleet import Fleet, FleetHost
from tests.end_to_end import singer
from tests.end_to_end.desk import Desk
from tests.end_to_end.leak import Secret
from tests.end_to_end.listener import Listener
from tests.integration.vault.bao import Bao
from tests.waiting import eventually


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


@pytest.fixture
def song(fleet: Fleet, web1: FleetHost) -> Secret:
    """A canary that every quoting changes; the host has the tools that sing it."""
    singer.install(web1.agent.root, fleet.home / "runbooks")
    return Secret(f"Kanari \"4711\" & {secrets.token_hex(8)}/söhne+=$'x'")


def test_stored_secret_is_nowhere_after_a_whole_story(
    fleet: Fleet, desk: Desk, web1: FleetHost, song: Secret
) -> None:
    """Set, submitted, printed in every form, discarded, looked at, scheduled and removed.

    Not in Redis (its traffic, dump and append-only file), the stores, the boxes, the logs or the
    names of files, nor on any command line or environment; but for what the tool itself wrote.
    """
    with Listener(fleet.redis.url) as listener:
        told = [set_from_stdin(fleet, "canary", song.text)]
        sung = desk.submit("sing", "--host", "web1", *WITH_CANARY)
        told += [str(sung), str(await_firing(fleet, desk))]
        told += [fleet.denrei.must(*command).out for command in looks(sung.run_id)]
        told += [fleet.denrei.must("secret", "remove", "canary").err]
        with redis.Redis.from_url(fleet.redis.url) as client:
            client.save()
    assert (sung.code, sung.outcomes) == (3, {"web1": "failed"})
    action = sung.passes("web1")[""]["steps"][0]["action"]
    assert action["stdout"].count("[secret]") >= len(singer.FORMS)
    assert action["stderr_bytes"] > 300_000
    assert any("LPUSH" in command for command in listener.heard)
    assert any(b"/bin/sing" in data for _, data in listener.seen)
    assert (fleet.redis.directory / "dump.rdb").exists()
    assert list((fleet.redis.directory / "appendonlydir").iterdir())
    assert song.is_in((web1.agent.root / "said").read_bytes())
    assert traces(fleet, song, listener, but=singer.written(web1.agent.root)) == []
    assert [words for words in told if song.is_in(words.encode())] == []


def test_secret_of_a_vault_is_nowhere_but_in_the_vault(
    fleet: Fleet, desk: Desk, web1: FleetHost, song: Secret, tmp_path: Path
) -> None:
    """By the console script from a real OpenBao; neither the secret nor the token is left."""
    with Bao(tmp_path) as bao, Listener(fleet.redis.url) as listener:
        bao.put("web/app", key=song.text)
        bao.policy("app", 'path "secret/data/web/app" { capabilities = ["read"] }')
        token = Secret(bao.token("app"))
        (tmp_path / "token").write_text(token.text)
        settings = f'address: {bao.address}\nca: {bao.ca}\ntoken: "@{tmp_path / "token"}"\n'
        (fleet.home / "vault.yaml").write_text(settings)
        sung = desk.submit("sing", "--host", "web1", "--secret", "word=vault:web/app#key")
    (fleet.home / "vault.yaml").unlink()
    assert sung.outcomes == {"web1": "failed"}
    assert song.is_in((web1.agent.root / "said").read_bytes())
    for canary in (song, token):
        assert traces(fleet, canary, listener, but=singer.written(web1.agent.root)) == []
        assert not canary.is_in(str(sung).encode())
        assert not canary.is_in(bao.log.read_bytes())


def traces(fleet: Fleet, secret: Secret, listener: Listener, but: Iterable[Path]) -> list[str]:
    """Return where a secret is found: in Redis' traffic, processes, files or logs."""
    heard = [command for command in listener.heard if secret.is_in(command.encode())]
    seen = [f"a process' {name}" for name, data in listener.seen if secret.is_in(data)]
    files = [str(path) for path in secret.files(*everything_of(fleet), but=but)]
    logs = [str(s.log) for s in fleet.services.values() if secret.is_in(s.log.read_bytes())]
    return heard + seen + files + logs


WITH_CANARY = ("--secret", "word=secret:canary")
SCHEDULE = """\
schedules:
  - name: canary
    runbook: hush
    targets: {hosts: [web1]}
    every: 1s
    secrets: {word: "secret:canary"}
"""


def set_from_stdin(fleet: Fleet, name: str, value: str) -> str:
    """Store a secret as `pass show … | denrei secret set` does; return what was said."""
    done = subprocess.run(
        [find_script("denrei"), "secret", "set", name],
        input=value,
        env=fleet.denrei.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def await_firing(fleet: Fleet, desk: Desk) -> object:
    """Let beat run a schedule once with the stored secret; return the run at its end."""
    file = fleet.home / "schedules.yaml"
    draft = file.with_suffix(".new")
    before = file.read_text()

    def fired() -> list[str]:
        return [str(run["id"]) for run in desk.runs() if run["schedule"] == "canary"]

    try:
        draft.write_text(SCHEDULE)
        draft.rename(file)
        run_id = eventually(fired, within=20, what="beat to fire")[-1]
    finally:
        draft.write_text(before)
        draft.rename(file)
    answer = desk.watch(run_id)
    assert answer.outcomes == {"web1": "failed"}
    return answer


def looks(run_id: str) -> list[tuple[str, ...]]:
    """Everything by which a person looks at a run and at what is stored."""
    return [
        ("run", "show", run_id, "--output"),
        ("audit", "log", "--run", run_id, "-o", "json"),
        ("secret", "list", "-o", "json"),
    ]


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
        base64.b64encode(b"{" + base64.b64encode(around.encode()) + b"}").decode(),
        base64.b64encode(quote(around, safe="").encode()).decode(),
        json.dumps({"key": around}),
    ):
        (tmp_path / "found").write_text(f"before {spelling} after")
        assert Secret(text).files(tmp_path) == [tmp_path / "found"], spelling
