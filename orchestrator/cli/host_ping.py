"""A signed ping to one host, and its answer."""

import time
from contextlib import closing
from datetime import timedelta

import click

from orchestrator.cli.advice import hindrance
from orchestrator.cli.exit_code import ExitCode
from orchestrator.cli.output import Document, Format, emit
from orchestrator.cli.session import operator_key
from orchestrator.cli.visible import visible
from orchestrator.home import Home
from orchestrator.ping import send_ping
from orchestrator.store.record import Host, PingRecord
from orchestrator.store.store import Store


def ping_host(
    home: Home, store: Store, host: Host, timeout: timedelta, format_: Format
) -> ExitCode:
    """Send a ping, wait for its signed answer, and tell how long it took."""
    if said := hindrance(store):
        click.echo(visible(said), err=True)
    asked = send_ping(host, home.operator, operator_key(home, store), store, timeout)
    answer = _wait(store, asked, timeout.total_seconds())
    _show(answer, format_)
    return ExitCode.OK if answer.ponged_at is not None else ExitCode.TIMED_OUT


def _wait(store: Store, asked: PingRecord, seconds: float) -> PingRecord:
    end = time.monotonic() + seconds
    with closing(store.watch()) as watch:
        while True:
            ping = store.pings.get(asked.nonce) or asked
            left = end - time.monotonic()
            if ping.ponged_at is not None or left <= 0:
                return ping
            watch.wait(min(left, 0.5))


def _show(ping: PingRecord, format_: Format) -> None:
    document = _document(ping)
    if format_ is not Format.TABLE:
        emit(format_, document, [document])
    elif ping.ponged_at is None:
        click.echo(f"{ping.host}: no answer", err=True)
    else:
        took, waiting = document["round_trip_ms"], document["waiting"]
        worker = visible(ping.worker) or "?"
        click.echo(f"{ping.host}: signed answer in {took} ms, {waiting} waiting, worker {worker}")


def _document(ping: PingRecord) -> Document:
    answered = ping.ponged_at is not None
    return {
        "host": ping.host,
        "answered": answered,
        "round_trip_ms": ping.ponged_at - ping.created_at if ping.ponged_at is not None else None,
        "waiting": ping.waiting,
        "worker": ping.worker if answered else None,
    }
