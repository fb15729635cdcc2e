"""Orders that are signed as they should be, against the host's own policy."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contract.runbook import Risk
from tests.unit.worker.letters import NOW, OPEN, Remembered, gate, letter, order
from worker.policy import Policy
from worker.verdict import Reason, Refused

STEP = """\
observe: {x: {unit: {name: ssh.service}}}
steps: [{name: a, ensure: x.exists, do: {ACTION}}]
"""


def _reason_of(blob: bytes, memory: Remembered, policy: Policy) -> Refused:
    with pytest.raises(Refused) as caught:
        gate(policy).judge(blob, NOW, memory)
    return caught.value


POLICIES: dict[str, tuple[Reason, Policy]] = {
    "a runbook that this host does not allow": (
        Reason.POLICY_RUNBOOK,
        replace(OPEN, runbooks=("check",)),
    ),
    "a runbook that its role has no leave for": (
        Reason.POLICY_ROLE,
        replace(OPEN, roles={"operator": ("check",), "scheduler": ("*",)}),
    ),
    "a protocol that this host has left behind": (
        Reason.POLICY_PROTOCOL,
        replace(OPEN, min_protocol=2),
    ),
    "an action that this host does not allow": (
        Reason.POLICY_ACTION,
        replace(OPEN, actions=("unit",)),
    ),
    "a program that this host does not allow": (
        Reason.POLICY_EXECUTABLE,
        replace(OPEN, executables=("/opt/agent/bin/status",)),
    ),
    "a run outside of this host's hours": (Reason.POLICY_HOURS, replace(OPEN, hours={})),
    "a run that may take too long": (
        Reason.POLICY_RUN_TIME,
        replace(OPEN, max_run_time=timedelta(minutes=29)),
    ),
    "a run that one person alone wants": (
        Reason.POLICY_APPROVALS,
        replace(OPEN, approvals={Risk.NORMAL: 2}),
    ),
}

WAYS_OUT: dict[str, tuple[Reason, str]] = {
    "reading what it may not": (Reason.POLICY_PATH, "observe: {x: {file: {path: /etc/shadow}}}"),
    "looking over what it may not": (
        Reason.POLICY_PATH,
        "observe: {x: {glob: {path: '/*/shadow'}}}",
    ),
    "a detour through ..": (Reason.POLICY_PATH, "observe: {x: {file: {path: /srv/../etc/shadow}}}"),
    "a name that only begins alike": (Reason.POLICY_PATH, "observe: {x: {file: {path: /srv2/x}}}"),
    "a path that a parameter makes": (
        Reason.POLICY_PATH,
        'params: {p: {default: ../etc}}\nobserve: {x: {file: {path: "/srv/${params.p}/shadow"}}}',
    ),
    "a path that an item makes": (
        Reason.POLICY_PATH,
        'for_each: {a: {list: [../etc]}}\nobserve: {x: {file: {path: "/srv/${a.name}/shadow"}}}',
    ),
    "items found where it may not look": (
        Reason.POLICY_PATH,
        "for_each: {a: {glob: {path: /etc/*}}}\nobserve: {x: {file: {path: /srv/x}}}",
    ),
    "a scan, which looks everywhere": (Reason.POLICY_PATH, "observe: {x: {certificates: {}}}"),
    "a unit that is not on the list": (
        Reason.POLICY_UNIT,
        STEP.replace("ACTION", "unit: {name: ssh.service, verb: stop}"),
    ),
    "another program by way of the environment": (
        Reason.POLICY_EXECUTABLE,
        STEP.replace("ACTION", "command: [/opt/agent/bin/x], env: {LD_PRELOAD: /tmp/x.so}"),
    ),
}


@pytest.mark.parametrize("attack", WAYS_OUT)
def test_runbook_that_would_leave_the_allowed_paths_is_refused(attack: str) -> None:
    reason, head = WAYS_OUT[attack]
    steps = "" if "steps:" in head else "steps: [{name: a, ensure: x.exists}]\n"
    text = f"name: restart\n{head}\n{steps}"
    policy = replace(
        OPEN, reads=("/srv",), writes=(), units=("web.service",), executables=("/opt/agent/*",)
    )
    blob = letter(order(runbook_yaml=text, params={}))
    assert _reason_of(blob, Remembered(), policy).reason is reason


@pytest.mark.parametrize("attack", POLICIES)
def test_order_against_the_host_s_policy_is_refused_whoever_signed_it(attack: str) -> None:
    reason, policy = POLICIES[attack]
    assert _reason_of(letter(order()), Remembered(), policy).reason is reason


def test_pattern_of_a_runbook_that_is_not_allowed_is_never_tried() -> None:
    """The policy is asked before anything in the runbook is."""
    text = "name: restart\nparams: {p: {pattern: '(a+)+b'}}\nsteps: [{name: a, ensure: 'true'}]\n"
    blob = letter(order(runbook_yaml=text, params={"p": "a" * 60}))
    policy = replace(OPEN, runbooks=("check",))
    assert _reason_of(blob, Remembered(), policy).reason is Reason.POLICY_RUNBOOK
