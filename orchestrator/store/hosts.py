"""The hosts of the inventory, and every key that a host ever signed with."""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from contract.key import VerifyKey
from orchestrator.store import certificates
from orchestrator.store.among import among
from orchestrator.store.database import Database
from orchestrator.store.owner import Owner
from orchestrator.store.record import Host, HostKey, PresenceRecord
from orchestrator.store.row import to_row
from orchestrator.store.schema import host_keys, hosts, presences
from orchestrator.store.target_record import Target

_TARGETS = select(hosts.c.name, hosts.c.epoch, hosts.c.seal_key, hosts.c.labels).order_by(
    hosts.c.name
)
_OWNERS = select(*(host_keys.c[name] for name in ("key_id", "host", "epoch", "sign_key"))).where(
    among(host_keys.c.key_id, "key_ids"), host_keys.c.removed_at.is_(None)
)


class Hosts:
    """Reads and writes hosts."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def all(self) -> list[Host]:
        """Return every host by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(hosts).order_by(hosts.c.name)).mappings()
            return [_host(row) for row in rows]

    def targets(self) -> list[Target]:
        """Return every host by name, as far as orders need it: a third of what there is."""
        with self._database.reading() as connection:
            rows = connection.execute(_TARGETS)
            return [Target(name, epoch, key, json.loads(text)) for name, epoch, key, text in rows]

    def get(self, name: str) -> Host | None:
        """Return a host, if it is in the inventory."""
        with self._database.reading() as connection:
            row = connection.execute(select(hosts).where(hosts.c.name == name)).mappings().first()
            return _host(row) if row else None

    def signing_keys(self) -> list[HostKey]:
        """Return every signing key that a host has or had."""
        with self._database.reading() as connection:
            rows = connection.execute(select(host_keys).order_by(host_keys.c.added_at)).mappings()
            return [HostKey(**row) for row in rows]

    def keys(self, key_ids: Iterable[str]) -> list[Owner]:
        """Return whose those of these signing keys are that count now."""
        with self._database.reading() as connection:
            rows = connection.execute(_OWNERS, {"key_ids": list(key_ids)})
            return [Owner(*row) for row in rows]

    def key(self, key_id: str) -> HostKey | None:
        """Return a signing key by its id."""
        query = select(host_keys).where(host_keys.c.key_id == key_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().first()
            return HostKey(**row) if row else None

    def add(self, host: Host) -> None:
        """Add a host and its signing key, in the place of a former host of this name."""
        key = HostKey(
            key_id=VerifyKey(host.sign_key).id,
            host=host.name,
            epoch=host.epoch,
            sign_key=host.sign_key,
            added_at=host.added_at,
        )
        with self._database.writing() as connection:
            _remove(connection, host.name, host.added_at)
            connection.execute(insert(hosts).values(**_values(host)))
            connection.execute(insert(host_keys).values(**to_row(key)))
            connection.execute(insert(presences).values(**to_row(PresenceRecord(host=host.name))))

    def epoch_of(self, name: str) -> int:
        """Return the last epoch that a host of this name had; 0 if there was none."""
        query = select(func.max(host_keys.c.epoch)).where(host_keys.c.host == name)
        with self._database.reading() as connection:
            return connection.execute(query).scalar() or 0

    def label(self, name: str, labels: Mapping[str, str], admission: bytes, at: int) -> None:
        """Replace a host's labels, by a new admission that it is to be sent."""
        values = {"labels": _dump(labels), "admission": admission, "admission_at": at}
        with self._database.writing(rings=True) as connection:
            query = update(hosts).where(hosts.c.name == name)
            connection.execute(query.values(**values, follow_at=at, follow_pause_ms=0))

    def remove(self, name: str, at: int) -> None:
        """Take a host out of the inventory; its keys stay, for verifying what it signed."""
        with self._database.writing() as connection:
            _remove(connection, name, at)


def _remove(connection: Connection, name: str, at: int) -> None:
    connection.execute(delete(hosts).where(hosts.c.name == name))
    connection.execute(delete(presences).where(presences.c.host == name))
    certificates.forget_host(connection, name)
    of_host = (host_keys.c.host == name) & host_keys.c.removed_at.is_(None)
    connection.execute(update(host_keys).where(of_host).values(removed_at=at))


def _host(row: RowMapping) -> Host:
    return Host(**{**row, "labels": json.loads(row["labels"])})


def _values(host: Host) -> dict[str, object]:
    return {**to_row(host), "labels": _dump(host.labels)}


def _dump(labels: Mapping[str, str]) -> str:
    return json.dumps(dict(labels), sort_keys=True)
