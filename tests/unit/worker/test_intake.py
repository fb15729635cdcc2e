"""Taking letters in: what is accepted is in the ledger before the letter is gone."""

import os
from pathlib import Path
from typing import Any

import pytest

from contract.envelope import PayloadType, peek
from contract.instant import now_ms
from contract.key import SigningKey
from contract.order import Acknowledgement, decode, letter_digest, sign_message
from contract.outcome import HostRunState
from contract.report import Pong, Receipt, Refusal, Report
from tests.unit.worker.steps import CHECK, FLAG
from tests.worker_host import WorkerHost, new_run_id, work

DELIVERED, RUNNING = HostRunState.DELIVERED, HostRunState.RUNNING


def take(host: WorkerHost, *letters: bytes) -> None:
    """Put letters into the inbox and let an executor take them in, but carry nothing out."""
    for letter in letters:
        host.inbox.put(letter)
    with host.executor() as executor:
        executor._intake.take()


def open_runs(host: WorkerHost) -> list[str]:
    with host.executor() as executor:
        return [entry.run_id for entry in executor._ledger.open_orders()]


def test_accepted_order_is_in_the_ledger_and_its_letter_gone(host: WorkerHost) -> None:
    run_id = new_run_id()
    take(host, host.order(CHECK, run_id=run_id))
    assert open_runs(host) == [run_id]
    assert host.inbox.letters() == []


def test_order_that_waits_gets_a_receipt_at_once(host: WorkerHost) -> None:
    """The first one's receipt says that it runs; who waits behind it is told so."""
    first, second = host.order(CHECK), host.order(CHECK)
    take(host, first)
    take(host, second)
    (receipt,) = host.heard(Receipt)
    assert (receipt.state, receipt.order_sha256) == (DELIVERED, letter_digest(second))


def test_order_that_comes_again_is_taken_once_and_receipted_each_time(host: WorkerHost) -> None:
    letter = host.order(CHECK)
    take(host, letter)
    take(host, letter)
    assert len(open_runs(host)) == 1
    assert [receipt.state for receipt in host.heard(Receipt)] == [DELIVERED]


def test_order_that_comes_again_after_its_end_does_nothing(host: WorkerHost) -> None:
    host.tool("tool", "echo x >> ran; touch flag")
    letter = host.order(FLAG)
    host.inbox.put(letter)
    host.work()
    (host.root / "flag").unlink()
    host.inbox.put(letter)
    host.work()
    assert (host.root / "ran").read_text() == "x\n"
    assert len(host.heard(Report)) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"host": "web2"}, "wrong_host"),
        ({"operator": "mallory"}, "wrong_operator"),
        ({"expires_at": 1}, "expired"),
        ({"runbook_sha256": "0" * 64}, "digest_mismatch"),
        ({"params": {"x": 1}}, "bad_parameter"),
        ({"v": 2}, "unsupported_version"),
    ],
)
def test_refused_order_is_answered_by_a_signed_refusal(
    host: WorkerHost, changes: dict[str, Any], reason: str
) -> None:
    letter = host.order(CHECK, **changes)
    take(host, letter)
    (refusal,) = host.heard(Refusal)
    assert (refusal.reason, refusal.letter_sha256) == (reason, letter_digest(letter))
    assert refusal.run_id
    assert open_runs(host) == []
    assert host.inbox.letters() == []


def test_order_with_a_known_run_id_and_other_content_is_refused(host: WorkerHost) -> None:
    run_id = new_run_id()
    take(host, host.order(CHECK, run_id=run_id))
    take(host, host.order(CHECK, run_id=run_id, reason="another"))
    (refusal,) = host.heard(Refusal)
    assert refusal.reason == "run_id_reused"
    assert open_runs(host) == [run_id]


HOSTILE = (
    b"",
    b"\xff\xfe\0",
    b"[]",
    b"null",
    b"[" * 100_000,
    b'{"payload":"","payloadType":"x","signatures":[]}',
    b'{"payload":"","payloadType":"application/vnd.denrei.order.v1+json","signatures":'
    b'[{"keyid":"' + b"\\ud800" * 32 + b'","sig":"' + b"A" * 86 + b'=="}]}',
)


