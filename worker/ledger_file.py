"""The ledger's file: what its tables are, how it is made and opened, and how it fails."""

import sqlite3
from contextlib import closing
from pathlib import Path

from contract.error import DenreiError, PassingError
from contract.whole_file import sync_directory

SKEW_MS = 60_000  # how far a clock may be off

_SCHEMA = """
CREATE TABLE meta (
    created_at INTEGER NOT NULL,           -- ms since 1970: older orders are refused
    floor INTEGER NOT NULL,                -- ms since 1970: see Ledger.floor
    reports INTEGER NOT NULL               -- how many reports this host has made
);
CREATE TABLE orders (
    run_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,                  -- of the letter
    letter BLOB NOT NULL,                  -- the exact signed bytes
    state TEXT NOT NULL,                   -- accepted, running, or ended
    expires_at INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    started_at INTEGER,
    boot_id TEXT,                          -- the boot in which it started
    boot_time REAL,                        -- seconds on that boot's clock when it started
    interruptions INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE items (                       -- what for_each found, kept for recovery
    run_id TEXT NOT NULL REFERENCES orders ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
);
CREATE TABLE notes (                       -- what for_each left alone, kept for the report
    run_id TEXT NOT NULL REFERENCES orders ON DELETE CASCADE,
    position INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (run_id, position)
);
CREATE TABLE steps (                       -- only steps whose action or rescue has begun
    run_id TEXT NOT NULL REFERENCES orders ON DELETE CASCADE,
    item INTEGER NOT NULL,                 -- position of the pass
    step INTEGER NOT NULL,                 -- position in the runbook
    rescue INTEGER NOT NULL,               -- 0: the step itself; n: the n-th step of its rescue
    attempts INTEGER NOT NULL,             -- 0: its action was not run, but its rescue has begun
    started_at INTEGER NOT NULL,           -- ms since 1970, of the first attempt
    report BLOB,                           -- the step's report once it is done
    PRIMARY KEY (run_id, item, step, rescue)
);
CREATE TABLE tombstones (                  -- orders that were taken back, come or not
    run_id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,                  -- of the order
    letter BLOB NOT NULL,                  -- the exact signed bytes that took it back
    why TEXT NOT NULL,                     -- by whom, and for what reason
    kill INTEGER NOT NULL,                 -- 1: also end the command that runs
    expires_at INTEGER NOT NULL,           -- of the order: kept as long as it would be
    at INTEGER NOT NULL                    -- ms since 1970
);
CREATE TABLE outbox (                      -- the report of each ended order, as signed
    digest TEXT PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES orders ON DELETE CASCADE,
    letter BLOB NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0  -- by the recorder: sent no more, kept for `history`
);
"""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    # The log is folded into the ledger every 200 pages: on a small disk it would fill it by itself.
    "wal_autocheckpoint=200",
    "journal_size_limit=1048576",
    "cache_size=-512",  # KiB, of 2 MiB; hardly anything is read that was not written just before
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "busy_timeout=5000",
    "cell_size_check=ON",
)
_PASSING = frozenset(
    {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_NOMEM}
)


class LedgerError(DenreiError):
    """The ledger is missing, damaged, or can't be written; nothing is accepted without it."""


class LedgerIOError(LedgerError, PassingError):
    """The disk is full or refuses; what was not written did not happen."""


def create_ledger(path: Path, now: int) -> None:
    """Make an empty ledger at `now` (ms). Raises LedgerError, also if there is one.

    It appears at its path complete or not at all: half a ledger would bar every further try.
    """
    if path.exists():
        raise LedgerError(f"there is a ledger at {path} already")
    draft = path.with_name(f".{path.name}.new")
    try:
        for left_over in path.parent.glob(f"{draft.name}*"):
            left_over.unlink()
        with closing(connect(draft)) as db:
            draft.chmod(0o600)
            db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
            db.execute("INSERT INTO meta VALUES (?, ?, 0)", (now, 0))
        draft.rename(path)
        sync_directory(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"can't make a ledger at {path}: {error}") from None


def connect(path: Path) -> sqlite3.Connection:
    """Open the file with all that durability asks for. Raises sqlite3.Error."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
    except sqlite3.Error:
        db.close()
        raise
    return db


def failure(message: str, error: sqlite3.Error) -> LedgerError:
    """Return the error to raise: whether it may pass depends on what SQLite says."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the primary code
    if code in _PASSING:
        return LedgerIOError(f"{message}: {error}; is the disk full?")
    return LedgerError(f"{message}: {error}")
