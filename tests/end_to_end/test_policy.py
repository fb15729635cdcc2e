"""The host's own policy, which outweighs every order."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from contract.loader import load_runbook
from lab.fleet import Fleet, FleetHost
from tests.end_to_end.desk import Desk
from tests.end_to_end.fleet_control import stop
from tests.end_to_end.tally import RUNBOOK, Tally, write_runbook
from worker.policy_file import shipped_policy

DIGEST = load_runbook(RUNBOOK.encode(), "tally.yaml").digest

OPEN = shipped_policy("permissive")


def policy(**rules: str) -> str:
    """Return a policy that is open but for these rules."""
    lines = OPEN.splitlines()
    kept = [line for line in lines if line.partition(":")[0] not in rules]
    return "\n".join([*kept, *(f"{name}: {rule}" for name, rule in rules.items())]) + "\n"


SetPolicy = Callable[[str], None]


@pytest.fixture(scope="module")
def set_policy(fleet: Fleet) -> Iterator[SetPolicy]:
    """Give web2 a policy; afterwards it allows everything again."""

    def write(text: str) -> None:
        stop(fleet, "web2")
        (fleet.hosts["web2"].directory / "etc/policy.yaml").write_text(text)
        fleet.start_host("web2")

    yield write
    write(OPEN)


@pytest.mark.parametrize(
    "case",
    [
        (policy(runbooks='[check, "re*"]'), "policy_runbook"),
        (policy(runbooks=f'["sha256:{"0" * 64}"]'), "policy_runbook"),
        (policy(executables="[/sbin/*]"), "policy_executable"),
    ],
)
def test_order_against_the_hosts_policy_is_refused_with_its_reason(
    desk: Desk, web2: FleetHost, tmp_path: Path, set_policy: SetPolicy, case: tuple[str, str]
) -> None:
    """By the runbook's name, its digest, or a program in it: state refused, exit 6, nothing run."""
    text, reason = case
    tally = Tally(web2)
    set_policy(text)
    refused = desk.submit(write_runbook(tmp_path), "--host", "web2")
    assert (refused.code, refused.states) == (6, {"web2": "refused"})
    assert reason in refused.host("web2")["reason"]
    assert reason in desk.denrei.must("run", "show", refused.run_id).out
    assert desk.await_letter("refusal", "--run", refused.run_id)["payload"]["reason"] == reason
    assert tally.begun == []


def test_order_that_the_policy_lists_by_digest_is_run(
    desk: Desk, web2: FleetHost, tmp_path: Path, set_policy: SetPolicy
) -> None:
    """Exactly this runbook with exactly this program."""
    tally = Tally(web2)
    set_policy(policy(runbooks=f'["sha256:{DIGEST}"]', executables="[/bin/tally]"))
    done = desk.submit(write_runbook(tmp_path), "--host", "web2")
    assert (done.code, done.outcomes) == (0, {"web2": "changed"})
    assert tally.begun == [done.run_id]
