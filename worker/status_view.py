"""The status as lines for people and as a document for machines."""

from collections.abc import Iterator

import click

from worker.display import Document, columns, emit, plain, rfc3339, stamp
from worker.ledger_view import Standing
from worker.liveness import Holder
from worker.status import Life, Status


def show_status(status: Status, format_: str) -> None:
    """Write the status to stdout."""
    if format_ == "json":
        emit(_document(status))
        return
    for line in columns(list(_rows(status))):
        click.echo(line)
    for concern in status.concerns:
        click.echo(f"needs a look: {plain(concern)}")


def _rows(status: Status) -> Iterator[tuple[str, str]]:
    facts, ledger = status.facts, status.facts.ledger
    yield "host", f"{facts.host}, worker {facts.worker}"
    yield "courier", _process(status.courier, facts.courier)
    yield "executor", _process(status.executor, facts.executor)
    yield "connected", _connected(status)
    yield "last self-ping", _ago(status.self_ping_s)
    if ledger:
        yield "orders", f"{ledger.waiting} waiting, {ledger.running} running"
        yield "reports", f"{ledger.unacknowledged} waiting for acknowledgement"
    yield "letters", f"{facts.inbox} in inbox, {facts.outbox} in outbox"
    yield "ledger", _ledger(ledger) if ledger else "can't be read"
    yield "clock", _clock(status)
    yield "process control", facts.process_control or "not known"


def _process(life: Life, holder: Holder | None) -> str:
    return f"{life}, pid {holder.pid}" if holder and holder.pid > 0 else str(life)


def _connected(status: Status) -> str:
    said = "" if status.said_s is None else f" (the courier's word, {_ago(status.said_s)})"
    if status.connected is None:
        return f"not known{said}"
    return ("yes" if status.connected else "no") + said


def _ledger(ledger: Standing) -> str:
    free = f"{ledger.size // 1024} KiB, {ledger.free // 1024**2} MiB free on its disk"
    return f"{_health(ledger).replace('_', ' ')}, {free}"


def _health(ledger: Standing) -> str:
    if ledger.damage is None:
        return "not_checked_whole"
    return "damaged" if ledger.damage else "ok"


def _clock(status: Status) -> str:
    clock = status.facts.clock
    if clock is None:
        return "nothing signed to compare with yet"
    bound = "ahead by at most" if clock.skew_ms >= 0 else "behind by at least"
    seconds = abs(clock.skew_ms) / 1000
    return f"{bound} {seconds:.1f} s, by the order of {stamp(clock.signed_at)}"


def _ago(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s ago"


def _document(status: Status) -> Document:
    facts, clock = status.facts, status.facts.clock
    return {
        "host": facts.host,
        "worker": facts.worker,
        "at": rfc3339(facts.now),
        "well": not status.concerns,
        "concerns": status.concerns,
        "courier": {**_life(status.courier, facts.courier), **_word(status)},
        "executor": _life(status.executor, facts.executor),
        **_counts(facts.ledger),
        "letters": {
            "inbox": facts.inbox,
            "outbox": facts.outbox,
            "oldest_in_inbox_s": round(facts.oldest_s, 1),
        },
        "ledger": _ledger_document(facts.ledger, facts.ledger_trouble),
        "clock": {
            "skew_s": clock.skew_ms / 1000,
            "against_order": clock.run_id,
            "signed_at": rfc3339(clock.signed_at),
        }
        if clock
        else None,
        "process_control": facts.process_control,
    }


def _life(life: Life, holder: Holder | None) -> Document:
    return {"state": life.value, "pid": holder.pid if holder and holder.pid > 0 else None}


def _word(status: Status) -> Document:
    word = status.facts.word
    return {
        "connected": status.connected,
        "trouble": word.trouble if word else "",
        "last_self_ping_s": _rounded(status.self_ping_s),
        "last_said_s": _rounded(status.said_s),
        "last_said_at": rfc3339(word.said_at) if word else None,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _counts(ledger: Standing | None) -> Document:
    if ledger is None:
        return {"orders": None, "reports": None}
    return {
        "orders": {"waiting": ledger.waiting, "running": ledger.running},
        "reports": {"unacknowledged": ledger.unacknowledged},
    }


def _ledger_document(ledger: Standing | None, trouble: str) -> Document:
    if ledger is None:
        return {"health": "unreadable", "detail": trouble, "bytes": None, "free_bytes": None}
    return {
        "health": _health(ledger),
        "detail": ledger.damage or "",
        "bytes": ledger.size,
        "free_bytes": ledger.free,
    }
