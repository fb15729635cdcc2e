"""`denrei host`: the inventory and pings."""

import json

import pytest

from contract.enrolment import key_fingerprint
from contract.envelope import PayloadType, peek
from contract.instant import now_ms
from contract.key import SigningKey
from contract.keyring import Admission
from contract.order import decode
from contract.report import Pong
from contract.token import Token
from tests.unit.orchestrator.cli.conftest import Denrei
from tests.unit.orchestrator.cli.place import Place
from tests.waiting import eventually


def test_host_enrol_prints_one_token_and_nothing_else(place: Place, denrei: Denrei) -> None:
    """What is told beside it goes to stderr: the token can be redirected as it is."""
    said = denrei("host", "enrol", "new1", "-l", "env=prod", "--expires", "1h")
    (line,) = said.out.splitlines()
    token = Token.parse(line)
    assert (said.code, token.host, token.epoch) == (0, "new1", 1)
    assert 3_500_000 < token.expires_at - now_ms() <= 3_600_000
    assert "denrei-worker enrol TOKEN" in said.err
    assert "the registrar is not running" in said.err
    assert line not in said.err
    with place.store() as store:
        enrolment = store.enrolments.open_for("new1")
    assert enrolment is not None
    assert (enrolment.labels, enrolment.hold) == ({"env": "prod"}, False)
    assert enrolment.shared_key not in repr(enrolment)


def test_host_enrol_several_gives_a_line_each(place: Place, denrei: Denrei) -> None:
    """A thousand hosts are one command: the name, and its token."""
    assert place.sides
    names = [f"n{number}" for number in range(20)]
    lines = [line.split() for line in denrei("host", "enrol", *names).out.splitlines()]
    assert [name for name, _ in lines] == names
    assert [Token.parse(token).host for _, token in lines] == names
    documents = denrei("host", "enrol", *names, "-o", "jsonl").out.splitlines()
    assert [Token.parse(json.loads(line)["token"]).host for line in documents] == names


def test_host_enrol_a_member_says_that_its_former_self_ends(place: Place, denrei: Denrei) -> None:
    said = denrei("host", "enrol", "db1")
    assert Token.parse(said.out).epoch == 2
    assert "is a member already" in said.err
    with place.store() as store:
        enrolment, known = store.enrolments.open_for("db1"), store.hosts.get("db1")
    assert enrolment is not None
    assert known is not None
    assert enrolment.labels == known.labels


@pytest.mark.parametrize(
    "wrong",
    [
        ("../x",),
        ("new1", "-l", "env=pr od"),
        ("new1", "--expires", "1s"),
        ("new1", "--expires", "8d"),
        ("new1", "--expires", "soon"),
    ],
)
def test_host_enrol_of_no_use_is_told_and_makes_no_token(
    place: Place, denrei: Denrei, wrong: tuple[str, ...]
) -> None:
    said = denrei("host", "enrol", *wrong)
    assert (said.code, said.out) == (2, "")
    with place.store() as store:
        assert store.enrolments.open() == []


def test_host_accept_and_reject_with_nobody_held_say_what_to_do(
    place: Place, denrei: Denrei
) -> None:
    assert place.sides
    for verb in ("accept", "reject"):
        said = denrei("host", verb, "new1")
        assert said.code == 2
        assert "denrei host enrol new1" in said.err
    denrei("host", "enrol", "new1", "--hold")
    said = denrei("host", "accept", "new1")
    assert said.code == 2
    assert "no host has used the token" in said.err


def test_host_accept_compares_the_key(place: Place, denrei: Denrei) -> None:
    """A script gives the fingerprint; without a terminal nobody is let in unseen."""
    Token.parse(denrei("host", "enrol", "new1", "--hold").out)
    key = SigningKey.generate().public
    with place.store() as store:
        enrolment = store.enrolments.open_for("new1")
        assert enrolment is not None
        store.enrolments.claim(enrolment.id, key.text, key.text, now_ms())
    assert "denrei host accept new1" in denrei("host", "list").err
    listed = json.loads(denrei("host", "list", "-o", "json").out)["enrolments"]
    assert [(each["host"], each["state"], each["key_id"]) for each in listed] == [
        ("new1", "held", key.id)
    ]
    assert denrei("host", "accept", "new1").code == 2
    assert "nothing was accepted" in denrei("host", "accept", "new1", "--key", "0" * 32).err
    said = denrei("host", "accept", "new1", "--key", key_fingerprint(key))
    assert said.code == 0
    assert key_fingerprint(key) in said.err
    assert "accepted already" in denrei("host", "reject", "new1").err


def test_host_label_sets_and_takes_away(place: Place, denrei: Denrei) -> None:
    """The new labels are signed; the host is sent them."""
    assert denrei("host", "label", "db1", "env=test", "role=db").out.strip() == "env=test role=db"
    assert denrei("host", "label", "db1", "env-").out.strip() == "role=db"
    assert denrei("host", "label", "db1", "env-").code == 2
    assert denrei("host", "label", "db9", "env=x").code == 9
    with place.store() as store:
        known = store.hosts.get("db1")
    assert known is not None
    assert decode(peek(known.admission)[1], Admission).labels == {"role": "db"}


def test_host_revoke_takes_it_out(place: Place, denrei: Denrei) -> None:
    """A revoked host is no target any more, and its open token is void."""
    denrei("host", "enrol", "db1")
    assert denrei("host", "revoke", "db1").code == 0
    assert denrei("submit", "look", "--host", "db1").code == 9
    assert denrei("host", "revoke", "db1").code == 9
    with place.store() as store:
        assert store.enrolments.open() == []


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
