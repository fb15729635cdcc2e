"""The host's policy: closed by default, and not to be walked around."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.loader import load_runbook
from contract.reach import Reach
from contract.runbook import Risk
from contract.touch import ANYTHING, Access, Touch
from worker.policy import Policy, Request, is_below, refused
from worker.policy_file import read_policy, shipped_policy
from worker.verdict import Reason

OPEN = read_policy(shipped_policy("permissive").encode(), "permissive.yaml")
RUNBOOK = load_runbook(b"name: check\nsteps: [{name: a, ensure: run.check}]\n", "check.yaml")
DIGEST = RUNBOOK.digest
NOTHING = Reach(frozenset(), frozenset())
REQUEST = Request(
    RUNBOOK, NOTHING, 1, frozenset({"operator"}), 1, datetime(2026, 11, 25, tzinfo=UTC)
)


def reason(policy: Policy, **asked: Any) -> Reason | None:
    """For what a policy refuses this, if it does."""
    against = refused(policy.rulings(replace(REQUEST, **asked)))
    return against[0] if against else None


def touch(policy: Policy, access: Access, what: str) -> Reason | None:
    return reason(policy, reach=Reach(frozenset(), frozenset({Touch(access, what)})))


def test_policy_without_rules_allows_nothing() -> None:
    assert reason(Policy()) is Reason.POLICY_RUNBOOK
    closed = Policy(runbooks=("*",))
    assert reason(closed, reach=Reach(frozenset({"wait"}), frozenset())) is Reason.POLICY_ACTION
    assert touch(closed, Access.EXECUTE, "/bin/true") is Reason.POLICY_EXECUTABLE
    assert touch(closed, Access.READ, "/etc/hosts") is Reason.POLICY_PATH
    assert touch(closed, Access.WRITE, "/etc/hosts") is Reason.POLICY_PATH
    assert touch(closed, Access.CONTROL, "web.service") is Reason.POLICY_UNIT


@pytest.mark.parametrize(
    ("rule", "allows"),
    [
        ("*", True),
        ("check", True),
        ("ch?ck", True),
        ("ch*", True),
        (f"sha256:{DIGEST}", True),
        ("Check", False),
        ("chec", False),
        ("", False),
        (DIGEST, False),
        (f"sha256:{DIGEST[:-1]}", False),
        (f"SHA256:{DIGEST}", False),
        (f"sha256:{'0' * 64}", False),
    ],
)
def test_runbook_is_allowed_by_name_pattern_or_digest_alone(rule: str, allows: bool) -> None:  # noqa: FBT001
    expected = None if allows else Reason.POLICY_RUNBOOK
    assert reason(replace(OPEN, runbooks=("other", rule))) is expected
    by_role = replace(OPEN, roles={"operator": ("other", rule)})
    assert reason(by_role) is (None if allows else Reason.POLICY_ROLE)


def test_role_that_the_policy_does_not_name_may_run_nothing() -> None:
    policy = replace(OPEN, roles={"operator": ("*",)})
    assert reason(policy, roles=frozenset({"guest", "operator"})) is None
    assert reason(policy, roles=frozenset({"guest"})) is Reason.POLICY_ROLE
    assert reason(policy, roles=frozenset({"*"})) is Reason.POLICY_ROLE
    assert reason(policy, roles=frozenset()) is Reason.POLICY_ROLE


@pytest.mark.parametrize(
    ("program", "allowed"),
    [
        ("/opt/agent/bin/control", True),
        ("/usr/bin/openssl", True),
        ("/usr/bin/openssl2", False),
        ("/usr/bin", False),
        ("/bin/sh", False),
        ("opt/agent/bin/control", False),
        ("/opt/agent/bin/../../../bin/sh", False),
        ("/opt/agent/bin/./control", False),
        ("/opt/agent/bin//control", False),
        ("//opt/agent/bin/control", False),
        ("/OPT/agent/bin/control", False),
        ("/opt/agent/bin/", False),
        ("", False),
    ],
)
def test_program_is_allowed_by_its_plain_absolute_path_alone(program: str, allowed: bool) -> None:  # noqa: FBT001
    """No detour through `..` or doubled slashes turns one program into another."""
    policy = replace(OPEN, executables=("/opt/agent/bin/*", "/usr/bin/openssl"))
    expected = None if allowed else Reason.POLICY_EXECUTABLE
    assert touch(policy, Access.EXECUTE, program) is expected


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("/srv/agent", True),
        ("/srv/agent/", True),
        ("/srv/agent/a/b", True),
        ("/srv/agent/*/x", True),
        ("/srv/agent2", False),
        ("/srv", False),
        ("/srv/*/x", False),
        ("/srv/agent*/x", False),
        ("/srv/agent/../x", False),
        ("/srv/agent/./x", False),
        ("/srv/agent//x", True),
        ("//srv/agent/x", True),
        ("/srv/agent//../x", False),
        ("srv/agent/x", False),
        ("", False),
    ],
)
def test_path_is_allowed_below_its_root_alone(path: str, below: bool) -> None:  # noqa: FBT001
    assert is_below(path, "/srv/agent") is below


def test_leave_to_read_is_no_leave_to_write() -> None:
    policy = replace(OPEN, reads=("/srv",), writes=())
    assert touch(policy, Access.READ, "/srv/x") is None
    assert touch(policy, Access.WRITE, "/srv/x") is Reason.POLICY_PATH


def test_what_can_t_be_known_is_allowed_by_nothing_but_everything() -> None:
    for units in (("web*",), ("?*",), ("[*]",)):
        policy = replace(OPEN, units=units)
        assert touch(policy, Access.CONTROL, ANYTHING) in (Reason.POLICY_UNIT, None)
    assert touch(replace(OPEN, units=("web*", "?")), Access.CONTROL, ANYTHING) is Reason.POLICY_UNIT
    assert touch(OPEN, Access.CONTROL, ANYTHING) is None
    unknown = Reach(frozenset(), frozenset(), ("tls at 3:11: nobody can tell",))
    assert reason(OPEN, reach=unknown) is Reason.POLICY_PATH


def test_run_of_high_risk_needs_two_people_unless_the_policy_says_another_number() -> None:
    risky = replace(RUNBOOK, risk=Risk.HIGH)
    policy = replace(OPEN, approvals={})
    assert reason(policy, runbook=risky, persons=1) is Reason.POLICY_APPROVALS
    assert reason(policy, runbook=risky, persons=2) is None
    assert reason(policy, persons=1) is None
    three = replace(OPEN, approvals={Risk.HIGH: 3})
    assert reason(three, runbook=risky, persons=2) is Reason.POLICY_APPROVALS
    assert reason(OPEN, runbook=risky, persons=1) is None


def test_everything_refused_for_the_same_reason_is_told_at_once() -> None:
    touches = frozenset(Touch(Access.EXECUTE, program) for program in ("/b", "/a"))
    against = refused(
        Policy(runbooks=("*",)).rulings(replace(REQUEST, reach=Reach(frozenset(), touches)))
    )
    assert against == (
        Reason.POLICY_EXECUTABLE,
        "this host's policy does not allow starting /a, starting /b",
    )


@given(st.lists(st.sampled_from(["..", ".", "", "bin", "opt", "agent", "sh"]), max_size=8))
def test_nothing_reached_over_any_detour_is_ever_allowed(parts: list[str]) -> None:
    path = "/opt/agent/" + "/".join(parts)
    policy = replace(OPEN, executables=("/opt/agent/*",), reads=("/opt/agent",))
    if None in (touch(policy, Access.EXECUTE, path), touch(policy, Access.READ, path)):
        resolved = Path("/", *(part for part in path.split("/") if part))
        assert ".." not in resolved.parts
        assert resolved.is_relative_to("/opt/agent")
