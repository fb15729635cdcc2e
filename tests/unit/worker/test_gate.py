"""The gate: what it believes, and what it makes of it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from contract.key import SigningKey
from contract.order import letter_digest
from tests.unit.worker.letters import (
    ALICE,
    BEAT,
    BOB,
    DAY,
    FLEET,
    MINUTE,
    NOW,
    OPEN,
    OTHER_RUN_ID,
    RECORDER,
    RUN_ID,
    RUNBOOK,
    SEAL_KEY,
    SECRET,
    Remembered,
    acknowledgement,
    gate,
    letter,
    membership,
    order,
    ping,
    sealed,
)
from worker.gate import Gate
from worker.ledger import Entry, Ledger
from worker.ledger_file import create_ledger
from worker.policy import Policy
from worker.validity import SKEW_MS
from worker.verdict import Accepted, Acknowledged, Pinged, Reason, Refused, Repeated


def accepted(blob: bytes, now: int = NOW, memory: Remembered | None = None) -> Accepted:
    verdict = gate().judge(blob, now, memory or Remembered())
    assert isinstance(verdict, Accepted)
    return verdict


def refused(blob: bytes, now: int = NOW, memory: Remembered | Ledger | None = None) -> Reason:
    with pytest.raises(Refused) as caught:
        gate().judge(blob, now, memory or Remembered())
    return caught.value.reason


def test_order_that_is_right_is_accepted_with_its_defaults_filled_in() -> None:
    blob = letter(order())
    found = accepted(blob)
    assert found.order == order()
    assert found.digest == letter_digest(blob)
    assert found.parameters == {"force": True, "key": "", "level": "low"}
    assert found.secrets == ()
    assert found.runbook.name == "restart"


def test_order_with_a_sealed_secret_is_accepted_and_the_secret_known_for_redaction() -> None:
    found = accepted(letter(order(sealed_params=sealed())))
    assert found.parameters["key"] == SECRET
    assert found.secrets == (SECRET,)


@pytest.mark.parametrize(
    ("key", "operator", "via"),
    [(ALICE, "alice", "cli"), (BOB, "bob", "cli"), (BEAT, "beat", "beat")],
)
def test_order_of_every_person_and_of_the_schedule_is_accepted(
    key: SigningKey, operator: str, via: str
) -> None:
    message = order(operator=operator, via=via, runbook_yaml=f"unattended: true\n{RUNBOOK}")
    assert accepted(letter(message, key)).order.via == via


@pytest.mark.parametrize(
    ("members", "now"),
    [
        ({"issued_at": NOW + SKEW_MS}, NOW),
        ({"not_before": NOW + SKEW_MS}, NOW),
        ({}, NOW + 15 * MINUTE - 1),
        ({"expires_at": NOW + 7 * DAY}, NOW),
        ({"issued_at": NOW - DAY}, NOW),
    ],
)
def test_order_at_the_very_edge_of_its_time_is_accepted(members: dict[str, int], now: int) -> None:
    assert accepted(letter(order(**members)), now).order == order(**members)


def test_order_that_expires_at_the_floor_is_accepted_since_it_was_not_pruned() -> None:
    memory = Remembered(floor=NOW + 15 * MINUTE)
    assert accepted(letter(order()), memory=memory).order == order()


def test_order_that_comes_again_to_the_byte_is_repeated_even_when_expired() -> None:
    """Asking again costs nothing and runs nothing, whenever it happens."""
    blob = letter(order())
    memory = Remembered(digests={RUN_ID: letter_digest(blob)})
    for now in (NOW, NOW + DAY, NOW - DAY):
        assert gate().judge(blob, now, memory) == Repeated(RUN_ID)


def test_acknowledgement_of_the_recorder_is_taken() -> None:
    found = gate().judge(letter(acknowledgement(), RECORDER), NOW, Remembered())
    assert found == Acknowledged(("a" * 64,))


def test_ping_of_whoever_may_ping_is_answered() -> None:
    found = gate().judge(letter(ping()), NOW, Remembered())
    assert found == Pinged(ping())


def test_order_taken_up_later_is_asked_for_expiry_and_policy_again() -> None:
    """An order may wait long behind others; a policy may become stricter meanwhile."""
    found = accepted(letter(order()))
    gate().permit(found, NOW + 15 * MINUTE - 1)
    for policy, now, reason in (
        (OPEN, NOW + 15 * MINUTE, Reason.EXPIRED),
        (replace(OPEN, runbooks=()), NOW, Reason.POLICY_RUNBOOK),
        (replace(OPEN, executables=()), NOW, Reason.POLICY_EXECUTABLE),
    ):
        with pytest.raises(Refused) as caught:
            gate(policy).permit(found, now)
        assert (caught.value.reason, caught.value.run_id) == (reason, RUN_ID)


def test_order_reopened_from_the_ledger_is_what_was_accepted() -> None:
    blob = letter(order(sealed_params=sealed()))
    assert gate().reopen(blob) == accepted(blob)


@pytest.mark.parametrize("secrets", [{}, sealed()])
def test_order_reopened_at_once_is_opened_again_only_if_it_has_secrets(
    secrets: dict[str, str],
) -> None:
    """No secret stays in memory between two looks at an order."""
    at_work = gate()
    blob = letter(order(sealed_params=secrets))
    found = at_work.judge(blob, NOW, Remembered())
    assert at_work.reopen(blob) == found
    assert (at_work.reopen(blob) is found) == (not secrets)
    assert at_work.reopen(letter(order(run_id=OTHER_RUN_ID))) != found


@pytest.mark.parametrize("damaged", [b"", b"x", letter(order())[:-1], letter(ping())])
def test_order_reopened_from_a_damaged_ledger_is_refused(damaged: bytes) -> None:
    with pytest.raises(Refused) as caught:
        gate().reopen(damaged)
    assert caught.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("restart", True),
        ("re*", True),
        (f"sha256:{order().runbook_sha256}", True),
        ("check", False),
        (f"sha256:{'0' * 64}", False),
        (f"sha256:{order().runbook_sha256.upper()}", False),
    ],
)
def test_order_is_measured_by_the_host_s_own_list_of_runbooks(rule: str, allowed: bool) -> None:  # noqa: FBT001
    """By name, by pattern or pinned to one digest; a changed runbook then has no leave."""
    strict = gate(replace(OPEN, runbooks=(rule,), executables=("/opt/agent/bin/*",)))
    if allowed:
        assert isinstance(strict.judge(letter(order()), NOW, Remembered()), Accepted)
        return
    with pytest.raises(Refused, match="policy does not allow the runbook 'restart'") as caught:
        strict.judge(letter(order()), NOW, Remembered())
    assert caught.value.reason is Reason.POLICY_RUNBOOK


@pytest.mark.parametrize(
    "executables", [(), ("/opt/agent/bin/status",), ("/opt/agent/bin/control",), ("/usr/bin/*",)]
)
def test_order_with_a_program_not_on_the_list_is_refused_probes_included(
    executables: tuple[str, ...],
) -> None:
    strict = gate(replace(OPEN, executables=executables))
    with pytest.raises(Refused, match="policy does not allow starting /opt/agent/bin/") as caught:
        strict.judge(letter(order()), NOW, Remembered())
    assert caught.value.reason is Reason.POLICY_EXECUTABLE


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("unit: {name: web.service, verb: stop}", "unit"),
        ("signal: {unit: web.service, signal: KILL}", "signal"),
    ],
)
def test_order_that_controls_a_unit_needs_the_action_and_the_unit_on_the_lists(
    action: str, kind: str
) -> None:
    text = (
        "name: restart\nobserve: {web: {unit: {name: web.service}}}\n"
        f"steps:\n- {{name: down, ensure: '!web.exists || !web.active', do: {{{action}}}}}\n"
    )
    blob = letter(order(runbook_yaml=text, params={}))
    narrow = Policy(runbooks=("*",), actions=(kind,), units=("web.*",))
    assert isinstance(gate(narrow).judge(blob, NOW, Remembered()), Accepted)
    for strict, reason in (
        (replace(narrow, actions=("command",)), Reason.POLICY_ACTION),
        (replace(narrow, units=("db.service",)), Reason.POLICY_UNIT),
    ):
        with pytest.raises(Refused, match="policy does not allow") as caught:
            gate(strict).judge(blob, NOW, Remembered())
        assert caught.value.reason is reason


def test_order_whose_program_leaves_the_allowed_folder_is_refused() -> None:
    """`/opt/agent/bin/../../../bin/sh` begins like what is allowed, and is not it."""
    text = order().runbook_yaml.replace("/bin/control", "/bin/../../../bin/sh")
    assert refused(letter(order(runbook_yaml=text))) is Reason.BAD_RUNBOOK


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger that is older than every order of these tests."""
    create_ledger(tmp_path / "ledger.db", NOW - DAY)
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        yield ledger


