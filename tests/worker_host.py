"""A host for tests: made as `denrei-worker enrol` does it, and the other side's keys."""

import hashlib
import itertools
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from contract.envelope import PayloadType, peek, sign_many, verify
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.keyring import Keyring
from contract.order import (
    Acknowledgement,
    Cancel,
    Order,
    Ping,
    decode,
    encode,
    letter_digest,
    sign_message,
)
from contract.report import Footing, Pong, Receipt, Refusal, Report
from contract.sealing import SealContext, seal
from tests.fleet_keys import FleetKeys
from tests.membership import go_by, make_member
from tests.waiting import eventually
from worker.config import Config
from worker.executor import Executor
from worker.mailbox import Mailbox

NOWHERE = "redis://127.0.0.1:1/0"  # for those who need no broker
SCRIPT = Path(sys.executable).with_name("denrei-worker")

_KINDS: Mapping[PayloadType, type[msgspec.Struct]] = {
    PayloadType.RECEIPT: Receipt,
    PayloadType.REPORT: Report,
    PayloadType.REFUSAL: Refusal,
    PayloadType.PONG: Pong,
    PayloadType.FOOTING: Footing,
}
_numbers = itertools.count(1)


def new_run_id() -> str:
    """Return a run id that no other order of these tests has."""
    return f"{next(_numbers):026d}"


class WorkerHost:
    """One prepared host under a directory of its own."""

    def __init__(self, directory: Path, broker: str = NOWHERE, name: str = "web1") -> None:
        self.root = directory / "root"
        self.root.mkdir(parents=True)
        self.config = Config(
            path=directory / "etc" / "worker.yaml",
            name=name,
            state=directory / "state",
            root=self.root,
        )
        self.trusted = FleetKeys()
        make_member(self.config, broker, self.trusted)
        self.inbox, self.outbox = Mailbox(self.config.inbox), Mailbox(self.config.outbox)
        self._public = SigningKey.load(self.config.sign_key).public

    def enter(self, keyring: Keyring, **admission: Any) -> None:
        """Become a member of a fleet with this keyring, as if enrolled anew."""
        sign, seal_key = SigningKey.load(self.config.sign_key), SealKey.load(self.config.seal_key)
        letter = self.trusted.admission(self.config.name, sign, seal_key, **admission)
        go_by(self.config, self.trusted.sign(keyring), letter)

    def order(self, runbook: str, *, key: SigningKey | None = None, **changes: Any) -> bytes:
        """Return a signed order of a runbook; `changes` replace members of the order."""
        now = now_ms()
        order = Order(
            host=self.config.name,
            epoch=1,
            run_id=new_run_id(),
            runbook=_name_of(runbook),
            runbook_sha256=hashlib.sha256(runbook.encode()).hexdigest(),
            runbook_yaml=runbook,
            params={},
            sealed_params={},
            check=False,
            operator="anna",
            via="cli",
            reason="a test",
            issued_at=now,
            not_before=now,
            expires_at=now + 900_000,
            nonce=secrets.token_hex(16),
            keyring=1,
        )
        order = msgspec.structs.replace(order, **changes)
        return sign_message(PayloadType.ORDER, order, key or self.trusted.operator)

    def sealed(self, runbook: str, run_id: str, **values: str) -> dict[str, str]:
        """Seal secrets to this host for one run of a runbook."""
        public = SealKey.load(self.config.seal_key).public
        digest = hashlib.sha256(runbook.encode()).hexdigest()
        contexts = {n: SealContext(run_id, self.config.name, 1, digest, n) for n in values}
        return {n: seal(value, public, contexts[n]) for n, value in values.items()}

    def cancel(self, order: bytes, *, key: SigningKey | None = None, **changes: Any) -> bytes:
        """Return a signed tombstone for an order; `changes` replace members of it."""
        now, of = now_ms(), decode(peek(order)[1], Order)
        cancel = Cancel(
            host=self.config.name,
            epoch=1,
            run_id=of.run_id,
            order_sha256=letter_digest(order),
            ordered_at=of.issued_at,
            order_expires_at=of.expires_at,
            operator="anna",
            kill=False,
            reason="a mistake",
            issued_at=now,
            expires_at=now + 3_600_000,
            nonce=secrets.token_hex(16),
        )
        cancel = msgspec.structs.replace(cancel, **changes)
        return sign_message(PayloadType.CANCEL, cancel, key or self.trusted.operator)

    def ping(self, nonce: str) -> bytes:
        now = now_ms()
        ping = Ping(
            host=self.config.name,
            epoch=1,
            operator="anna",
            nonce=nonce,
            issued_at=now,
            expires_at=now + 60_000,
        )
        return sign_message(PayloadType.PING, ping, self.trusted.operator)

    def acknowledgement(self, *digests: str) -> bytes:
        message = Acknowledgement(
            host=self.config.name, epoch=1, digests=list(digests), at=now_ms()
        )
        payloads = [encode(each) for each in (message, msgspec.structs.replace(message, host="x"))]
        return sign_many(PayloadType.ACKNOWLEDGEMENT, payloads, self.trusted.recorder)[1][0]

    def read(self, letter: bytes) -> Any:
        """Return what this host says in a letter, once its signature has been verified."""
        keys = {self._public.id: self._public}
        verified = verify(letter, keys, frozenset(_KINDS))
        return decode(verified.payload, _KINDS[verified.type])

    def said(self) -> list[Any]:
        """Return all that lies in the outbox, oldest first."""
        letters = [self.outbox.read(path) for path in self.outbox.letters()]
        return [self.read(letter) for letter in letters if letter is not None]

    def heard(self, kind: type[Any]) -> list[Any]:
        """Return the messages of one kind in the outbox."""
        return [message for message in self.said() if isinstance(message, kind)]

    def report(self, within: float = 10.0) -> Report:
        """Wait for the one report in the outbox and return it."""
        found = eventually(lambda: self.heard(Report), within=within, what="a report")
        (report,) = found
        assert isinstance(report, Report)
        return report

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """Be this host's executor within this process, for a while."""
        executor = Executor(self.config)
        try:
            yield executor
        finally:
            executor._ledger.close()
            executor._bell.close()
            os.close(executor._lock)

    def work(self) -> None:
        """Do all that there is to do, as one executor would before it waits."""
        with self.executor() as executor:
            work(executor)

    def run(self, runbook: str, **changes: Any) -> Report:
        """Let this host carry out one order, and return its report."""
        self.inbox.put(self.order(runbook, **changes))
        self.work()
        return self.report()

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start the real console script for this host."""
        argv = [str(SCRIPT), "--config", str(self.config.path), *command]
        return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)

    def tool(self, name: str, script: str) -> str:
        """Put a program of the host's at /bin/NAME; it runs in the root directory."""
        path = self.root / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return f"/bin/{name}"


def work(executor: Executor) -> None:
    """Take every letter in, carry every order out, and tidy up once."""
    executor._take()
    while turn := executor._line.next():
        executor._carry_out(turn)
    executor._housekeeping.hurry()
    executor._housekeeping.tidy()


def _name_of(runbook: str) -> str:
    return runbook.partition("name:")[2].partition("\n")[0].strip()
