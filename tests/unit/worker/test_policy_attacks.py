"""The host's policy as a list of threats: what it does not allow is refused, whoever signed it."""

import pytest

from tests.unit.worker.letters import NOW, Remembered, gate, letter, order
from worker.policy import Policy
from worker.verdict import Reason, Refused

R = Reason

POLICIES: dict[str, tuple[Reason, Policy]] = {
    "a runbook that this host does not allow": (
        R.POLICY_RUNBOOK,
        Policy(runbooks=("check",), executables=("*",)),
    ),
    "a program that this host does not allow": (
        R.POLICY_EXECUTABLE,
        Policy(runbooks=("*",), executables=("/opt/agent/bin/status",)),
    ),
}


@pytest.mark.parametrize("attack", POLICIES)
def test_order_against_the_host_s_policy_is_refused_whoever_signed_it(attack: str) -> None:
    reason, policy = POLICIES[attack]
    with pytest.raises(Refused) as caught:
        gate(policy).judge(letter(order()), NOW, Remembered())
    assert caught.value.reason is reason
