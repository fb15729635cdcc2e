"""Which certificate the cloud takes from which agent; kept in the cloud's directory."""

import base64
import hashlib
import json
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

_WORKSPACES = "workspaces.json"
_AGENTS = "agents.json"


@dataclass
class Agent:
    """One AGENT_GUID of a workspace: all certificates it ever registered (DER), newest last."""

    certificates: list[bytes] = field(default_factory=list)


def fingerprint(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest()


def add_workspace(directory: Path, workspace: str, key: str) -> None:
    """Make a workspace known, to a running cloud too."""
    _replace(directory / _WORKSPACES, {**workspaces(directory), workspace: key})


def ask_for_renewal(directory: Path, workspace: str) -> None:
    """Have the agents of a workspace asked for a new certificate, until one has come."""
    _request(directory, workspace).touch()


def workspaces(directory: Path) -> dict[str, str]:
    """Give the workspaces, each with its shared key."""
    path = directory / _WORKSPACES
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return known


class Registry:
    """The workspaces with their keys, and the agents with their certificates."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()
        self._agents: dict[str, dict[str, Agent]] = {}
        self._load()

    def key(self, workspace: str) -> bytes | None:
        """Give the shared key; read anew, since workspaces are added while the cloud runs."""
        text = workspaces(self._directory).get(workspace)
        return base64.b64decode(text) if text is not None else None

    def register(self, workspace: str, guid: str, der: bytes) -> None:
        """Take this certificate, and no earlier one, from this agent."""
        with self._lock:
            agent = self._agents.setdefault(workspace, {}).setdefault(guid, Agent())
            agent.certificates.append(der)
            self._save()
        _request(self._directory, workspace).unlink(missing_ok=True)

    def wants_renewal(self, workspace: str) -> bool:
        """Say whether the agents of a workspace are to renew their certificate."""
        return _request(self._directory, workspace).exists()

    def holder(self, workspace: str, der: bytes) -> str | None:
        """Name the agent whose current certificate this is."""
        with self._lock:
            for guid, agent in self._agents.get(workspace, {}).items():
                if agent.certificates[-1] == der:
                    return guid
        return None

    def certificates(self) -> list[bytes]:
        """Give every certificate ever registered, replaced ones too."""
        with self._lock:
            agents = [agent for guids in self._agents.values() for agent in guids.values()]
            return [der for agent in agents for der in agent.certificates]

    def _load(self) -> None:
        path = self._directory / _AGENTS
        if not path.exists():
            return
        for workspace, guids in json.loads(path.read_text()).items():
            self._agents[workspace] = {
                guid: Agent([base64.b64decode(text) for text in texts])
                for guid, texts in guids.items()
            }

    def _save(self) -> None:
        told = {
            workspace: {
                guid: [base64.b64encode(der).decode() for der in agent.certificates]
                for guid, agent in guids.items()
            }
            for workspace, guids in self._agents.items()
        }
        _replace(self._directory / _AGENTS, told)


def _request(directory: Path, workspace: str) -> Path:
    return directory / f"renew-{workspace}"


def _replace(path: Path, content: object) -> None:
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    fresh.replace(path)
