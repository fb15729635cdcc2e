"""Passphrases: asked for once at the terminal, or read from a file, and shown nowhere."""

import os
import subprocess
from pathlib import Path

import pytest

from contract.key import is_protected
from orchestrator.cli.passphrase import VARIABLE
from tests.terminal import Conversation, converse
from tests.unit.orchestrator.cli.conftest import WORDS, Denrei, Said, loads
from tests.unit.orchestrator.cli.place import Place


def at_terminal(
    place: Place, *arguments: str, answers: dict[str, str], stdin: str = "/dev/tty"
) -> Conversation:
    home = {"DENREI_HOME": str(place.home.path), VARIABLE: ""}
    program = ["sh", "-c", 'exec "$0" "$@" <"$STDIN"', str(place.console_script()), *arguments]
    return converse(program, {**home, "STDIN": stdin}, *answers.items())


def without_terminal(place: Place, *arguments: str) -> Said:
    done = subprocess.run(
        [place.console_script(), *arguments],
        env={**os.environ, "DENREI_HOME": str(place.home.path), VARIABLE: ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"wrong words\n", "wrong passphrase for {key}"),
        (b"", "the first line of {file}, named in DENREI_PASSPHRASE_FILE, is empty"),
        (b"\n" + WORDS.encode(), "is empty"),
        (b"x" * 1001, "a passphrase has at most 1000 bytes"),
        (0o640, "{file} can be read by others; run: chmod 600 {file}"),
        (0o604, "can be read by others"),
        (None, "can't read {file}, named in DENREI_PASSPHRASE_FILE: No such file"),
    ],
    ids=["wrong", "empty", "empty line", "too long", "group", "others", "absent"],
)
def test_passphrase_file_of_no_use_is_one_line_and_signs_nothing(
    place: Place, denrei: Denrei, file: Path, content: bytes | int | None, told: str
) -> None:
    denrei("key", "protect")
    if content is None:
        file.unlink()
    elif isinstance(content, int):
        file.chmod(content)
    else:
        file.write_bytes(content)
    said = denrei("submit", "look", "--all", "--detach")
    assert (said.code, said.out) == (1, "")
    last = said.err.splitlines()[-1]
    assert told.format(key=place.home.person_key("alice"), file=file) in last
    assert "wrong words" not in said.err
    assert WORDS not in said.err
    with place.store() as store:
        assert store.runs.list() == []


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", "\n\n"])
def test_passphrase_file_counts_by_its_first_line_however_it_ends(
    place: Place, denrei: Denrei, file: Path, ending: str
) -> None:
    denrei("key", "protect")
    file.write_bytes(f"{WORDS}{ending}".encode())
    assert denrei("host", "ping", "web1", "--timeout", "0s").code == 7


def test_passphrase_is_asked_for_once_at_the_terminal_and_not_echoed(
    place: Place, denrei: Denrei, file: Path
) -> None:
    """Approving signs many letters with one key; rotating reads two files under one passphrase."""
    denrei("key", "protect")
    denrei("key", "protect", "root")
    own, root = place.home.person_key("alice"), place.home.root_key
    asked = f"Passphrase for {own}: "
    done = at_terminal(place, "submit", "look", "--all", "--detach", answers={asked: WORDS})
    assert done.code == 0
    assert done.shown.count("Passphrase for") == 1
    assert WORDS not in done.shown
    answers = {asked: WORDS, f"Passphrase for {root}: ": WORDS}
    done = at_terminal(place, "key", "rotate", "alice", answers=answers, stdin="/dev/null")
    assert done.code == 0, done.shown
    assert "keyring 2 is in force" in done.shown
    assert done.shown.count("Passphrase for") == 2
    assert loads(own)


def test_passphrase_is_asked_for_twice_when_it_is_new_and_once_more_when_it_is_old(
    place: Place,
) -> None:
    path = place.home.person_key("alice")
    new, again = f"New passphrase for {path}: ", "Repeat for confirmation: "
    done = at_terminal(place, "key", "protect", answers={new: WORDS, again: WORDS})
    assert done.code == 0, done.shown
    assert loads(path)
    answers = {f"Passphrase for {path}: ": WORDS, new: "other words", again: "other words"}
    done = at_terminal(place, "key", "protect", answers=answers)
    assert done.code == 0, done.shown
    assert loads(path, "other words")
    assert WORDS not in done.shown
    done = at_terminal(place, "key", "protect", answers={f"Passphrase for {path}: ": "wrong one"})
    assert done.code == 1
    assert f"wrong passphrase for {path}" in done.shown


def test_passphrase_given_up_at_the_terminal_changes_nothing(place: Place) -> None:
    path = place.home.person_key("alice")
    done = at_terminal(place, "key", "protect", answers={f"New passphrase for {path}: ": "\x03"})
    assert done.code == 130
    assert not is_protected(path)


def test_passphrase_without_a_terminal_says_how_to_give_it(
    place: Place, denrei: Denrei, file: Path
) -> None:
    denrei("key", "protect")
    said = without_terminal(place, "submit", "look", "--all", "--detach")
    assert (said.code, said.out) == (1, "")
    told = said.err.splitlines()[-1]
    assert f"{place.home.person_key('alice')} has a passphrase, and there is no terminal" in told
    assert "name that in DENREI_PASSPHRASE_FILE" in told
    said = without_terminal(place, "key", "new", str(place.folder / "new.pem"), "--passphrase")
    assert said.code == 1
    assert not (place.folder / "new.pem").exists()


def test_passphrase_stays_out_of_a_traceback(
    place: Place, denrei: Denrei, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected error right behind the key's opening: neither log nor screen has it."""
    denrei("key", "protect")
    with place.store() as store:
        assert store.hosts.all()
    monkeypatch.setattr("orchestrator.submission.new_run_id", lambda _now: 1 / 0)
    said = denrei("submit", "look", "--all", "--debug")
    assert "ZeroDivisionError" in said.err
    assert WORDS not in said.err
    denrei("submit", "look", "--all")
    assert WORDS not in (place.home.path / "errors.log").read_text()
