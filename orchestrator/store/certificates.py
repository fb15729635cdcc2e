"""What hosts said of their certificates: of each the newest fact, taken from their reports."""

import hashlib
from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select

from contract.certificate import CertificateFact
from contract.report import Report
from orchestrator.store.database import Database
from orchestrator.store.record import CertificateRecord
from orchestrator.store.schema import certificate_scans, certificates, hosts

MAX_KEPT = 2000  # of one host: what it saw longest ago is forgotten first


class Certificates:
    """Reads facts about certificates; the recorder writes them with the report that told them."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def all(self) -> list[CertificateRecord]:
        """Return every fact that is known, by host."""
        query = select(certificates).order_by(certificates.c.host, certificates.c.key)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query).mappings()]


def learn(connection: Connection, report: Report, at: int) -> None:
    """Take what a report tells of certificates; reports may come late and in any order.

    Of each certificate the newest fact counts. A complete report takes away what was seen before
    it and is not in it, and so does it with older facts that only come after it.
    """
    tells = report.certificates or report.certificates_complete
    if not tells or not _is_known(connection, report.host):
        return
    scanned_at = _scanned_at(connection, report.host)
    # A host's clock that is ahead must not keep its later facts out for ever.
    told = sorted(report.certificates, key=lambda fact: fact.observed_at)
    facts = {_key(fact): (min(fact.observed_at, at), fact) for fact in told}
    known = _known(connection, report.host)
    new = {
        key: (observed_at, fact)
        for key, (observed_at, fact) in facts.items()
        if observed_at > max(known.get(key, -1), scanned_at)
    }
    _replace(connection, report, new)
    ended_at = min(report.ended_at, at)
    if report.certificates_complete and ended_at > scanned_at:
        gone = {key for key, moment in known.items() if moment <= ended_at and key not in facts}
        _forget(connection, report.host, gone)
        _note_scan(connection, report.host, ended_at)
    _bound(connection, report.host)


def forget_host(connection: Connection, host: str) -> None:
    """Take away all that a host told."""
    connection.execute(delete(certificates).where(certificates.c.host == host))
    connection.execute(delete(certificate_scans).where(certificate_scans.c.host == host))


def _is_known(connection: Connection, host: str) -> bool:
    return connection.execute(select(hosts.c.name).where(hosts.c.name == host)).first() is not None


def _scanned_at(connection: Connection, host: str) -> int:
    query = select(certificate_scans.c.at).where(certificate_scans.c.host == host)
    row = connection.execute(query).first()
    return row[0] if row else -1


def _known(connection: Connection, host: str) -> Mapping[str, int]:
    query = select(certificates.c.key, certificates.c.observed_at)
    rows = connection.execute(query.where(certificates.c.host == host))
    return {key: observed_at for key, observed_at in rows}  # noqa: C416 - rows are no pairs to mypy


def _replace(
    connection: Connection, report: Report, new: Mapping[str, tuple[int, CertificateFact]]
) -> None:
    _forget(connection, report.host, new)
    rows = [
        {
            "host": report.host,
            "key": key,
            "observed_at": observed_at,
            "run_id": report.run_id,
            "fact": msgspec.json.encode(fact).decode(),
        }
        for key, (observed_at, fact) in new.items()
    ]
    if rows:
        connection.execute(insert(certificates), rows)


def _note_scan(connection: Connection, host: str, at: int) -> None:
    connection.execute(delete(certificate_scans).where(certificate_scans.c.host == host))
    connection.execute(insert(certificate_scans).values(host=host, at=at))


def _bound(connection: Connection, host: str) -> None:
    query = select(certificates.c.key).where(certificates.c.host == host)
    query = query.order_by(certificates.c.observed_at.desc(), certificates.c.key)
    surplus = connection.execute(query.offset(MAX_KEPT)).scalars().all()
    _forget(connection, host, surplus)


def _forget(connection: Connection, host: str, keys: Collection[str]) -> None:
    if keys:
        ours = (certificates.c.host == host) & certificates.c.key.in_(list(keys))
        connection.execute(delete(certificates).where(ours))


def _key(fact: CertificateFact) -> str:
    """Return what one fact replaces another by; a path may be longer than an index can hold."""
    return hashlib.sha256(msgspec.json.encode([fact.path, fact.endpoint])).hexdigest()


def _record(row: RowMapping) -> CertificateRecord:
    fact = msgspec.json.decode(row["fact"], type=CertificateFact)
    return CertificateRecord(
        host=row["host"], run_id=row["run_id"], observed_at=row["observed_at"], fact=fact
    )
