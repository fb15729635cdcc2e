"""A real ssh-agent with keys of its own, for tests that sign with it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.integration.tls.debian import program
from tests.waiting import eventually

_PACKAGE = "openssh-client"


class Agent(NamedTuple):
    """A running ssh-agent, and the folder where its keys are made."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it; whoever is asked to confirm a use says no."""
        socket = str(self.folder / "agent")
        return {"SSH_AUTH_SOCK": socket, "SSH_ASKPASS": "/bin/false", "DISPLAY": ":none"}

    def make(self, name: str, kind: str = "ed25519") -> Path:
        """Make a key that is not in the agent yet; return its public file."""
        path = self.folder / name
        self.run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path))
        return path.with_suffix(".pub")

    def add(self, name: str, *options: str, kind: str = "ed25519") -> Path:
        """Make a key and put it into the agent; return its public file."""
        public = self.make(name, kind)
        self.run("ssh-add", "-q", *options, str(public.with_suffix("")))
        return public

    def run(self, name: str, *arguments: str, **environment: str) -> None:
        """Run one of OpenSSH's programs."""
        subprocess.run(
            [program(name, _PACKAGE).path, *arguments],
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment, **environment},
            start_new_session=True,
            timeout=20,
        )


@contextmanager
def running_agent(folder: Path) -> Iterator[Agent]:
    """Start an agent; it ends with the block, and so do its keys."""
    agent = Agent(folder)
    socket = agent.environment["SSH_AUTH_SOCK"]
    argv = [str(program("ssh-agent", _PACKAGE).path), "-D", "-a", socket]
    environment = {**os.environ, **agent.environment}
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environment) as process:
        try:
            eventually(Path(socket).exists, what="the agent's socket")
            yield agent
        finally:
            process.send_signal(signal.SIGTERM)