def test_hostile_letters_are_refused_and_the_next_good_one_is_taken(host: WorkerHost) -> None:
    """Nobody needs a key to send these: none of them may stop or bar anything."""
    good = new_run_id()
    stranger = host.order(CHECK, key=SigningKey.generate())
    take(host, *HOSTILE, stranger, host.order(CHECK, run_id=good))
    assert open_runs(host) == [good]
    assert host.inbox.letters() == []
    refusals = host.heard(Refusal)
    assert len(refusals) == len(HOSTILE) + 1
    assert {refusal.run_id for refusal in refusals} == {None}  # what they say is not believed
    assert "unknown_key" in {refusal.reason for refusal in refusals}


def test_things_in_the_inbox_that_are_no_letters_bar_nobody(host: WorkerHost) -> None:
    """The courier writes there, and it is not trusted."""
    inbox = host.config.inbox
    (inbox / "a.once").mkdir()
    os.mkfifo(inbox / "b.once")
    (inbox / "c.once").symlink_to("/etc/passwd")
    (inbox / "d.once").write_bytes(b"x" * 600_000)
    take(host, host.order(CHECK))
    assert len(open_runs(host)) == 1


def test_ping_is_answered_with_how_many_wait(host: WorkerHost) -> None:
    take(host, host.order(CHECK))
    take(host, host.ping("ab" * 16))
    (pong,) = host.heard(Pong)
    assert (pong.nonce, pong.waiting, pong.host) == ("ab" * 16, 1, "web1")


def test_acknowledgement_lets_go_of_the_report(host: WorkerHost) -> None:
    host.run(CHECK)
    (path,) = [path for path in host.outbox.letters() if path.suffix == ".keep"]
    take(host, host.acknowledgement("0" * 64))
    assert path.exists()
    take(host, host.acknowledgement("0" * 64, path.stem))
    assert not path.exists()
    with host.executor() as executor:
        assert executor._ledger.unacknowledged() == []


def test_acknowledgement_by_anybody_but_the_recorder_is_refused(host: WorkerHost) -> None:
    """An operator's key may order, but not make a report vanish; a host's own key may neither."""
    host.run(CHECK)
    (path,) = [path for path in host.outbox.letters() if path.suffix == ".keep"]
    message = host.acknowledgement(path.stem)
    forged = _signed_again(message, host.trusted.operator)
    own = _signed_again(message, SigningKey.load(host.config.sign_key))
    take(host, forged, own)
    assert path.exists()
    assert {refusal.reason for refusal in host.heard(Refusal)} == {"wrong_role", "unknown_key"}


def _signed_again(letter: bytes, key: SigningKey) -> bytes:
    message = decode(peek(letter)[1], Acknowledgement)
    return sign_message(PayloadType.ACKNOWLEDGEMENT, message, key)


def test_order_of_the_recorder_is_refused(host: WorkerHost) -> None:
    take(host, host.order(CHECK, key=host.trusted.recorder, operator="recorder"))
    assert host.heard(Refusal)[0].reason == "wrong_role"


def test_full_outbox_loses_no_order_and_no_report(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipts may be lost; the report waits in the ledger until there is room again."""
    host.inbox.put(host.order(CHECK))
    monkeypatch.setattr("worker.mailbox.MAX_LETTERS", 0)
    host.work()
    assert host.said() == []
    monkeypatch.undo()
    host.work()
    assert host.report().run_id


def test_unwritable_ledger_accepts_nothing_and_keeps_the_letter(host: WorkerHost) -> None:
    """What the ledger can't take stays in the inbox, and is taken when it can."""
    host.inbox.put(host.order(CHECK))
    with host.executor() as executor:
        executor._ledger._file.connection.execute("PRAGMA query_only=ON")
        executor._intake.take()
        assert len(host.inbox.letters()) == 1
        assert host.said() == []
        executor._ledger._file.connection.execute("PRAGMA query_only=OFF")
        work(executor)
    assert host.inbox.letters() == []
    assert host.report().state == HostRunState.FAILED


def test_letter_that_can_not_be_removed_does_not_bar_the_next(
    host: WorkerHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a directory with an attribute that forbids it; here the removal itself fails."""
    first = host.inbox.put(host.order(CHECK))
    remove = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        if path.stem == first and path.parent == host.config.inbox:
            raise PermissionError(1, "Operation not permitted", str(path))
        remove(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    take(host, host.order(CHECK))
    assert len(open_runs(host)) == 2
    assert [path.stem for path in host.inbox.letters()] == [first]


def test_order_from_before_the_ledger_is_refused(host: WorkerHost) -> None:
    """A new ledger can't know whether it was run already."""
    take(host, host.order(CHECK, issued_at=now_ms() - 3_600_000))
    assert host.heard(Refusal)[0].reason == "older_than_ledger"
