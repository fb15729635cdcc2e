"""`denrei host`: the inventory and pings."""

import json

from contract.envelope import PayloadType
from contract.instant import now_ms
from contract.key import SealKey, SigningKey
from contract.report import Pong
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import HostSide, Place
from tests.waiting import eventually


def test_host_add_then_list_and_show(place: Place, denrei: Denrei) -> None:
    """A host added by its public file is listed with its labels."""
    side = HostSide("new1", SigningKey.generate(), SealKey.generate())
    file = side.public_file(place.folder)
    assert denrei("host", "add", "new1", file, "-l", "env=prod", "-l", "role=db").code == 0
    (line,) = [x for x in denrei("host", "list").out.splitlines() if x.startswith("new1")]
    assert line.split() == ["new1", "unknown", "never", "never", "env=prod", "role=db"]
    document = json.loads(denrei("host", "show", "new1", "-o", "json").out)
    assert document["host"]["sign_key"] == side.key.public.text


def test_host_add_under_another_name_is_refused(place: Place, denrei: Denrei) -> None:
    """A public file names its host; a slip of the hand is caught."""
    file = HostSide("a1", SigningKey.generate(), SealKey.generate()).public_file(place.folder)
    said = denrei("host", "add", "b1", file)
    assert said.code == 2
    assert "is the public file of 'a1', not of 'b1'" in said.err
    assert denrei("host", "add", "a1", place.folder / "none").code == 2


def test_host_remove_takes_it_out(place: Place, denrei: Denrei) -> None:
    """A removed host is no target any more."""
    assert denrei("host", "remove", "db1").code == 0
    assert denrei("submit", "look", "--host", "db1").code == 9
    assert denrei("host", "remove", "db1").code == 9


def test_host_list_tells_when_each_last_signed(place: Place, denrei: Denrei) -> None:
    """A verified letter is a sign of life; none at all is `never`."""
    denrei("submit", "look", "--host", "web1", "--detach")
    place.receive("web1")
    rows = {line.split()[0]: line for line in denrei("host", "list").out.splitlines()}
    assert "just now" in rows["web1"] or "s ago" in rows["web1"]
    assert rows["web2"].split()[2:4] == ["never", "never"]


def test_host_ping_unanswered_exits_7_and_says_why(place: Place, denrei: Denrei) -> None:
    """Without a server nothing can answer, and that is said."""
    assert place.sides
    said = denrei("host", "ping", "web1", "--timeout", "50ms")
    assert said.code == 7
    assert "no server is running" in said.err
    assert "web1: no answer" in said.err
    assert denrei("host", "ping", "wbe1").code == 9


def test_host_ping_answered_tells_the_round_trip(place: Place) -> None:
    """A signed pong ends the wait; the round trip is in milliseconds."""
    place.serve()
    process = place.start("host", "ping", "web1", "-o", "json", "--timeout", "20s")
    nonce = eventually(lambda: _asked(place))
    place.record(
        "web1",
        PayloadType.PONG,
        Pong(host="web1", epoch=1, keyring=1, nonce=nonce, at=now_ms(), waiting=2, worker="0.1.0"),
    )
    out, err = process.communicate(timeout=30)
    document = json.loads(out)
    assert (process.returncode, err) == (0, "")
    assert document["answered"] is True
    assert document["round_trip_ms"] >= 0
    assert document["waiting"] == 2


def _asked(place: Place) -> str:
    with place.store() as store:
        due = store.outgoing.pings(now_ms(), 1)
    return due[0].key[0] if due else ""
