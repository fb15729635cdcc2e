"""A runbook that counts: each time its action runs it leaves a line, however the run ends."""

from pathlib import Path

from lab.fleet import FleetHost
from tests.waiting import eventually

RUNBOOK = """\
name: tally
unattended: true
summary: Leave one mark for each run.
observe:
  mark: {file: {path: "/marks/${run.id}"}}
steps:
  - name: the mark is there
    ensure: mark.exists
    do:
      command: [/bin/tally, "${run.id}"]
"""

PROGRAM = """\
#!/bin/sh
echo "$1" >> {root}/tally
while [ ! -e {root}/gate ]; do sleep 0.02; done
touch {root}/marks/$1
"""


def write_runbook(directory: Path) -> str:
    """Put the runbook into a directory and return its path."""
    path = directory / "tally.yaml"
    path.write_text(RUNBOOK)
    return str(path)


class Tally:
    """The program on one host. While its gate is closed, a run of it does not end."""

    def __init__(self, host: FleetHost) -> None:
        self._root = host.agent.root
        program = self._root / "bin" / "tally"
        for directory in (program.parent, self._root / "marks"):
            directory.mkdir(exist_ok=True)
        program.write_text(PROGRAM.format(root=self._root))
        program.chmod(0o755)
        self.open_gate()

    @property
    def begun(self) -> list[str]:
        """The run ids for which the program was started, each time once."""
        path = self._root / "tally"
        return path.read_text().split() if path.exists() else []

    def await_begun(self, run_id: str) -> None:
        eventually(lambda: run_id in self.begun, within=30, what="the program at work")

    def open_gate(self) -> None:
        (self._root / "gate").touch()

    def close_gate(self) -> None:
        (self._root / "gate").unlink(missing_ok=True)
