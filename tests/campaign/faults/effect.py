"""A runbook whose one action leaves a line in a witness file each time that it is begun."""

from lab.fleet import FleetHost

RUNBOOK = """\
name: effect
summary: Leave one line in the witness file, then make the state hold.
params:
  pause: {type: string, default: "0"}
timeout: 30s
observe:
  mark: {file: {path: "/marks/${run.id}"}}
steps:
  - name: the mark is there
    ensure: mark.exists
    do:
      command: [/bin/effect, "${run.id}", "${params.pause}"]
    within: 10s
    on_interrupt: {on_interrupt}
"""

PROGRAM = """\
#!/bin/sh
date +"$1 %s" >> {root}/witness
sleep "$2"
touch {root}/marks/"$1"
"""


def runbook(on_interrupt: str) -> bytes:
    return RUNBOOK.replace("{on_interrupt}", on_interrupt).encode()


class Witness:
    """What was really done on one host, as its own file system tells."""

    def __init__(self, host: FleetHost) -> None:
        root = host.agent.root
        self._file = root / "witness"
        program = root / "bin" / "effect"
        for directory in (program.parent, root / "marks"):
            directory.mkdir(exist_ok=True)
        program.write_text(PROGRAM.format(root=root))
        program.chmod(0o755)

    def effects(self) -> dict[str, list[int]]:
        """Return for each run id the moments (in seconds since 1970) at which it took effect."""
        found: dict[str, list[int]] = {}
        for line in self._file.read_text().splitlines() if self._file.exists() else ():
            run_id, moment = line.split()
            found.setdefault(run_id, []).append(int(moment))
        return found
