"""An orchestrator's home that has admitted thousands of hosts, made in seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine, insert

from benchmarks.simulated.host import Identity
from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.keyring import Admission
from contract.order import sign_message
from lab.command import Script
from orchestrator.home import Home
from orchestrator.store.record import Host, PresenceRecord
from orchestrator.store.row import to_row
from orchestrator.store.schema import host_keys, hosts, presences
from worker.membership import Membership

_QUIET = "presence: 1h\n"  # the roll call is not what is measured
_LATER = 253_402_300_799_000


@dataclass(frozen=True)
class House:
    """A home, and the identities of its hosts."""

    home: Home
    hosts: Sequence[Identity]

    @classmethod
    def build(cls, path: Path, broker: str, count: int, store_url: str = "") -> Self:
        """Make a home and admit hosts `host-00000`, … with keys of their own."""
        home = Home.create(path, broker, "bench", store_url)
        with (path / "denrei.yaml").open("a") as file:
            file.write(_QUIET)
        return cls(home, _admit(home, [f"host-{number:05d}" for number in range(count)]))

    @property
    def denrei(self) -> Script:
        """Return the command line of this home."""
        return Script("denrei", {"DENREI_HOME": str(self.home.path)})


def _admit(home: Home, names: Sequence[str]) -> list[Identity]:
    """Sign an admission for each and store all of them at once: one by one takes half a minute."""
    now, registrar = now_ms(), home.registrar_key()
    with home.open_store() as store:
        keyring, letter = store.keyrings.newest(), store.keyrings.newest_letter()
    identities, rows = [], []
    for name in names:
        sign_key, seal_key = SigningKey.generate(), SealKey.generate()
        sign, seal = sign_key.public.text, seal_key.public.text
        admission = Admission(
            host=name, epoch=1, sign=sign, seal=seal, labels={}, issued_at=now, keyring=1
        )
        identities.append(Identity(sign_key, seal_key, Membership(admission, keyring, letter)))
        signed = sign_message(PayloadType.ADMISSION, admission, registrar)
        rows.append(_row(admission, signed))
    _store(home.store_url, rows, identities)
    return identities


def _row(admission: Admission, letter: bytes) -> Host:
    return Host(
        name=admission.host,
        sign_key=admission.sign,
        seal_key=admission.seal,
        labels={},
        added_at=admission.issued_at,
        epoch=1,
        admission=letter,
        admission_at=admission.issued_at,
        admitted_at=admission.issued_at,
        keyring=1,
    )


def _store(url: str, rows: Sequence[Host], identities: Sequence[Identity]) -> None:
    keys = [
        {
            "key_id": each.sign.public.id,
            "host": row.name,
            "epoch": 1,
            "sign_key": row.sign_key,
            "added_at": row.added_at,
        }
        for row, each in zip(rows, identities, strict=True)
    ]
    seen = [to_row(PresenceRecord(host=row.name, due_at=_LATER)) for row in rows]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(insert(hosts), [{**to_row(row), "labels": "{}"} for row in rows])
        connection.execute(insert(host_keys), keys)
        connection.execute(insert(presences), seen)
    engine.dispose()
