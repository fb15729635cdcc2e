"""A wall clock for one host's processes that a test can set."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_suffix(".c")


class WallClock:
    """Steps what the host's libc tells its processes, while they run."""

    def __init__(self, directory: Path) -> None:
        """Compile the shim. Raises CalledProcessError if the compiler won't."""
        self._library = directory / "wall_clock.so"
        self._offset = directory / "wall_clock"
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(self._library), str(_SOURCE)]
        subprocess.run(command, check=True, capture_output=True)
        self.step(0)

    @staticmethod
    def lacks() -> str:
        """Return what this machine lacks for it, or nothing."""
        return "" if shutil.which("cc") else "a C compiler"

    @property
    def environment(self) -> Mapping[str, str]:
        """What the host's processes must be started with."""
        return {"LD_PRELOAD": str(self._library), "DENREI_TEST_CLOCK": str(self._offset)}

    def step(self, seconds: int) -> None:
        """Set the clock so many seconds off the machine's, in one step."""
        draft = self._offset.with_suffix(".new")
        draft.write_text(str(seconds))
        draft.rename(self._offset)
