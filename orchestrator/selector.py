"""Which hosts are meant: names and globs, labels, or all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from contract.error import DenreiError
from contract.parameter import did_you_mean
from orchestrator.store.target_record import Target

_WILD = frozenset("*?[")


class NoTargetError(DenreiError):
    """No host is meant."""


@dataclass(frozen=True, slots=True)
class Selector:
    """A choice of hosts. Names and globs add up; labels narrow the choice."""

    hosts: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    all: bool = False

    def select(self, known: Sequence[Target]) -> list[Target]:
        """Return the hosts that are meant, by name.

        Raises NoTargetError if there is none, or if one of the names or globs fits nothing: a
        mistyped name must not pass silently because others fit.
        """
        if not (self.hosts or self.labels or self.all):
            raise NoTargetError("no target; name hosts with --host, or take --all")
        if not known:
            raise NoTargetError("there are no hosts yet; enrol one: `denrei host enrol NAME`")
        for pattern in self.hosts:
            _check_fits(pattern, known)
        chosen = [host for host in known if self._names(host) and self._labelled(host)]
        if not chosen:
            raise NoTargetError(f"no host fits {self}")
        return sorted(chosen, key=lambda host: host.name)

    def _names(self, host: Target) -> bool:
        by_name = any(fnmatchcase(host.name, pattern) for pattern in self.hosts)
        return by_name or self.all or not self.hosts

    def _labelled(self, host: Target) -> bool:
        return self.labels.items() <= dict(host.labels).items()

    def __str__(self) -> str:
        """Write the choice as its options on the command line."""
        parts = ["--all"] if self.all else []
        parts += [f"--host {name}" for name in self.hosts]
        parts += [f"-l {name}={value}" for name, value in self.labels.items()]
        return " ".join(parts)


def _check_fits(pattern: str, known: Sequence[Target]) -> None:
    names = [host.name for host in known]
    if any(fnmatchcase(name, pattern) for name in names):
        return
    if _WILD & set(pattern):
        raise NoTargetError(f"no host fits {pattern!r}")
    raise NoTargetError(f"no host {pattern!r}{did_you_mean(pattern, names)}")
