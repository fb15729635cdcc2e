"""`denrei run cancel`: what it asks, tells and exits with."""

import json
import os
import pty

import pytest

from contract.outcome import HostRunState, StepOutcome
from orchestrator.store.record import Kind
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place


@pytest.fixture
def run_id(place: Place, denrei: Denrei) -> str:
    """A run on web1 and web2 that no dispatcher has sent."""
    assert {"web1", "web2"} <= set(place.sides)
    return str(denrei("submit", "look", "--host", "web*", "--detach").out.strip())


def offer(place: Place) -> None:
    """Let a dispatcher have set out to send all that is due."""
    with place.store() as store:
        for share in (*store.runs.open_on("web1"), *store.runs.open_on("web2")):
            store.outgoing.orders(share.next_publish_at, 10)


def test_run_cancel_of_what_was_never_sent_ends_it_and_exits_4(run_id: str, denrei: Denrei) -> None:
    said = denrei("run", "cancel", run_id, "-m", "wrong hosts")
    assert said.code == 4
    assert "web1: cancelled before it was sent" in said.err
    assert "2 cancelled" in said.err
    assert "cancelled by alice: wrong hosts (its order was never sent)" in said.out


def test_run_cancel_detached_exits_0_and_show_list_and_watch_tell_cancelling(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    offer(place)
    place.report("web2", StepOutcome.OK)
    said = denrei("run", "cancel", run_id, "--detach", "-m", "wrong hosts")
    assert (said.code, said.out) == (0, "")
    assert "web1: tombstone signed; waits for the host" in said.err
    assert "web2: has ended already (ok)" in said.err
    assert f"denrei run watch {run_id}" in said.err
    assert "(1 cancelling)" in denrei("run", "list").out
    shown = denrei("run", "show", run_id).out
    assert "web1  queued  cancelling  expires at" in shown
    assert "being cancelled by alice: wrong hosts" in shown
    watched = denrei("run", "watch", run_id, "--timeout", "100ms")
    assert watched.code == 7
    assert "web1  cancelling" in watched.out
    assert "web1: queued, cancelling" in watched.err


def test_run_cancel_document_tells_who_is_being_cancelled(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    offer(place)
    said = denrei("run", "cancel", run_id, "--detach", "--host", "web2", "-o", "json")
    hosts = json.loads(said.out)["hosts"]
    assert [(host["host"], host["cancelling"]) for host in hosts] == [
        ("web1", False),
        ("web2", True),
    ]
    (listed,) = json.loads(denrei("run", "list", "-o", "json").out)["runs"]
    assert listed["cancelling"] == 1


def test_run_cancel_of_one_host_follows_only_that_one(run_id: str, denrei: Denrei) -> None:
    said = denrei("run", "cancel", run_id, "--host", "web1", "-o", "jsonl")
    assert [json.loads(line)["host"] for line in said.out.splitlines()] == ["web1"]
    assert said.code == 4


def test_run_cancel_follows_until_the_host_has_answered(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    offer(place)
    denrei("run", "cancel", run_id, "--detach")
    for host in ("web1", "web2"):
        place.report(host, StepOutcome.CANCELLED, "cancelled by alice")
    said = denrei("run", "watch", run_id)
    assert said.code == 4
    assert "2 cancelled" in said.err


def test_run_cancel_again_says_that_it_is_under_way(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    offer(place)
    denrei("run", "cancel", run_id, "--detach")
    again = denrei("run", "cancel", run_id, "--detach")
    assert "web1: is being cancelled already; waits for the host" in again.err
    graver = denrei("run", "cancel", run_id, "--detach", "--kill")
    assert "web1: tombstone signed; waits for the host" in graver.err
    with place.store() as store:
        assert len(store.envelopes.list(run_id=run_id, kinds=[Kind.CANCEL])) == 4


def test_run_cancel_of_an_ended_or_unknown_run_exits_2(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    denrei("run", "cancel", run_id)
    ended = denrei("run", "cancel", run_id)
    assert ended.code == 2
    told = f"run {run_id} has ended already (web1: cancelled, web2: cancelled); nothing was"
    assert told in ended.err
    assert denrei("run", "cancel", "ZZZ").code == 2
    elsewhere = denrei("run", "cancel", run_id, "--host", "db1")
    assert elsewhere.code == 2
    assert "the run did not go to 'db1'" in elsewhere.err


def test_run_cancel_without_the_operator_s_key_exits_1_and_cancels_nothing(
    run_id: str, place: Place, denrei: Denrei
) -> None:
    place.home.person_key(place.home.operator).unlink()
    said = denrei("run", "cancel", run_id)
    assert said.code == 1
    assert f"{place.home.operator}.pem" in said.err
    share = place.host_run("web1")
    assert share is not None
    assert share.state is HostRunState.QUEUED


def test_run_cancel_for_a_reason_too_long_exits_2(run_id: str, denrei: Denrei) -> None:
    said = denrei("run", "cancel", run_id, "-m", "x" * 2001)
    assert (said.code, "longer than 2000 characters" in said.err) == (2, True)


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"y\n", 4)])
def test_run_cancel_on_a_terminal_asks_first(
    run_id: str, place: Place, answer: bytes, code: int
) -> None:
    """Only a yes cancels; `-y` and a pipe are not asked."""
    ours, theirs = pty.openpty()
    with place.start("run", "cancel", run_id, "--kill", stdin=theirs) as process:
        os.close(theirs)
        os.write(ours, answer)
        _, told = process.communicate(timeout=30)
    os.close(ours)
    assert f"Cancel run {run_id} (look) on 2 hosts and end the commands that run there" in told
    assert process.returncode == code


def test_run_cancel_completes_run_ids(run_id: str, place: Place) -> None:
    with place.start(
        _DENREI_COMPLETE="bash_complete", COMP_WORDS="denrei run cancel ", COMP_CWORD="3"
    ) as process:
        out, _ = process.communicate(timeout=30)
    assert run_id in out
