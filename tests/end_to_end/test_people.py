"""A colleague at work by the console scripts: a home of her own, a key that is worth guarding."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from lab.command import Script
from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.leak import Secret
from tests.end_to_end.listener import Listener
from tests.end_to_end.tally import Tally, write_runbook
from tests.ssh_agent import Agent, running_agent

COLLEAGUE = "carol"


@pytest.fixture
def passphrase(tmp_path: Path) -> Secret:
    path = tmp_path / "passphrase"
    path.touch(0o600)
    path.write_text(text := f"Kanari & {secrets.token_hex(8)}/söhne")
    return Secret(text)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    with running_agent(tmp_path) as running:
        yield running


def colleague(fleet: Fleet, home: Path, *options: str, **settings: str) -> Script:
    """Make a home for a colleague, and let the founder put her key into the keyring."""
    denrei = Script("denrei", {"DENREI_HOME": str(home), "COLUMNS": "80", **settings}, home.parent)
    name = f"{COLLEAGUE}-{home.name}"
    joined = denrei.must(
        *("init", "--join", "--operator", name, "--store", str(fleet.home / "store.db")),
        *("--broker", fleet.broker("server"), *options),
    )
    facts = dict(line.split() for line in joined.out.splitlines())
    assert f"founded by the roots {facts['roots']}" in fleet.denrei.must("key", "list").err
    fleet.denrei.must("key", "add", name, facts["public"], "--role", "operator")
    return denrei


def desk_of(fleet: Fleet, denrei: Script) -> Desk:
    desk = Desk(fleet)
    desk.denrei = denrei
    return desk


def test_colleague_with_a_protected_key_submits_from_a_home_of_her_own(
    fleet: Fleet, web1: FleetHost, tmp_path: Path, passphrase: Secret
) -> None:
    """The host believes her by the keyring that it was sent; her passphrase is nowhere."""
    Tally(web1)
    words = tmp_path / "passphrase"
    with Listener(fleet.redis.url) as listener:
        given = {"DENREI_PASSPHRASE_FILE": str(words)}
        denrei = colleague(fleet, tmp_path / "sealed", "--passphrase", **given)
        done = desk_of(fleet, denrei).submit(write_runbook(tmp_path), "--host", "web1")
        with redis.Redis.from_url(fleet.redis.url) as client:
            client.save()
    assert (done.code, done.outcomes) == (0, {"web1": "changed"}), done.told
    assert done.document["run"]["operator"] == "carol-sealed"
    history = web1.worker.must("history").out
    assert done.run_id[:8] in history
    assert any(b"DENREI_PASSPHRASE_FILE" in data for _, data in listener.seen)
    assert [name for name, data in listener.seen if passphrase.is_in(data)] == []
    assert not any(passphrase.is_in(command.encode()) for command in listener.heard)
    kept = (tmp_path, fleet.home, fleet.redis.directory, web1.directory)
    assert passphrase.files(*kept, but=[words]) == []
    assert not passphrase.is_in(str(done).encode())

    words.write_text("another one\n")
    refused = denrei.run("submit", "check", "--host", "web1")
    assert refused.code == 1
    key = tmp_path / "sealed/keys/person/carol-sealed.pem"
    assert refused.err.splitlines()[-1] == (
        f"denrei: wrong passphrase for {key}, or the file is damaged"
    )


def test_colleague_whose_key_is_in_ssh_agent_submits_until_it_is_revoked(
    fleet: Fleet, web1: FleetHost, tmp_path: Path, agent: Agent
) -> None:
    """Real ssh-agent, real worker: what it signs is an order like any other."""
    Tally(web1)
    public = agent.add("id")
    denrei = colleague(fleet, tmp_path / "agent-kept", "--ssh", str(public), **agent.environment)
    assert list((tmp_path / "agent-kept").rglob("*.pem")) == []
    done = desk_of(fleet, denrei).submit(write_runbook(tmp_path), "--host", "web1")
    assert (done.code, done.outcomes) == (0, {"web1": "changed"}), done.told

    agent.run("ssh-add", "-q", "-D")
    refused = denrei.run("submit", "check", "--host", "web1")
    assert refused.code == 1
    assert "shows no key: run ssh-add" in refused.err.splitlines()[-1]
    agent.run("ssh-add", "-q", str(public.with_suffix("")))

    listed = json.loads(fleet.denrei.must("key", "list", "-o", "json").out)["keys"]
    (mine,) = (key["key_id"] for key in listed if key["name"] == "carol-agent-kept")
    fleet.denrei.must("key", "revoke", mine)
    refused = denrei.run("submit", "check", "--host", "web1")
    assert refused.code == 6
    assert "does not count" in refused.err
