"""The attacks that have names: for each row of the threat table the tests that try it for real.

The table is that of docs/security.md. A test is one attack, and it fails if the attack succeeds.
"""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

_ROOT = Path(__file__).parents[2]
SECRETS = "the broker, and reads"
ROWS: Mapping[str, tuple[str, ...]] = {
    SECRETS: (
        *("end_to_end/test_secret.py", "unit/contract/test_sealing.py"),
        "unit/contract/test_sealing_interop.py",
    ),
    "the broker, and forges": (
        *("unit/contract/test_envelope_attacks.py", "unit/contract/test_letters_together.py"),
        "unit/worker/test_gate_attacks.py",
        *("unit/worker/test_gate_mutations.py", "end_to_end/test_attack.py"),
        *("unit/contract/test_enrolment.py", "unit/contract/test_token.py"),
        "integration/worker/test_petition.py",
    ),
    "the broker, and loses or delays": (
        *("unit/test_loss_attacks.py", "end_to_end/test_wire.py"),
        "integration/orchestrator/test_following.py",
    ),
    "the broker, and reorders, repeats or replays": ("unit/worker/test_replay_attacks.py",),
    "the broker, and attacks Celery": (
        "end_to_end/test_hostile.py",
        "integration/rabbit/test_courier.py",
    ),
    "one host, against another": (
        "unit/worker/test_cross_host_attacks.py",
        "integration/orchestrator/test_broker_attacks.py",
        "integration/rabbit/test_attacks.py",
        "integration/orchestrator/test_registrar.py",
        "integration/orchestrator/test_registrar_service.py",
    ),
    "a person's laptop": (
        *("unit/worker/test_keyring_attacks.py", "unit/worker/test_approval_attacks.py"),
        *("integration/orchestrator/test_approval.py", "unit/orchestrator/cli/test_key.py"),
        *("unit/orchestrator/test_key_file.py", "unit/orchestrator/cli/test_passphrase.py"),
    ),
    "the orchestrator's services": ("unit/worker/test_stolen_key_attacks.py",),
    "a host's key": ("integration/orchestrator/test_stolen_key_attacks.py",),
    "a host, and harms who reads its reports": (
        *("unit/orchestrator/cli/test_report_attacks.py", "unit/test_log.py"),
    ),
    "the store": (
        *("integration/orchestrator/test_audit_attacks.py", "end_to_end/test_audit.py"),
        "integration/orchestrator/test_audit.py",
    ),
    "a runbook": (
        *("unit/worker/test_policy_attacks.py", "unit/worker/test_pattern_attacks.py"),
        *("unit/contract/test_pattern.py", "unit/contract/test_document.py"),
    ),
    "an unprivileged account on a host, or the courier": (
        *("unit/worker/test_safe_path.py", "integration/worker/test_hostile_courier.py"),
        "integration/worker/test_two_users.py",
    ),
    "what answers as a person's ssh-agent": (
        *("unit/orchestrator/ssh/test_agent.py", "integration/orchestrator/test_ssh_agent.py"),
    ),
    "the shared store, and writes": ("unit/orchestrator/cli/test_operator.py",),
    "keys of small order or in a second spelling": ("unit/contract/test_key.py",),
}


@dataclass(frozen=True, slots=True)
class Attempts:
    """How many attacks were tried, which of them succeeded, and which could not be tried here."""

    tried: int
    succeeded: tuple[str, ...]
    left_out: int
    secrets_found: int


def attempt() -> Attempts:
    """Try every attack of every row, two at a time."""
    files = {f"tests/{file}": row for row, found in ROWS.items() for file in found}
    with TemporaryDirectory() as directory:
        result = Path(directory, "result.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
        done = subprocess.run(
            [*command, f"--junitxml={result}", *files],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not result.exists():
            raise RuntimeError(f"the attacks could not be started: {done.stdout[-2000:]}")
        cases = list(ET.parse(result).getroot().iter("testcase"))  # noqa: S314 - our own
    failed = tuple(_name(case) for case in cases if _has(case, "failure", "error"))
    left_out = sum(1 for case in cases if _has(case, "skipped"))
    secret_files = [Path(file).stem for file in ROWS[SECRETS]]
    found = sum(1 for name in failed if any(stem in name for stem in secret_files))
    return Attempts(len(cases) - left_out, failed, left_out, found)


def _has(case: ET.Element, *what: str) -> bool:
    return any(case.find(each) is not None for each in what)


def _name(case: ET.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"
