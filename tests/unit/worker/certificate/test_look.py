"""Looking at real files, processes and ports: what is gathered, and what comes of it."""

import os
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from contract.certificate import CertificateVerdict as Verdict
from contract.probe import CertificateState
from tests.unit.worker.certificate.daemons import (
    DAY,
    HOUR,
    by_name,
    in_turn,
    issue,
    of_both_kinds,
    reloading,
)
from tests.unit.worker.children import child
from tests.unit.worker.observations.servers import after, saying, server, serving
from tests.waiting import eventually
from worker.certificate.fact import to_fact
from worker.certificate.judge import State
from worker.certificate.look import look
from worker.certificate.own_ports import ask_own_ports
from worker.certificate.witness import NotRunning, Running, Shown, Unreached
from worker.observations.observation import ObservationError
from worker.proc import boot_clock
from worker.root import Root

INIT = 1  # a process that is older than anything here, and has younger ones below it


def see(path: Path, *, own_ports: bool = False, **options: object) -> State:
    """Look at a file, and what more is asked for."""
    arguments = CertificateState(path=str(path), **options)  # type: ignore[arg-type]
    state = look(arguments, Root())
    return ask_own_ports(arguments, state, Root()) if own_ports else state


def pid_file(directory: Path, pid: int) -> str:
    (directory / "pid").write_text(f"{pid}\n")
    return str(directory / "pid")


def ends(state: State) -> list[datetime]:
    wire = state.witnesses.wire
    assert isinstance(wire, Shown)
    return [leaf.not_after for leaf in wire.leaves]


def test_renewed_file_is_stale_until_the_daemon_reloads(tmp_path: Path) -> None:
    """The story in one test: renewed on disk, old on the wire; the outage is the old one's end."""
    old, new = issue(begins=-80 * DAY, ends=5 * DAY), issue()
    path = old.put(tmp_path / "crt")
    with server(reloading(path)) as (pid, port):
        assert see(path, port=port).verdict is Verdict.EXPIRING
        new.put(path)
        stale = see(path, port=port)
        assert (stale.verdict, stale.confirmed) == (Verdict.STALE_IN_MEMORY, True)
        assert stale.outage_at == old.certificate.not_valid_after_utc == min(ends(stale))
        assert stale.certificate
        assert stale.certificate.sha256 == new.sha256
        assert f"127.0.0.1:{port} shows an older certificate" in stale.reason
        os.kill(pid, signal.SIGHUP)
        fresh = eventually(lambda: _if_fresh(see(path, port=port)), what="the daemon reloads")
    assert fresh
    assert fresh.outage_at == new.certificate.not_valid_after_utc


def _if_fresh(state: State) -> State | None:
    return state if state.verdict is Verdict.FRESH else None


def test_workers_that_differ_are_split(tmp_path: Path) -> None:
    old, new = issue(ends=20 * DAY), issue()
    paths = [new.put(tmp_path / "crt"), old.put(tmp_path / "old")]
    with serving(in_turn(paths)) as port:
        split = see(paths[0], port=port, handshakes=4)
        assert (split.verdict, len(ends(split))) == (Verdict.SPLIT, 4)
        assert split.outage_at == old.certificate.not_valid_after_utc
        assert "2 of 4 handshakes" in split.reason


def test_port_is_asked_by_the_files_first_name(tmp_path: Path) -> None:
    """A server of many names shows each its own; without the name, the default would be shown."""
    own, default = issue("www.example.com"), issue("default.example.org")
    path, other = own.put(tmp_path / "crt"), default.put(tmp_path / "default")
    with serving(by_name(other, {"www.example.com": path})) as port:
        assert see(path, port=port).verdict is Verdict.FRESH
        elsewhere = see(path, port=port, server_name="mail.example.com")
        assert elsewhere.verdict is Verdict.WRONG_NAME
        assert "shares no name" in elsewhere.reason