def accept(ledger: Ledger, blob: bytes, run_id: str, issued_at: int, expires_at: int) -> None:
    entry = Entry(run_id, letter_digest(blob), blob, NOW, None, None, None, 0)
    ledger.accept(entry, issued_at, expires_at)


def test_order_pruned_from_the_ledger_stays_refused_when_the_clock_is_set_back(
    ledger: Ledger,
) -> None:
    """The floor moves by signed times alone: neither forgetting nor a wrong clock opens it."""
    old = letter(order())
    late = NOW + DAY
    new = letter(order(run_id=OTHER_RUN_ID, issued_at=late, not_before=late, expires_at=late + 1))
    accept(ledger, old, RUN_ID, NOW, NOW + 15 * MINUTE)
    accept(ledger, new, OTHER_RUN_ID, late, late + 1)
    ledger.end(RUN_ID, "d" * 64, b"report")
    ledger.acknowledge("d" * 64)
    assert gate().judge(old, NOW, ledger) == Repeated(RUN_ID)
    assert ledger.prune() == 1
    assert ledger.digest_of(RUN_ID) is None
    assert refused(old, NOW, ledger) is Reason.EXPIRED


def test_order_in_a_real_ledger_is_known_to_the_byte(ledger: Ledger) -> None:
    blob = letter(order())
    accept(ledger, blob, RUN_ID, NOW, NOW + MINUTE)
    assert gate().judge(blob, NOW, ledger) == Repeated(RUN_ID)
    assert refused(letter(order(reason="another")), NOW, ledger) is Reason.RUN_ID_REUSED


def test_gate_of_a_fleet_without_people_believes_nobody() -> None:
    lonely = Gate(membership(keyring=FLEET.keyring(people=[])), OPEN, SEAL_KEY)
    with pytest.raises(Refused) as caught:
        lonely.judge(letter(order()), NOW, Remembered())
    assert caught.value.reason is Reason.UNKNOWN_KEY


def test_gate_without_a_policy_allows_nothing() -> None:
    with pytest.raises(Refused) as caught:
        gate(Policy()).judge(letter(order()), NOW, Remembered())
    assert caught.value.reason is Reason.POLICY_RUNBOOK
