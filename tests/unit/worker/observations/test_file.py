"""The observation file: the path itself, whatever it is."""

import hashlib
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.probe import File
from tests.unit.worker.privilege import forbidden
from worker.observations.file import observe_file
from worker.observations.observation import Fields, ObservationError
from worker.root import Root


def look(root: Path, path: str = "/f", match: str | None = None) -> Fields:
    return observe_file(File(path=path, match=match), Root(root))


def glance(root: Path, path: str, *asked: str) -> Fields:
    return observe_file(File(path=path, match="two"), Root(root), frozenset(asked))


def test_observe_a_file_gives_every_field(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"one\ntwo\n")
    file.chmod(0o4640)
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert look(tmp_path) == {
        "exists": True,
        "kind": "file",
        "size": 8,
        "mode": "4640",
        "owner": Root().user_name(os.geteuid()),
        "group": Root().group_name(file.stat().st_gid),
        "mtime": datetime.fromtimestamp(1_700_000_000, tz=UTC),
        "sha256": hashlib.sha256(b"one\ntwo\n").hexdigest(),
        "matches": False,
        "matched": "",
    }


def test_observe_a_file_finds_out_no_more_than_is_asked_for(tmp_path: Path) -> None:
    """A check that a file is there reads none of its megabytes."""
    (tmp_path / "f").write_text("one\ntwo\n")
    assert glance(tmp_path, "/f", "exists").keys() == {"exists", "kind", "size", "mode", "mtime"}
    assert glance(tmp_path, "/f", "owner")["owner"] == Root().user_name(os.geteuid())
    lines, digest = glance(tmp_path, "/f", "matched"), glance(tmp_path, "/f", "sha256")
    assert (lines["matched"], lines["sha256"]) == ("two", "")
    assert digest["sha256"] == hashlib.sha256(b"one\ntwo\n").hexdigest()
    assert glance(tmp_path, "/", "kind")["kind"] == "directory"
    with pytest.raises(ObservationError, match="no lines to match"):
        glance(tmp_path, "/", "matches")


def test_observe_nothing_there_is_knowledge(tmp_path: Path) -> None:
    assert look(tmp_path) == {"exists": False}
    (tmp_path / "f").touch()
    assert look(tmp_path, "/f/below") == {"exists": False}


def test_observe_links_and_specials_are_not_followed_and_do_not_block(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("x")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "broken").symlink_to("nowhere")
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    kinds = {name: look(tmp_path, f"/{name}") for name in ("link", "broken", "fifo", "socket")}
    assert [k["kind"] for k in kinds.values()] == ["link", "link", "other", "other"]
    assert look(tmp_path, "/")["kind"] == "directory"
    assert {k["sha256"] for k in kinds.values()} == {""}


@pytest.mark.parametrize(
    ("pattern", "seen"),
    [
        (r"^KEY=(\w+)$", (True, "two")),
        (r"^KEY=\w+$", (True, "KEY=two")),
        (r"^(absent)?KEY", (True, "")),
        (r"one.*KEY", (False, "")),
        (r"caf\\xff", (True, "caf\\xff")),
        (r"dos$", (True, "dos")),
    ],
)
def test_observe_a_match_is_sought_line_by_line(
    tmp_path: Path, pattern: str, seen: tuple[bool, str]
) -> None:
    (tmp_path / "f").write_bytes(b"one\nKEY=two\nKEY=three\ncaf\xff\ndos\r\n")
    fields = look(tmp_path, match=pattern)
    assert (fields["matches"], fields["matched"]) == seen


def test_observe_large_files_are_neither_hashed_nor_searched(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    assert look(tmp_path)["sha256"] == ""
    with pytest.raises(ObservationError, match="larger than 1024 KiB"):
        look(tmp_path, match="x")


def test_observe_a_match_in_no_file_or_by_no_pattern_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(ObservationError, match="no regular file"):
        look(tmp_path, "/", match="x")
    (tmp_path / "f").touch()
    with pytest.raises(ObservationError, match="not a regular expression"):
        look(tmp_path, match="(")


def test_observe_what_may_not_be_seen_is_unknown(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "f").touch()
    with forbidden(closed), pytest.raises(ObservationError, match="permission denied"):
        look(tmp_path, "/closed/f")
