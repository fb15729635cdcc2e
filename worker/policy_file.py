"""Reads policy.yaml: strictly, and only if nobody else could have written it."""

import os
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from posixpath import normpath

from contract.action import ACTIONS
from contract.document import DocumentError, Node, Position, read_document
from contract.error import DenreiError
from contract.order import PROTOCOL
from contract.parameter import did_you_mean
from contract.reading import Reader, is_integer
from contract.runbook import PEOPLE, Risk
from worker.hours import HoursError, Window, parse_window
from worker.policy import EVERYTHING, Policy, is_below

KEYS = (
    *("runbooks", "roles", "actions", "executables", "paths", "units"),
    *("hours", "max_run_time", "min_protocol", "approvals"),
)
MAX_PERSONS = 8  # as many signatures as an envelope may have
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class PolicyError(DenreiError):
    """The host's policy can't be read or trusted, so nothing is allowed."""


def load_policy(path: Path) -> Policy:
    """Read the policy. Raises PolicyError; a missing file allows nothing, and says so."""
    try:
        return read_policy(_bytes(path), str(path))
    except OSError as error:
        raise PolicyError(f"can't read {path}: {error.strerror}; nothing is allowed") from None
    except DocumentError as error:
        raise PolicyError(f"{error}; nothing is allowed") from None


def shipped_policy(name: str) -> str:
    """Return the text of a policy that comes with Denrei: `strict` or `permissive`."""
    from importlib import resources  # a host reads its own policy

    return resources.files("worker.policies").joinpath(f"{name}.yaml").read_text()


def read_policy(data: bytes, file: str) -> Policy:
    """Read a policy's text. Raises DocumentError with every problem found."""
    reading = _Reading(read_document(data, file))
    policy = reading.policy()
    reading.reader.check(file)
    return policy


def _bytes(path: Path) -> bytes:
    """Return what the file holds, if only root or our own user can have put it there."""
    with path.open("rb") as file:
        _check_owner(path, os.fstat(file.fileno()))
        _check_owner(path.parent, path.parent.stat())
        return file.read()


def _check_owner(path: Path, found: os.stat_result) -> None:
    ours = sorted({0, os.geteuid()})
    if found.st_uid not in ours:
        who = " or ".join(map(str, ours))
        message = f"{path} belongs to user {found.st_uid}, and must belong to {who}"
        raise PolicyError(f"{message}; nothing is allowed")
    if found.st_mode & _OTHERS_WRITE and not found.st_mode & stat.S_ISVTX:
        message = f"{path} can be written to by others; run `chmod go-w {path}`"
        raise PolicyError(f"{message}; nothing is allowed")


class _Reading:
    """One reading of one policy."""

    def __init__(self, root: Node) -> None:
        self.reader = Reader()
        self.top = self.reader.mapping(root, KEYS, what="the policy")
        self.places: dict[tuple[str, str], Position] = {}

    def policy(self) -> Policy:
        paths = self._mapping("paths", ("read", "write"))
        return Policy(
            runbooks=self._rules("runbooks", self.top.get("runbooks")),
            roles=dict(self._roles()) if "roles" in self.top else None,
            actions=self._actions(),
            executables=self._rules("executables", self.top.get("executables")),
            reads=self._roots("paths.read", paths.get("read")),
            writes=self._roots("paths.write", paths.get("write")),
            units=self._rules("units", self.top.get("units")),
            hours=dict(self._hours()) if "hours" in self.top else None,
            max_run_time=self._max_run_time(),
            min_protocol=self._number("min_protocol", self.top.get("min_protocol"), PROTOCOL),
            approvals=dict(self._approvals()),
            places=self.places,
        )

    def _mapping(self, key: str, known: tuple[str, ...]) -> dict[str, Node]:
        node = self.top.get(key)
        return self.reader.mapping(node, known, what=key) if node else {}

    def _rules(self, key: str, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        rules = self.reader.texts({key: node}, key)
        for rule, child in zip(rules, node.value if rules else (), strict=True):
            self.places.setdefault((key, rule), child.at)
        return tuple(rules)

    def _actions(self) -> tuple[str, ...]:
        actions = self._rules("actions", self.top.get("actions"))
        for action in actions:
            if action != EVERYTHING and action not in ACTIONS:
                message = f"there is no action {action!r}{did_you_mean(action, ACTIONS)}"
                self.reader.complain(self.places["actions", action], message)
        return actions

    def _roots(self, key: str, node: Node | None) -> tuple[str, ...]:
        roots = self._rules(key, node)
        for root in roots:
            if not is_below(root, "/") or normpath(root) != root:
                message = f"{root!r} is no plain absolute path: no `..`, `//`, or `/` at its end"
                self.reader.complain(self.places[key, root], message)
            if any(wildcard in root for wildcard in "*?["):
                message = f"{root!r} has wildcards; all that is below a path is allowed with it"
                self.reader.complain(self.places[key, root], message)
        return roots

    def _roles(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        node = self.top["roles"]
        if not isinstance(node.value, dict) or not node.value:
            message = "roles must be a mapping, such as `operator: [oms/check]`"
            self.reader.complain(node.at, message)
            return
        for role, child in node.value.items():
            yield role, self._rules(f"roles.{role}", child)

    def _hours(self) -> Iterator[tuple[str, Window]]:
        for text in self._rules("hours", self.top["hours"]):
            try:
                yield text, parse_window(text)
            except HoursError as error:
                self.reader.complain(self.places["hours", text], str(error))

    def _max_run_time(self) -> timedelta | None:
        if "max_run_time" not in self.top:
            return None
        return self.reader.duration(self.top, "max_run_time", timedelta(0))

    def _approvals(self) -> Iterator[tuple[Risk, int]]:
        yield from PEOPLE.items()
        for risk, node in self._mapping("approvals", tuple(map(str, Risk))).items():
            yield Risk(risk), self._number(risk, node, MAX_PERSONS)

    def _number(self, key: str, node: Node | None, most: int) -> int:
        if node is None:
            return 1
        if not is_integer(node.value) or not 1 <= node.value <= most:
            self.reader.complain(node.at, f"{key} is a whole number from 1 to {most}")
            return most
        return int(node.value)
