"""Mailboxes: a letter is there whole or not at all, and only letters count as such."""

import hashlib
import os
from pathlib import Path

import pytest

from contract.bell import Bell
from worker import mailbox
from worker.mailbox import BELL, MAX_LETTER, Care, Mailbox, MailboxError


@pytest.fixture
def box(tmp_path: Path) -> Mailbox:
    return Mailbox(tmp_path)


def test_put_a_letter_can_be_read_under_its_digest(box: Mailbox) -> None:
    digest = box.put(b"hello", Care.KEEP)
    assert digest == hashlib.sha256(b"hello").hexdigest()
    (path,) = box.letters()
    assert path.name == f"{digest}.keep"
    assert box.read(path) == b"hello"


def test_put_rings(box: Mailbox) -> None:
    bell = Bell(box.directory / BELL)
    assert not bell.wait(0)
    box.put(b"hello")
    assert bell.wait(0)
    assert not bell.wait(0)
    bell.close()


def test_put_the_same_letter_again_is_one_letter(box: Mailbox) -> None:
    box.put(b"hello")
    box.put(b"hello")
    assert len(box.letters()) == 1


def test_letters_come_oldest_first(box: Mailbox) -> None:
    for number, content in enumerate([b"c", b"a", b"b"]):
        box.put(content)
        path = box.directory / f"{hashlib.sha256(content).hexdigest()}.once"
        os.utime(path, ns=(number, number))
    assert [box.read(path) for path in box.letters()] == [b"c", b"a", b"b"]


def test_put_a_letter_that_is_too_large_is_refused(box: Mailbox) -> None:
    box.put(b"x" * MAX_LETTER)
    with pytest.raises(MailboxError, match="too large"):
        box.put(b"x" * (MAX_LETTER + 1))


def test_put_into_a_full_box_is_refused(box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAX_LETTERS", 2)
    box.put(b"1")
    box.put(b"2")
    with pytest.raises(MailboxError, match="holds 2 letters already"):
        box.put(b"3")


def test_put_into_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(MailboxError, match="No such file"):
        Mailbox(tmp_path / "gone").put(b"x")


def test_put_that_can_not_be_finished_leaves_nothing(box: Mailbox) -> None:
    """Here a directory is in the way of the final name."""
    digest = hashlib.sha256(b"x").hexdigest()
    (box.directory / f"{digest}.once").mkdir()
    with pytest.raises(MailboxError, match="can't write"):
        box.put(b"x")
    assert [entry.name for entry in box.directory.iterdir()] == [f"{digest}.once"]


def test_draft_of_a_killed_writer_is_no_letter_and_goes_when_the_next_one_starts(
    box: Mailbox,
) -> None:
    digest = box.put(b"whole")
    draft = box.directory / f".{digest}.once.4711"
    draft.write_bytes(b"ha")
    assert [path.stem for path in box.letters()] == [digest]
    box.remove_drafts()
    assert not draft.exists()
    assert [path.stem for path in box.letters()] == [digest]


def test_letters_are_plain_files_with_the_right_suffix_alone(box: Mailbox, tmp_path: Path) -> None:
    """The directory is written by a process that is not trusted."""
    (box.directory / "a.once").mkdir()
    os.mkfifo(box.directory / "b.once")
    (box.directory / "c.once").symlink_to("/etc/passwd")
    (box.directory / "d.txt").write_text("x")
    (box.directory / ".e.once.1234").write_text("half")
    assert box.letters() == []


def test_read_follows_no_link_and_waits_for_no_pipe(box: Mailbox) -> None:
    """Also when what was a letter has become something else meanwhile."""
    os.mkfifo(box.directory / "pipe.once")
    (box.directory / "link.once").symlink_to("/etc/passwd")
    assert box.read(box.directory / "pipe.once") is None
    with pytest.raises(OSError, match="symbolic links"):
        box.read(box.directory / "link.once")


def test_read_what_is_gone_or_too_large_is_nothing(box: Mailbox) -> None:
    (box.directory / "large.once").write_bytes(b"x" * (MAX_LETTER + 1))
    assert box.read(box.directory / "gone.once") is None
    assert box.read(box.directory / "large.once") is None


@pytest.mark.parametrize("left", [b"", b"a lett"])
def test_read_a_letter_that_a_power_loss_tore_is_nothing(box: Mailbox, left: bytes) -> None:
    box.put(b"a letter")
    (path,) = box.letters()
    path.write_bytes(left)
    assert box.read(path) is None


def test_take_away_removes_either_care_and_does_not_mind_absence(box: Mailbox) -> None:
    digest = box.put(b"x", Care.KEEP)
    box.put(b"x", Care.ONCE)
    box.take_away(digest)
    box.take_away(digest)
    assert box.letters() == []
