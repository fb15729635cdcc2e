"""Signing with a real ssh-agent: keys that people have already sign what hosts believe."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.envelope import MAX_BYTES, PayloadType
from contract.instant import now_ms
from contract.key import KeyFileError, SigningKey, VerifyKey
from contract.order import sign_message
from contract.signatory import Signatories
from contract.succession import open_first
from orchestrator.cli.failure import run_guarded
from orchestrator.cli.program import program as denrei_program
from orchestrator.home import Home
from orchestrator.key_file import NewKeys, open_signer
from orchestrator.ssh.agent import AgentError, AgentKey
from orchestrator.ssh.public_key import read_public_key
from orchestrator.succession import keyring_in_force
from tests.orchestrator_house import NOWHERE
from tests.ssh_agent import Agent, running_agent


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    with running_agent(tmp_path) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def key_of(public: Path) -> tuple[AgentKey, VerifyKey]:
    return AgentKey(read_public_key(public), patience=10), read_public_key(public)


def test_agent_s_signature_is_a_plain_one_of_any_size(agent: Agent) -> None:
    key, public = key_of(agent.add("anna"))
    for size in (0, 1, 1000, MAX_BYTES * 3 // 4):
        message = secrets.token_bytes(size)
        assert public.verifies(key.sign(message), message)
    assert not public.verifies(key.sign(b"one"), b"other")


def test_agent_message_larger_than_it_takes_is_one_sentence(agent: Agent) -> None:
    key, _ = key_of(agent.add("anna"))
    with pytest.raises(AgentError, match="hung up"):
        key.sign(bytes(MAX_BYTES * 2))
    assert key.sign(b"and goes on")


def test_agent_finds_the_key_among_others(agent: Agent) -> None:
    agent.add("rsa", kind="rsa")
    agent.add("ecdsa", kind="ecdsa")
    publics = [agent.add(name) for name in ("one", "two", "three")]
    for public in publics:
        key, verify = key_of(public)
        assert verify.verifies(key.sign(b"x"), b"x")


def test_agent_without_the_key_locked_or_gone_says_so(agent: Agent) -> None:
    key, _ = key_of(agent.make("absent"))
    with pytest.raises(AgentError, match=r"shows no key: run ssh-add, or `ssh-add -X`"):
        key.sign(b"x")
    present, _ = key_of(agent.add("anna"))
    with pytest.raises(AgentError, match=r"does not have the key SHA256:\S+: run ssh-add for it"):
        key.sign(b"x")
    askpass = agent.folder / "askpass"
    askpass.write_text("#!/bin/sh\necho secret\n")
    askpass.chmod(0o700)
    asked = {"SSH_ASKPASS": str(askpass), "SSH_ASKPASS_REQUIRE": "force"}
    agent.run("ssh-add", "-x", **asked)
    with pytest.raises(AgentError, match=r"shows no key: run ssh-add, or `ssh-add -X`"):
        present.sign(b"x")
    agent.run("ssh-add", "-X", **asked)
    assert present.sign(b"x")
    agent.run("ssh-add", "-q", "-d", str(agent.folder / "anna"))
    with pytest.raises(AgentError, match="shows no key"):
        present.sign(b"x")


def test_agent_whose_use_is_not_confirmed_refuses(agent: Agent) -> None:
    """`ssh-add -c`: somebody is asked for each signature, and says no."""
    key, _ = key_of(agent.add("careful", "-c"))
    with pytest.raises(AgentError, match=r"refused to sign with it: was it not confirmed"):
        key.sign(b"x")


@pytest.mark.parametrize("kind", ["rsa", "ecdsa"])
def test_key_of_another_kind_is_refused_at_the_door(agent: Agent, kind: str) -> None:
    with pytest.raises(KeyFileError, match="only keys of type ssh-ed25519"):
        read_public_key(agent.make("other", kind))


@pytest.fixture
def denrei(
    agent: Agent, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., None]:
    """Run the program on a home beside the agent; it must do what it was asked for."""
    monkeypatch.setenv("DENREI_HOME", str(agent.folder / "home"))

    def run(*arguments: object) -> None:
        code = run_guarded(denrei_program, [str(each) for each in arguments])
        assert code == 0, capsys.readouterr().err

    return run


@pytest.fixture
def home(agent: Agent, denrei: Callable[..., None]) -> Home:
    """A home whose founder signs with the agent."""
    public = agent.add("anna")
    denrei("init", "--broker", NOWHERE, "--operator", "anna", "--ssh", public)
    return Home.open(agent.folder / "home")


def test_home_of_a_person_who_signs_by_agent_has_no_private_key_of_theirs(home: Home) -> None:
    """What they sign verifies as any other letter does."""
    assert [path.name for path in (home.path / "keys/person").iterdir()] == ["anna.pub"]
    assert isinstance(home.operator_key(), AgentKey)
    with home.open_store() as store:
        first = open_first(store.keyrings.newest_letter(), home.roots)
    letter = sign_message(PayloadType.KEYRING, first, home.operator_key())
    Signatories(first).verify(letter, frozenset({PayloadType.KEYRING}))


def test_keys_go_into_the_agent_and_out_of_it_by_rotation(
    agent: Agent, home: Home, denrei: Callable[..., None]
) -> None:
    """Persons' and roots' keys alike; each keyring follows the one before."""
    old, second, root = home.operator_key().public.id[:8], agent.add("second"), agent.add("root")
    denrei("key", "rotate", "anna", "--ssh", second)
    assert home.operator_key().public.text == read_public_key(second).text
    assert (home.path / f"keys/person/anna.old-{old}.pub").exists()
    denrei("key", "rotate", "root", "--ssh", root)
    assert [path.name for path in (home.path / "keys").glob("root.p*")] == ["root.pub"]
    denrei("key", "add", "bob", "--ssh", agent.make("bob"), "--role", "approver")
    denrei("key", "rotate", "anna")
    assert isinstance(home.operator_key(), SigningKey)
    with home.open_store() as store:
        newest = keyring_in_force(home, store)
    assert newest.version == 5
    assert [person.name for person in newest.people] == ["anna", "bob"]
    assert newest.roots.keys[0].key == read_public_key(root).text


def test_new_home_of_an_agent_s_key_needs_no_agent_to_be_made(tmp_path: Path) -> None:
    """The public half is enough; only signing asks."""
    public = SigningKey.generate().public
    home = Home.create(tmp_path / "home", NOWHERE, "anna", keys=NewKeys(ssh=public))
    with home.open_store() as store:
        (anna,) = store.keyrings.newest().people
    assert anna.keys[0].key == public.text
    assert anna.keys[0].counts_at(now_ms())
    assert open_signer(home.person_key("anna").with_suffix(".pub")).public.text == public.text
