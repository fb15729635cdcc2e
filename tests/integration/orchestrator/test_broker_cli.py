"""`denrei broker` as people and scripts meet it: what it prints, and its exit codes."""

import json

import pytest

from contract.names import host_queue
from contract.publisher import Publisher
from orchestrator.cli.exit_code import ExitCode
from tests.guarded_home import Denrei, broker_command
from tests.integration.orchestrator.guarded import Guarded


@pytest.fixture
def denrei(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Denrei:
    """Run the program on the guarded home."""
    return broker_command(guarded.home, monkeypatch, capsys)


def test_apply_says_what_it_does_and_check_only_what_it_would(
    guarded: Guarded, denrei: Denrei
) -> None:
    assert denrei("apply") == (ExitCode.OK, "", "nothing to change\n")
    guarded.store.hosts.remove("web2", 1)
    assert denrei("apply", "--check") == (ExitCode.PENDING, "revoke host.web2\n", "")
    assert denrei("apply", "--check")[0] is ExitCode.PENDING
    assert denrei("apply") == (ExitCode.OK, "revoke host.web2\n", "")
    assert denrei("apply", "--check")[0] is ExitCode.OK


def test_password_is_shown_once_and_opens_the_host_s_queue(
    guarded: Guarded, denrei: Denrei
) -> None:
    code, url, _ = denrei("password", "web1")
    wire = Publisher(url.strip())
    assert (code, wire.waiting(host_queue("web1"))) == (ExitCode.OK, 0)
    wire.close()
    secret = url.split(":")[2].partition("@")[0]
    assert secret not in denrei("acl")[1]
    assert secret.encode() not in (guarded.home.path / "store.db").read_bytes()


def test_password_of_an_unknown_host_is_refused(denrei: Denrei) -> None:
    code, out, err = denrei("password", "web11")
    assert (code, out) == (ExitCode.USAGE, "")
    assert "no host 'web11'; did you mean 'web1'?" in err


def test_acl_is_what_a_redis_starts_with(guarded: Guarded, denrei: Denrei) -> None:
    """The lines name the users that apply made, hosts without a password are told of."""
    code, out, err = denrei("acl")
    assert (code, err) == (ExitCode.OK, "")
    assert [line.split()[1] for line in out.splitlines()] == [
        "default",
        "host.web1",
        "host.web2",
        "server",
    ]
    assert "setinfo" not in denrei("acl", "--redis", "7.0")[1]
    guarded.store.broker_users.forget("host.web2")
    assert denrei("acl")[2] == "web2 has no user: denrei broker password web2\n"
    assert denrei("acl", "--redis", "seven")[0] is ExitCode.USAGE


def test_check_names_users_that_are_not_as_they_should_be(guarded: Guarded, denrei: Denrei) -> None:
    guarded.store.hosts.remove("web2", 1)
    code, out, _ = denrei("check", "-o", "json")
    findings = {found["what"]: found for found in json.loads(out)["findings"]}
    assert code is ExitCode.ERROR
    assert [name for name, found in findings.items() if not found["good"]] == [
        "maxmemory",
        "users",
    ]
    assert findings["users"]["found"] == "not as they should be: host.web2"
    assert "denrei broker apply" in denrei("check")[1]


def test_home_without_broker_admin_is_told_what_it_lacks(guarded: Guarded, denrei: Denrei) -> None:
    config = guarded.home.path / "denrei.yaml"
    config.write_text(config.read_text().replace("broker_admin: ", "# "))
    for verb in ("apply", "check"):
        code, _, err = denrei(verb)
        assert code is ExitCode.ERROR
        assert "denrei.yaml has no broker_admin" in err
    assert denrei("password", "web1")[0] is ExitCode.OK
    assert "user host.web1 on #" in denrei("acl")[1]
