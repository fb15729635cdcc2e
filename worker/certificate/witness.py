"""The three witnesses of a certificate: what each of them may say."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.certificate.description import Certificate


class KeyStatus(StrEnum):
    """How it stands with the private key beside a certificate."""

    NOT_ASKED = "not_asked"
    MATCHES = "matches"
    MISMATCH = "mismatch"
    MISSING = "missing"
    ENCRYPTED = "encrypted"  # it can't be compared
    UNSUPPORTED = "unsupported"  # nor can this, of a kind that is not known here
    UNREADABLE = "unreadable"
    UNSEEN = "unseen"  # its file could not even be looked at


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such file."""

    path: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """No certificate can be read from the file; `why` is a sentence about it."""

    why: str
    was_read: bool = True  # the content is to blame; else the file could not even be looked at


@dataclass(frozen=True, slots=True)
class Held:
    """The file holds a certificate."""

    leaf: Certificate
    chain: tuple[Certificate, ...]  # who signed it, and who signed that, as far as the file goes
    changed_at: datetime  # when the file, or a link on the way to it, was changed last
    key: KeyStatus = KeyStatus.NOT_ASKED
    key_note: str = ""  # what is wrong with the key, in a sentence
    note: str = ""  # what is odd about the rest of the file

    @property
    def ends_first(self) -> Certificate:
        """The one of leaf and chain that ends first; a root does not count: no client asks it."""
        return min((self.leaf, *self.chain), key=lambda each: each.not_after)


@dataclass(frozen=True, slots=True)
class NotRunning:
    """No process fits."""

    what: str  # how it was looked for


@dataclass(frozen=True, slots=True)
class Running:
    """A process that uses the certificate."""

    pid: int
    name: str
    started_at: datetime
    newest: datetime  # the latest start of it and of all below it
    reloaded_at: datetime | None = None  # if that is known

    @property
    def loaded_at(self) -> datetime:
        """The latest moment at which it is known to have read its files."""
        return max(self.started_at, self.reloaded_at or self.started_at)


@dataclass(frozen=True, slots=True)
class Unreached:
    """The port shows no certificate."""

    endpoint: str
    why: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What the port showed in each handshake that succeeded: at least one."""

    endpoint: str
    leaves: tuple[Certificate, ...]
    failures: tuple[str, ...] = ()  # why others did not


FileWitness = Absent | Unreadable | Held
ProcessWitness = NotRunning | Running
WireWitness = Unreached | Shown


@dataclass(frozen=True, slots=True)
class Witnesses:
    """All that was asked; None stands for a witness that was not."""

    file: FileWitness | None = None
    process: ProcessWitness | None = None
    wire: WireWitness | None = None
