"""`denrei run approve`: what it tells, and how it exits."""

from pathlib import Path

import pytest

from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import RUNBOOK


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(
    "case",
    [
        ("risk: high\n", 6, "has signed this run already; it takes another person"),
        ("", 2, "waits for no approval"),
    ],
)
def test_run_approve_by_its_own_operator_or_for_nothing_is_refused(
    denrei: Denrei, tmp_path: Path, case: tuple[str, int, str]
) -> None:
    """Exit 6: it waits, but not for you; exit 2: it waits for nobody."""
    head, code, complaint = case
    file = tmp_path / "look.yaml"
    file.write_text(head + RUNBOOK)
    run_id = denrei("submit", file, "--host", "web1", "--detach").out.strip()
    assert ("awaiting approval)" in denrei("run", "list").out) is bool(head)
    said = denrei("run", "approve", run_id)
    assert said.code == code
    assert complaint in said.err
