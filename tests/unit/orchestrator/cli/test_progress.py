"""Progress on a terminal is a table in place; elsewhere it is a line per change."""

import io

from rich.console import Console

from contract.instant import now_ms
from contract.outcome import HostRunState as State
from orchestrator.cli.progress import LiveProgress, PlainProgress
from orchestrator.store.record import HostRun


def _host_run(host: str, state: State, reason: str = "") -> HostRun:
    return HostRun(
        run_id="01J00000000000000000000000",
        host=host,
        epoch=1,
        state=state,
        order_sha256="0" * 64,
        expires_at=now_ms() + 60_000,
        reason=reason,
    )


def _console(height: int = 24) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    console = Console(
        file=written, force_terminal=True, width=80, height=height, no_color=True, _environ={}
    )
    return console, written


def test_plain_progress_says_each_change_once() -> None:
    """Looking twice at the same state adds nothing."""
    console, written = _console()
    queued = [_host_run("web1", State.QUEUED)]
    with PlainProgress(console) as progress:
        progress.update(queued, "no server")
        progress.update(queued, "no server")
        progress.update([_host_run("web1", State.REFUSED, "policy: \x1b[2J")], "")
    lines = written.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == ["web1: queued", "no server", "web1: refused"]
    assert lines[-1].endswith(": policy: \\x1b[2J")


def test_live_progress_on_a_small_screen_keeps_what_matters() -> None:
    """With more hosts than lines, open and refused ones are shown and the rest is counted."""
    console, written = _console(height=12)
    at_rest = [_host_run(f"web{n}", State.EXPIRED) for n in range(20)]
    with LiveProgress(console) as progress:
        progress.update([*at_rest, _host_run("zz", State.QUEUED)], "no server")
    shown = written.getvalue()
    assert "zz" in shown
    assert "… and 17 more" in shown
    assert "20 expired, 1 queued" in shown
    assert "no server" in shown


def test_live_progress_draws_the_same_only_once() -> None:
    """Nothing new, nothing written."""
    console, written = _console()
    queued = [_host_run("web1", State.QUEUED)]
    with LiveProgress(console) as progress:
        progress.update(queued, "")
        before = len(written.getvalue())
        progress.update(queued, "")
        assert len(written.getvalue()) == before
