"""Orders for a ledger, all from one moment on."""

from dataclasses import replace

from worker.ledger import Entry, Ledger

NOW = 1_800_000_000_000
MINUTE = 60_000
ENTRY = Entry("RUN1", "digest-1", b"letter", NOW, None, None, None, 0)


def accept(ledger: Ledger, name: str = "RUN1", at: int = NOW) -> Entry:
    """Take in an order that was issued at a time and is good for 15 minutes."""
    entry = replace(ENTRY, run_id=name, digest=f"digest of {name}", accepted_at=at)
    ledger.accept(entry, at, at + 15 * MINUTE)
    return entry
