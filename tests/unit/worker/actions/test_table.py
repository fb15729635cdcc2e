"""The law of the table: the kinds are the contract's, and files done twice are done once."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from contract.action import ACTIONS as KINDS
from worker.actions import ACTIONS, Context
from worker.root import Root


def state(root: Path) -> list[tuple[str, int, bytes]]:
    """Return every file below a directory with its mode and content."""
    return sorted(
        (path.name, path.lstat().st_mode, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    )


def test_actions_and_the_contract_name_the_same_kinds() -> None:
    assert ACTIONS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", ["file.write", "file.remove"])
@pytest.mark.parametrize("is_there", [True, False])
def test_file_actions_done_twice_leave_the_state_of_once(
    kind: str, tmp_path: Path, *, is_there: bool
) -> None:
    if is_there:
        (tmp_path / "f").write_text("before")
    tree = {"path": "/f", **({"content": "after", "mode": "0640"} if kind == "file.write" else {})}
    arguments = msgspec.convert(tree, KINDS[kind].arguments)
    context = Context(Root(tmp_path), timedelta(seconds=5))
    assert ACTIONS[kind](arguments, context).ok
    once = state(tmp_path)
    assert ACTIONS[kind](arguments, context).ok
    assert state(tmp_path) == once
