"""The observation command: what a program says, within bounds."""

from pathlib import Path

import pytest

from contract.probe import Command
from tests.unit.worker.children import script
from worker.observations.command import observe_command
from worker.observations.observation import Fields, ObservationError
from worker.root import Root


def look(root: Path, text: str, timeout: str = "10s") -> Fields:
    script(root / "tool", text)
    return observe_command(Command(argv=["/tool", "a b"], timeout=timeout), Root(root))


def test_observe_a_program_gives_its_code_and_its_words(tmp_path: Path) -> None:
    assert look(tmp_path, 'echo "$1"; echo no >&2; exit 4') == {
        "exists": True,
        "exit_code": 4,
        "stdout": "a b\n",
        "stderr": "no\n",
    }


def test_observe_a_program_ended_by_a_signal_counts_as_shells_do(tmp_path: Path) -> None:
    assert look(tmp_path, "kill -9 $$")["exit_code"] == 137


def test_observe_a_missing_program_is_knowledge(tmp_path: Path) -> None:
    assert observe_command(Command(argv=["/none"]), Root(tmp_path)) == {"exists": False}


def test_observe_a_program_that_may_not_run_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with pytest.raises(ObservationError, match="permission denied"):
        observe_command(Command(argv=["/plain"]), Root(tmp_path))


def test_observe_a_program_without_end_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match="still running after 200ms"):
        look(tmp_path, "sleep 99", timeout="200ms")


def test_observe_much_output_is_cut_and_bytes_are_escaped(tmp_path: Path) -> None:
    fields = look(tmp_path, "printf '\\377'; head -c 100000 /dev/zero | tr '\\0' a")
    assert str(fields["stdout"]).startswith("\\xffaaa")
    assert len(str(fields["stdout"])) == 65536 + 3
