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
SECRETS = "a broker that reads"
ROWS: Mapping[str, tuple[str, ...]] = {
    SECRETS: ("end_to_end/test_secret.py", "unit/contract/test_sealing.py"),
    "a broker that forges": (
        *("unit/contract/test_envelope_attacks.py", "unit/worker/test_gate_attacks.py"),
        *("unit/worker/test_gate_mutations.py", "end_to_end/test_attack.py"),
    ),
    "a broker that loses, delays and repeats": (
        *("integration/orchestrator/test_following.py", "end_to_end/test_wire.py"),
    ),
    "a broker that attacks Celery": ("end_to_end/test_hostile.py",),
    "a host against another": ("integration/orchestrator/test_broker_attacks.py",),
    "a stolen key": (
        *("unit/worker/test_keyring_attacks.py", "unit/worker/test_approval_attacks.py"),
        *("integration/orchestrator/test_approval.py", "unit/orchestrator/cli/test_key.py"),
    ),
    "what answers as a person's ssh-agent": ("unit/orchestrator/ssh/test_agent.py",),
    "a hostile runbook": ("unit/worker/test_policy_attacks.py",),
    "a local user, and a courier turned hostile": (
        *("unit/worker/test_safe_path.py", "integration/worker/test_hostile_courier.py"),
        *("integration/worker/test_two_users.py",),
    ),
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
