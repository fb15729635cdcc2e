"""An orchestrator's home with hosts that only sign: what most of its tests begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from contract.loader import load_runbook
from contract.outcome import HostRunState
from contract.runbook import Runbook
from orchestrator.cancellation import Cancellation, cancel
from orchestrator.claim import LetterError
from orchestrator.home import Home
from orchestrator.inventory import Inventory
from orchestrator.recorder import Recorder
from orchestrator.store.incoming import Taken
from orchestrator.store.record import Host, HostRun, Run
from orchestrator.store.store import Store
from orchestrator.submission import Submission, submit
from orchestrator.verifier import Verifier
from tests.signing_host import SigningHost

NOWHERE = "redis://127.0.0.1:1/0"

RUNBOOK = b"""\
name: touch
params:
  path: {type: string, default: /x}
  count: {type: integer, default: 1}
  token: {type: string, secret: true, default: ""}
timeout: 10s
observe:
  it: {file: {path: "${params.path}"}}
steps:
  - name: it is there
    ensure: it.exists
    do:
      file.write: {path: "${params.path}", content: "${params.token}"}
"""


@dataclass(frozen=True)
class OneByOne:
    """A recorder that is given one letter at a time, and raises what is wrong with it."""

    recorder: Recorder

    def record(self, letter: bytes) -> Taken:
        (result,) = self.recorder.record([letter])
        if isinstance(result, LetterError):
            raise result
        return result


def runbook() -> Runbook:
    return load_runbook(RUNBOOK, "touch.yaml")


@dataclass(frozen=True)
class House:
    """A home, its open store, and its hosts."""

    home: Home
    store: Store
    hosts: Mapping[str, SigningHost]

    @classmethod
    def build(
        cls,
        path: Path,
        broker: str = NOWHERE,
        names: Sequence[str] = ("web1",),
        store_url: str = "",
    ) -> Self:
        home = Home.create(path, broker, "alice", store_url)
        store = home.open_store()
        hosts = {name: SigningHost(name) for name in names}
        for host in hosts.values():
            Inventory(store).admit(host.applicant(), home.registrar_key())
        return cls(home, store, hosts)

    def admit(self, host: SigningHost, **labels: str) -> Host:
        """Make a host a member."""
        return Inventory(self.store).admit(host.applicant(**labels), self.home.registrar_key())

    def recorder(self) -> "OneByOne":
        return OneByOne(Recorder(self.store, self.home.recorder_key(), Verifier()))

    def submit(self, expires_in: timedelta = timedelta(minutes=5), **changes: Any) -> Run:
        values: dict[str, Any] = {
            "runbook": runbook(),
            "source": "touch.yaml",
            "hosts": self.store.hosts.targets(),
            "operator": "alice",
            "expires_in": expires_in,
        }
        return submit(Submission(**{**values, **changes}), self.home.operator_key(), self.store)

    def cancel(self, run: Run, **changes: Any) -> list[HostRun]:
        """Cancel a run on all its hosts; return the host runs that got a tombstone."""
        values: dict[str, Any] = {
            "run": run,
            "host_runs": self.store.runs.host_runs(run.run_id),
            "operator": "alice",
            "reason": "a mistake",
        }
        return cancel(Cancellation(**{**values, **changes}), self.home.operator_key(), self.store)

    def tombstone(self, run: Run, host: str = "web1") -> bytes:
        """Return the newest finished tombstone of a host run."""
        letter = self.store.envelopes.get(self.host_run(run, host).cancel_sha256 or "")
        assert letter is not None
        return letter.data

    def order(self, run: Run, host: str = "web1") -> bytes:
        """Return the finished order of a run."""
        letter = self.store.envelopes.get(self.host_run(run, host).order_sha256)
        assert letter is not None
        return letter.data

    def host_run(self, run: Run, host: str = "web1") -> HostRun:
        host_run = self.store.runs.host_run(run.run_id, host)
        assert host_run is not None
        return host_run

    def state(self, run: Run, host: str = "web1") -> HostRunState:
        return self.host_run(run, host).state