@pytest.mark.parametrize("of", ["rsa", "ec"])
def test_server_with_a_certificate_for_each_kind_of_key_is_asked_for_the_files(
    tmp_path: Path, of: str
) -> None:
    """Else the one that it likes best would make the other look stale."""
    both = {
        "rsa": issue(key=rsa.generate_private_key(65537, 2048)).put(tmp_path / "rsa"),
        "ec": issue().put(tmp_path / "ec"),
    }
    with serving(of_both_kinds(*both.values())) as port:
        assert see(both[of], port=port).verdict is Verdict.FRESH


def test_renewal_with_another_kind_of_key_is_stale_until_it_is_shown(tmp_path: Path) -> None:
    old = issue(key=rsa.generate_private_key(65537, 2048))
    path = old.put(tmp_path / "crt")
    with serving(in_turn([path])) as port:
        issue(begins=-2 * HOUR).put(path)
        state = see(path, port=port)
    assert state.verdict is Verdict.STALE_IN_MEMORY
    assert state.outage_at == old.certificate.not_valid_after_utc


def test_name_that_is_long_and_odd_costs_no_time(tmp_path: Path) -> None:
    """What a certificate says is a stranger's text: it is read in one go."""
    path = issue(f"{'a' * 250}!").put(tmp_path / "crt")
    with serving(in_turn([path])) as port:
        assert see(path, port=port).verdict is Verdict.FRESH


def test_port_of_a_wildcard_is_asked_for_www(tmp_path: Path) -> None:
    own, default = issue("*.example.com"), issue("default.example.org")
    path, other = own.put(tmp_path / "crt"), default.put(tmp_path / "default")
    with serving(by_name(other, {"www.example.com": path})) as port:
        assert see(path, port=port).verdict is Verdict.FRESH


