"""Whether what the file holds is also in use: what the process and the port say of it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from contract.instant import show_instant
from worker.certificate.description import Certificate
from worker.certificate.witness import (
    Held,
    NotRunning,
    ProcessWitness,
    Running,
    Unreached,
    WireWitness,
)

SLACK = timedelta(seconds=2)  # an agent may start in the very second of its new certificate


class Use(Enum):
    """How it stands with the certificate in use."""

    NOT_ASKED = auto()
    IN_USE = auto()
    STALE = auto()
    SPLIT = auto()
    FOREIGN = auto()  # the port shows a certificate of something else
    GONE = auto()  # nothing runs, or nothing is shown
    ABSTAINS = auto()  # a process was asked, and can't tell


@dataclass(frozen=True, slots=True)
class Usage:
    """What was found out about use, and why, as a part of a sentence."""

    use: Use
    why: str

    @property
    def is_confirmed(self) -> bool:
        return self.use not in (Use.NOT_ASKED, Use.ABSTAINS)


def usage_of_port(wire: WireWitness, held: Held, *, related: bool) -> Usage:
    """Judge by the port. `related`: some certificate shown shares a name with the file's."""
    if isinstance(wire, Unreached):
        return Usage(Use.GONE, f"{wire.endpoint} shows no certificate: {wire.why}")
    leaf = held.leaf
    same = sum(shown.sha256 == leaf.sha256 for shown in wire.leaves)
    other = next((shown for shown in wire.leaves if shown.sha256 != leaf.sha256), None)
    if other is None:
        return Usage(Use.IN_USE, f"{wire.endpoint} shows it")
    if same:
        count = f"{len(wire.leaves) - same} of {len(wire.leaves)} handshakes"
        return Usage(Use.SPLIT, f"{count} with {wire.endpoint} showed {_which(other, leaf)}")
    use = Use.STALE if related else Use.FOREIGN
    return Usage(use, f"{wire.endpoint} shows {_which(other, leaf)}")


def _which(shown: Certificate, leaf: Certificate) -> str:
    if shown.not_before == leaf.not_before:
        age = "another"
    else:
        age = "an older" if shown.not_before < leaf.not_before else "a newer"
    validity = f"valid from {show_instant(shown.not_before)} to {show_instant(shown.not_after)}"
    return f"{age} certificate, {validity}"


def usage_by_process(process: ProcessWitness, held: Held, *, made_here: bool) -> Usage:
    """Judge by when the process read its files.

    A certificate made on the host itself says so by its notBefore. An authority may date it back:
    then a process between notBefore and the file's change can't tell, nor one that may have
    reloaded, as a younger child shows.
    """
    if isinstance(process, NotRunning):
        return Usage(Use.GONE, f"no process runs: {process.what}")
    born, loaded = held.leaf.not_before, process.loaded_at
    at = f"{process.name} (pid {process.pid}) {_read(process)}"
    is_older = born - loaded > SLACK
    if made_here and not is_older:
        return Usage(Use.IN_USE, f"{at}, not before it was made")
    if made_here or (is_older and process.newest < born):
        return Usage(Use.STALE, f"{at}, before it was made at {show_instant(born)}")
    if loaded >= held.changed_at:
        return Usage(Use.IN_USE, f"{at}, after the file was changed last")
    return Usage(Use.ABSTAINS, f"{at}, {_why_it_abstains(process, held)}: its port would tell")


def _read(process: Running) -> str:
    did = "started" if process.loaded_at == process.started_at else "reloaded"
    return f"{did} at {show_instant(process.loaded_at.replace(microsecond=0))}"


def _why_it_abstains(process: Running, held: Held) -> str:
    changed = show_instant(held.changed_at.replace(microsecond=0))
    if held.leaf.not_before - process.loaded_at > SLACK:
        return "before it was made, but a younger process below it shows that it may have reloaded"
    return f"before the file was changed last at {changed}, but maybe after it was put there"
