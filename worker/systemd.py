"""systemd, asked through `systemctl`."""

from collections.abc import Sequence
from datetime import timedelta

from contract.error import DenreiError
from worker.keeper import Spawn, run
from worker.root import Root

_PLACES = ("/usr/bin/systemctl", "/bin/systemctl")
_TAKES, _GRACE = timedelta(seconds=10), timedelta(seconds=1)


class SystemdError(DenreiError):
    """systemd can't be asked: there is none here, or it does not answer."""


def systemctl(root: Root) -> str:
    """Return where a host has its `systemctl`; where it should be if there is none."""
    there = [place for place in _PLACES if root.locate(place).exists()]
    return there[0] if there else _PLACES[0]


def show(
    unit: str, root: Root, wanted: Sequence[str], possible: Sequence[str] = ()
) -> dict[str, str]:
    """Return what systemd says of a unit, also of one that it does not know.

    Not every kind of unit has the `possible` properties. Times are in UTC. Raises SystemdError.
    """
    properties = ",".join((*wanted, *possible))
    argv = (systemctl(root), "show", f"--property={properties}", "--", unit)
    spawn = Spawn(argv, root, timeout=_TAKES, grace=_GRACE, env={"TZ": "UTC"})
    ending = run(spawn)
    said = dict(line.split("=", 1) for line in ending.stdout.text.splitlines() if "=" in line)
    if ending.exit_code == 0 and said.keys() >= set(wanted):
        return said
    why = ending.error or ending.stderr.text.strip().partition("\n")[0] or "no answer"
    raise SystemdError(f"can't ask systemd for {unit}: {why}")