def test_port_alone_can_be_judged(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    with serving(in_turn([path])) as port:
        arguments = CertificateState(port=port, names=["www.example.com"])
        state = look(arguments, Root())
    assert (state.verdict, state.confirmed) == (Verdict.FRESH, True)
    assert (to_fact(state, arguments).path, to_fact(state, arguments).served_sha256) == ("", "")


def test_port_in_the_host_outweighs_port(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    with serving(in_turn([path])) as port:
        assert see(path, host=f"127.0.0.1:{port}", port=1).verdict is Verdict.FRESH


def test_port_that_begins_in_plain_text_is_asked_in_its_protocol(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    plain = [(b"", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"), (b"S", b"")]
    with serving(after(plain, in_turn([path]))) as port:
        assert see(path, port=port, starttls="postgres").verdict is Verdict.FRESH


def test_port_that_shows_nothing_is_unreachable_now(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    with serving(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as plain:
        state = see(path, port=plain)
    assert state.verdict is Verdict.UNREACHABLE
    assert "no TLS" in state.reason
    assert state.outage_at
    assert abs(state.outage_at - datetime.now(UTC)) < timedelta(minutes=1)
    gone = see(path, port=plain)  # and now nobody listens there
    assert isinstance(gone.witnesses.wire, Unreached)
    assert "connection refused" in gone.reason


def test_all_handshakes_end_at_one_deadline(tmp_path: Path) -> None:
    """A server that never answers costs the timeout once, not once for each handshake."""
    path = issue().put(tmp_path / "crt")
    begun = boot_clock()
    with serving(lambda _connection: signal.pause()) as port:
        state = see(path, port=port, timeout="300ms", handshakes=50)
    assert state.verdict is Verdict.UNREACHABLE
    assert "timed out" in state.reason
    assert boot_clock() - begun < 5


def test_agent_that_is_older_than_its_own_certificate_is_stale(tmp_path: Path) -> None:
    """Made on the host: what is younger below the process proves nothing, and the file's times."""
    made = issue(begins=-timedelta(seconds=1), itself=True)
    state = see(made.put(tmp_path / "crt"), pid_file=pid_file(tmp_path, INIT))
    assert (state.verdict, state.confirmed) == (Verdict.STALE_IN_MEMORY, True)
    assert state.outage_at == made.certificate.not_valid_before_utc


def test_agent_that_is_younger_is_fresh_whatever_the_files_time(tmp_path: Path) -> None:
    made = issue(begins=-DAY, itself=True)
    with child() as pid:
        named = pid_file(tmp_path, pid)
        state = see(made.put(tmp_path / "crt"), pid_file=named)
    assert (state.verdict, state.confirmed) == (Verdict.FRESH, True)
    assert isinstance(state.witnesses.process, Running)
    assert state.witnesses.process.pid == pid


def test_process_that_does_not_run_is_unreachable(tmp_path: Path) -> None:
    with child() as pid:
        named = pid_file(tmp_path, pid)
    state = see(issue().put(tmp_path / "crt"), pid_file=named)
    assert state.verdict is Verdict.UNREACHABLE
    assert state.witnesses.process == NotRunning(f"pid file {named}")


def test_process_with_a_younger_child_may_have_reloaded(tmp_path: Path) -> None:
    """Everything that runs is below it, so the first process can't be told to be stale."""
    state = see(issue().put(tmp_path / "crt"), pid_file=pid_file(tmp_path, INIT))
    process = state.witnesses.process
    assert isinstance(process, Running)
    assert process.newest > process.started_at
    assert (state.verdict, state.confirmed) == (Verdict.FRESH, False)


def test_process_that_abstains_has_its_ports_asked(tmp_path: Path) -> None:
    """Between notBefore and the file's change only the port can tell; it is found by itself."""
    old, new = issue(ends=20 * DAY), issue()
    path = old.put(tmp_path / "crt")
    with server(in_turn([path])) as (pid, port):
        named = pid_file(tmp_path, pid)
        new.put(path)
        doubtful = see(path, pid_file=named)
        assert (doubtful.verdict, doubtful.confirmed) == (Verdict.FRESH, False)
        assert "its port would tell" in doubtful.reason
        sure = see(path, pid_file=named, own_ports=True)
        assert (sure.verdict, sure.confirmed) == (Verdict.STALE_IN_MEMORY, True)
        assert f"127.0.0.1:{port} shows an" in sure.reason
        old.put(path)
        assert see(path, pid_file=named, own_ports=True).confirmed


def test_process_that_was_reloaded_by_hand_is_cleared_by_its_port(tmp_path: Path) -> None:
    old, new = issue(), issue()
    path = old.put(tmp_path / "crt")
    with server(reloading(path)) as (pid, port):
        named = pid_file(tmp_path, pid)
        assert see(path, port=port).verdict is Verdict.FRESH  # from here on it knows the signal
        new.put(path)
        os.kill(pid, signal.SIGHUP)
        assert not see(path, pid_file=named).confirmed
        state = eventually(lambda: _if_fresh(see(path, pid_file=named, own_ports=True)))
    assert state
    assert state.confirmed
    assert f"127.0.0.1:{port} shows it" in state.reason


@pytest.mark.parametrize("what", ["another service's", "plain text"])
def test_port_that_says_nothing_of_the_certificate_leaves_the_verdict(
    tmp_path: Path, what: str
) -> None:
    path = issue().put(tmp_path / "crt")
    other = issue("other.example.org").put(tmp_path / "other")
    serve = in_turn([other]) if what == "another service's" else saying(b"hello")
    with server(serve) as (pid, _):
        named = pid_file(tmp_path, pid)
        issue().put(path)
        state = see(path, pid_file=named, own_ports=True)
    assert state.witnesses.wire is None
    assert (state.verdict, state.confirmed) == (Verdict.FRESH, False)


def test_name_that_can_not_be_asked_for_is_told(tmp_path: Path) -> None:
    path = issue().put(tmp_path / "crt")
    with serving(in_turn([path])) as port, pytest.raises(ObservationError, match="no name to ask"):
        see(path, port=port, server_name="a..b")


def test_expiring_within_is_taken(tmp_path: Path) -> None:
    path = issue(ends=10 * HOUR).put(tmp_path / "crt")
    assert see(path).verdict is Verdict.FRESH
    assert see(path, expiring_within="11h").verdict is Verdict.EXPIRING
