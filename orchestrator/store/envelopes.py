"""The letters: every order, receipt, report, refusal, … as its exact bytes, append-only."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, RowMapping, select

from orchestrator.store.among import among
from orchestrator.store.database import Database, StoreError
from orchestrator.store.many import insert_many
from orchestrator.store.record import Kind, NewEnvelope, StoredEnvelope
from orchestrator.store.schema import envelopes, host_runs

_BATCH = 500
_STORED_AT = select(envelopes.c.digest, envelopes.c.at).where(among(envelopes.c.digest, "digests"))
_APPEND = insert_many(envelopes, ["kind", "run_id", "host", "digest", "data", "at"])


class Envelopes:
    """Reads stored letters."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def get(self, digest: str) -> StoredEnvelope | None:
        """Return the letter with this SHA-256."""
        with self._database.reading() as connection:
            return find(connection, digest)

    def missing(self, kind: Kind) -> Sequence[tuple[str, str, str]]:
        """Return run, host and digest of every host run whose letter of a kind is not here.

        Orders and cancels are the kinds that host runs name.
        """
        named = {Kind.ORDER: host_runs.c.order_sha256, Kind.CANCEL: host_runs.c.cancel_sha256}[kind]
        query = select(host_runs.c.run_id, host_runs.c.host, named).where(named.is_not(None))
        query = query.outerjoin(envelopes, envelopes.c.digest == named)
        with self._database.reading() as connection:
            rows = connection.execute(query.where(envelopes.c.seq.is_(None)))
            return [(run_id, host, digest) for run_id, host, digest in rows]

    def list(  # noqa: PLR0913 - each narrows the choice by itself
        self,
        *,
        run_id: str | None = None,
        host: str | None = None,
        since: int | None = None,
        kinds: Iterable[Kind] | None = None,
        after_seq: int = 0,
        limit: int = 1000,
    ) -> list[StoredEnvelope]:
        """Return letters in the order in which they were stored."""
        query = select(envelopes).where(envelopes.c.seq > after_seq)
        if run_id is not None:
            query = query.where(envelopes.c.run_id == run_id)
        if host is not None:
            query = query.where(envelopes.c.host == host)
        if since is not None:
            query = query.where(envelopes.c.at >= since)
        if kinds is not None:
            query = query.where(envelopes.c.kind.in_([kind.value for kind in kinds]))
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(envelopes.c.seq).limit(limit)).mappings()
            return [_envelope(row) for row in rows]

    def walk(self) -> Iterator[StoredEnvelope]:
        """Yield every letter, without holding all of them at once."""
        seq = 0
        while batch := self.list(after_seq=seq, limit=_BATCH):
            yield from batch
            seq = batch[-1].seq


def append(connection: Connection, letters: Sequence[NewEnvelope]) -> None:
    """Store letters as part of somebody's transaction."""
    _APPEND.execute(connection, [_row(letter) for letter in letters])


def find(connection: Connection, digest: str) -> StoredEnvelope | None:
    """Return a letter by its SHA-256 within somebody's transaction."""
    query = select(envelopes).where(envelopes.c.digest == digest)
    row = connection.execute(query).mappings().first()
    return _envelope(row) if row else None


def stored_at(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    """Return which of these letters are stored, and since when, within somebody's transaction."""
    rows = connection.execute(_STORED_AT, {"digests": list(digests)})
    return {digest: at for digest, at in rows}  # noqa: C416 - rows are no pairs


def _row(letter: NewEnvelope) -> dict[str, object]:
    return {
        "kind": letter.kind.value,
        "run_id": letter.run_id,
        "host": letter.host,
        "digest": letter.digest,
        "data": letter.data,
        "at": letter.at,
    }


def _envelope(row: RowMapping) -> StoredEnvelope:
    """Read a row; one that was changed behind our back must be told, not crash the telling."""
    data = row["data"]
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogateescape")
    try:
        return StoredEnvelope(**{**row, "kind": Kind(row["kind"]), "data": data})
    except ValueError:
        raise StoreError(f"letter {row['seq']} is of no known kind: {row['kind']!r}") from None
