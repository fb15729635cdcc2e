"""What hosts said of their certificates: of each the newest fact, taken from their reports."""

import hashlib
from collections.abc import Collection, Iterable, Mapping

import msgspec
from sqlalchemy import Connection, RowMapping, delete, insert, select, update

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
        """Return every fact that still stands, by host."""
        began_at = certificate_scans.c.began_at
        query = select(certificates, began_at).outerjoin(
            certificate_scans, certificate_scans.c.host == certificates.c.host
        )
        query = query.order_by(certificates.c.host, certificates.c.key)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        told = [(_record(row), row["began_at"] or 0) for row in rows]
        there = [record for record, began in told if not _is_gone(record, began)]
        looked_at = _looked_at(there)
        return [record for record in there if not _is_outdone(record, looked_at)]


def learn(connection: Connection, report: Report, at: int) -> None:
    """Take what a report tells of certificates; reports may come late and in any order.

    Of each certificate the newest fact is kept. Which of them stand is decided when they are read,
    from when the newest complete scan began: so no order of reports can end otherwise.
    """
    tells = report.certificates or report.certificates_complete
    if not tells or not _is_known(connection, report.host):
        return
    # A host's clock that is ahead must not keep its later facts out for ever.
    told = sorted(report.certificates, key=lambda fact: fact.observed_at)
    facts = {_key(fact): (min(fact.observed_at, at), fact) for fact in told}
    known = _known(connection, report.host)
    _replace(
        connection,
        report,
        {key: each for key, each in facts.items() if each[0] > known.get(key, -1)},
    )
    if report.certificates_complete:
        _note_scan(connection, report.host, min(report.started_at or report.accepted_at, at))
    _bound(connection, report.host)


def forget_host(connection: Connection, host: str) -> None:
    """Take away all that a host told."""
    connection.execute(delete(certificates).where(certificates.c.host == host))
    connection.execute(delete(certificate_scans).where(certificate_scans.c.host == host))


def _is_known(connection: Connection, host: str) -> bool:
    return connection.execute(select(hosts.c.name).where(hosts.c.name == host)).first() is not None


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


def _note_scan(connection: Connection, host: str, began_at: int) -> None:
    ours = certificate_scans.c.host == host
    known = connection.execute(select(certificate_scans.c.began_at).where(ours)).scalar()
    if known is None:
        connection.execute(insert(certificate_scans).values(host=host, began_at=began_at))
    elif known < began_at:
        connection.execute(update(certificate_scans).where(ours).values(began_at=began_at))


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


def _is_gone(record: CertificateRecord, began_at: int) -> bool:
    """Tell whether a scan found it, and a complete one later did not.

    What a runbook's own look told stays: its file may be one of a daemon that no scan knows.
    """
    return record.fact.scanned and record.observed_at < began_at


def _looked_at(records: Iterable[CertificateRecord]) -> Mapping[tuple[str, str], int]:
    """Return when a scan last asked the process or port of each file."""
    moments: dict[tuple[str, str], int] = {}
    for each in records:
        if each.fact.scanned and each.fact.confirmed and each.fact.path:
            key = (each.host, each.fact.path)
            moments[key] = max(each.observed_at, moments.get(key, 0))
    return moments


def _is_outdone(record: CertificateRecord, looked_at: Mapping[tuple[str, str], int]) -> bool:
    """Tell whether a scan saw the same file in use later, if under another port's name."""
    later = looked_at.get((record.host, record.fact.path), -1)
    return not record.fact.scanned and record.observed_at < later
