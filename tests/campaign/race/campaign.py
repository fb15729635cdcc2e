"""Root reads, writes and removes below a directory that its owner goes on swapping for a link."""

import os
import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from contract.action import CopiedFile, FileCopy, FileRemove, FileWrite
from tests.campaign.campaign import Scale, Tally
from tests.swapper import Trap, lay, swapping
from worker.actions.action import Context
from worker.actions.table import ACTIONS
from worker.observations.content import read_content
from worker.observations.observation import ObservationError
from worker.root import Root

_SWAPS = {Scale.SMOKE: 5_000, Scale.QUICK: 100_000, Scale.FULL: 5_000_000}
_LOOKS = 100  # before each round of deeds, which wait for the disk
_CONTEXT = Context(Root(), timedelta(seconds=5))


def race(scale: Scale, seed: int) -> Tally:
    """Race until there were so many swaps; nothing of root's may have been read or changed."""
    del seed  # the scheduler's chance is nobody's to repeat
    if os.geteuid():
        print("  race: not tried: only root has somebody else to fear", file=sys.stderr)
        return Tally({"races_not_tried": 1})
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as directory:
        trap = lay(Path(directory))
        (trap.his.parent / "new").write_text("root's")
        with swapping(trap) as swaps:
            while swaps.swaps < _SWAPS[scale]:
                _try(trap, counts)
            counts["swaps"] = swaps.swaps
        violations = [] if _is_untouched(trap) else ["race: a directory of root's was changed"]
        violations += ["race: a file of root's was read"] * bool(counts["secrets_read"])
        if not counts["looks_refused"] or not counts["looks_made"]:
            violations.append("race: there was no race: one side always won")
    return Tally(counts, tuple(violations))


def _try(trap: Trap, counts: Counter[str]) -> None:
    for _ in range(_LOOKS):
        try:
            found = read_content(trap.way / "other", 100)
            counts["looks_made"] += 1
            counts["secrets_read"] += found == b"secret"
        except ObservationError:
            counts["looks_refused"] += 1
    new = str(trap.way / "new")
    for kind, arguments in (
        ("file.write", FileWrite(path=new, content="x")),
        ("file.copy", FileCopy(files=[CopiedFile(path=str(trap.his.parent / "new"), to=new)])),
        ("file.remove", FileRemove(path=new)),
        ("file.remove", FileRemove(path=str(trap.way / "file"))),
    ):
        counts["deeds"] += 1
        counts["deeds_done"] += ACTIONS[kind](arguments, _CONTEXT).ok


def _is_untouched(trap: Trap) -> bool:
    found = {path.name: path.read_text() for path in trap.secret.iterdir()}
    return found == {"file": "secret", "other": "secret"}
