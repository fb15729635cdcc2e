"""What this host allows, whatever an order says: closed by default, read strictly."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from posixpath import normpath

from contract.document import DocumentError, read_document
from contract.error import DenreiError
from contract.reading import Reader

_KEYS = ("runbooks", "executables")

PERMISSIVE = """\
# What this host lets orders do. Only what is listed is allowed; without this file nothing is.
# Both lists take shell patterns (`*`, `?`); a runbook may also be pinned by its digest:
#   runbooks: [oms/check, "sha256:9f86d081…"]
#   executables: [/opt/microsoft/omsagent/bin/service_control]
runbooks: ["*"]
executables: ["*"]
"""


class PolicyError(DenreiError):
    """The host's policy can't be read, so nothing is allowed."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The host's allow-lists."""

    runbooks: tuple[str, ...] = ()  # names as shell patterns, or `sha256:` and a digest
    executables: tuple[str, ...] = ()  # absolute paths as shell patterns

    def allows_runbook(self, name: str, digest: str) -> bool:
        """Tell whether a runbook may run here, by its name or its digest."""
        return any(rule == f"sha256:{digest}" or fnmatchcase(name, rule) for rule in self.runbooks)

    def forbidden(self, executables: Iterable[str]) -> list[str]:
        """Return those programs that may not be started here."""
        return sorted(program for program in executables if not self._allows(program))

    def _allows(self, program: str) -> bool:
        # `/opt/agent/bin/../../../bin/sh` fits `/opt/agent/bin/*`, and is not what was meant.
        is_plain = normpath(program) == program and not program.startswith("//")
        return is_plain and any(fnmatchcase(program, rule) for rule in self.executables)


def load_policy(path: Path) -> Policy:
    """Read the policy. Raises PolicyError; a missing file allows nothing, and says so."""
    reader = Reader()
    try:
        node = read_document(path.read_bytes(), str(path))
        fields = reader.mapping(node, _KEYS, what="the policy")
        policy = Policy(
            tuple(reader.texts(fields, "runbooks")), tuple(reader.texts(fields, "executables"))
        )
        reader.check(str(path))
    except OSError as error:
        raise PolicyError(f"can't read {path}: {error.strerror}; nothing is allowed") from None
    except DocumentError as error:
        raise PolicyError(f"{error}; nothing is allowed") from None
    return policy
