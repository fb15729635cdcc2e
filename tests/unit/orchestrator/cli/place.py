"""A real home, real keys of hosts, and the program run there: what tests of the CLI stand on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.order import sign_message
from contract.outcome import HostRunState, StepOutcome, state_of
from contract.report import PassReport, Pong, Receipt, Refusal, Report, StepReport
from orchestrator.home import Home
from orchestrator.inventory import Applicant, Inventory
from orchestrator.recorder import Recorder
from orchestrator.store.record import HostRun, Service, ServiceName
from orchestrator.store.store import Store
from orchestrator.verifier import Verifier

RUNBOOK = """\
name: look
summary: Look at a process.
params:
  force: {type: boolean, default: false}
  key: {type: string, secret: true, default: ""}
observe:
  agent: {process: {pid_file: /run/agent.pid}}
steps:
  - name: agent runs
    ensure: agent.running || params.force
"""


@dataclass(frozen=True)
class HostSide:
    """A host's own keys: it signs what a worker would sign."""

    name: str
    key: SigningKey
    seal_key: SealKey


@dataclass
class Place:
    """A home, its hosts, and the ways in."""

    home: Home
    folder: Path
    sides: dict[str, HostSide] = field(default_factory=dict)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """Open the home's store."""
        with self.home.open_store() as store:
            yield store

    def add_host(self, name: str, **labels: str) -> HostSide:
        """Make a host and put it into the inventory."""
        side = HostSide(name, SigningKey.generate(), SealKey.generate())
        self.sides[name] = side
        sign, seal = side.key.public.text, side.seal_key.public.text
        with self.store() as store:
            registrar = self.home.registrar_key()
            Inventory(store).admit(Applicant(name, 1, sign, seal, labels), registrar)
        return side

    def host_run(self, host: str) -> HostRun | None:
        """Return the newest host run that is open on a host."""
        with self.store() as store:
            shares = store.runs.open_on(host)
        return shares[-1] if shares else None

    def report(self, host: str, outcome: StepOutcome, reason: str = "", **parts: object) -> None:
        """Let a host report its newest open host run, as a worker would."""
        share = self.host_run(host)
        assert share is not None, f"nothing is open on {host}"
        now = now_ms()
        step = StepReport(name="agent runs", outcome=outcome, reason=reason)
        defaults = {
            "state": state_of(outcome),
            "passes": [PassReport(steps=[step])],
            "reason": reason,
            "worker": "0.1.0",
        }
        report = Report(
            host=host,
            epoch=1,
            keyring=1,
            run_id=share.run_id,
            order_sha256=share.order_sha256,
            counter=1,
            outcome=outcome,
            check=False,
            accepted_at=now - 1500,
            started_at=now - 1000,
            ended_at=now,
            **{**defaults, **parts},  # type: ignore[arg-type]  # fields by name
        )
        self.record(host, PayloadType.REPORT, report)

    def receive(self, host: str) -> None:
        """Let a host sign that it has begun."""
        share = self.host_run(host)
        assert share is not None
        receipt = Receipt(
            host=host,
            epoch=1,
            keyring=1,
            run_id=share.run_id,
            order_sha256=share.order_sha256,
            state=HostRunState.RUNNING,
            at=now_ms(),
        )
        self.record(host, PayloadType.RECEIPT, receipt)

    def refuse(self, host: str, reason: str, detail: str) -> None:
        """Let a host refuse its newest order."""
        share = self.host_run(host)
        assert share is not None
        refusal = Refusal(
            host=host,
            epoch=1,
            keyring=1,
            run_id=share.run_id,
            letter_sha256=share.order_sha256,
            reason=reason,
            detail=detail,
            at=now_ms(),
        )
        self.record(host, PayloadType.REFUSAL, refusal)

    def record(
        self, host: str, kind: PayloadType, message: Report | Receipt | Refusal | Pong
    ) -> None:
        """Sign a host's message and hand it to the recorder; return the letter's digest."""
        letter = sign_message(kind, message, self.sides[host].key)
        with self.store() as store:
            Recorder(store, self.home.recorder_key(), Verifier()).record([letter])

    def serve(self, detail: str = "") -> None:
        """Leave fresh signs of life, as a server that runs would."""
        now = now_ms()
        with self.store() as store:
            for name in (ServiceName.DISPATCHER, ServiceName.RECORDER):
                beat = Service(name=name, pid=1, started_at=now, beat_at=now, detail=detail)
                store.services.beat(beat)

    def console_script(self) -> Path:
        """Return a console script as an installation would make it."""
        path = self.folder / "denrei"
        if not path.exists():
            root = Path(__file__).parents[4]
            lines = (
                f"#!{sys.executable}",
                "import sys",
                f"sys.path.insert(0, {str(root)!r})",
                "from orchestrator.cli import main",
                "main()",
            )
            path.write_text("\n".join(lines) + "\n")
            path.chmod(0o755)
        return path

    def start(
        self, *arguments: str, stdin: int | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        """Start the program as a process of its own."""
        return subprocess.Popen(
            [self.console_script(), *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"DENREI_HOME": str(self.home.path), **environment},
        )
