"""Passphrases: asked for once at the terminal, or read from a file, and shown nowhere."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from contract.key import SigningKey, is_protected
from contract.keyring import RootKey, Roots
from orchestrator.amendment import amend
from orchestrator.cli.passphrase import VARIABLE
from orchestrator.succession import Succession
from tests.terminal import Conversation, converse
from tests.unit.orchestrator.cli.conftest import Denrei, Said
from tests.unit.orchestrator.cli.place import Place

WORDS = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the passphrase, named in the environment."""
    path = tmp_path / "passphrase"
    path.touch(0o600)
    path.write_text(f"{WORDS}\nanother line\n")
    monkeypatch.setenv(VARIABLE, str(path))
    return path


def loads(path: Path, words: str = WORDS) -> bool:
    return bool(SigningKey.load(path, lambda _path: words.encode()))


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


def test_key_protect_puts_a_passphrase_on_one_s_own_key_and_takes_it_off(
    place: Place, denrei: Denrei, file: Path
) -> None:
    path = place.home.person_key("alice")
    said = denrei("key", "protect")
    assert said == (0, "", f"{path} has a passphrase now\n")
    assert is_protected(path)
    assert loads(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert denrei("submit", "look", "--all", "--detach").code == 0
    assert denrei("key", "protect", "--remove").err == f"{path} has no passphrase now\n"
    assert not is_protected(path)


def test_key_protect_takes_the_root_and_any_file(
    place: Place, denrei: Denrei, file: Path, tmp_path: Path
) -> None:
    assert denrei("key", "protect", "root").code == 0
    assert is_protected(place.home.root_key)
    assert denrei("key", "rotate", "beat").out.startswith("keyring 2 is in force")
    SigningKey.generate().save(tmp_path / "second.pem")
    assert denrei("key", "protect", "--file", tmp_path / "second.pem").code == 0
    assert loads(tmp_path / "second.pem")


@pytest.mark.parametrize("name", ["beat", "recorder", "registrar"])
def test_key_protect_refuses_the_keys_of_services(
    place: Place, denrei: Denrei, file: Path, name: str
) -> None:
    """They sign while nobody is there: the server would not start any more."""
    path = place.home.service_key(name)
    for arguments in ([name], ["--file", str(path)]):
        said = denrei("key", "protect", *arguments)
        assert said.code == 1
        assert f"{path} belongs to a service that signs while nobody is there" in said.err
    assert not is_protected(path)


def test_server_with_a_protected_key_says_what_to_do(
    place: Place, denrei: Denrei, file: Path
) -> None:
    """One that was protected by other means; the cure works."""
    path = place.home.service_key("recorder")
    protected = place.folder / "other.pem"
    denrei("key", "new", protected, "--passphrase")
    protected.replace(path)
    said = denrei("server", "--only", "recorder")
    assert said.code == 1
    cure = f"denrei key protect --remove --file {path}"
    assert cure in said.err
    assert denrei(*cure.split()[1:]).code == 0
    assert not is_protected(path)


def test_key_new_and_init_make_protected_keys(denrei: Denrei, tmp_path: Path, file: Path) -> None:
    made = denrei("key", "new", tmp_path / "bob.pem", "--passphrase")
    assert made.code == 0
    assert loads(tmp_path / "bob.pem")
    home = tmp_path / "new"
    assert denrei("init", "--home", home, "--operator", "alice", "--passphrase").code == 0
    assert loads(home / "keys/person/alice.pem")
    assert loads(home / "keys/root.pem")
    assert not is_protected(home / "keys/service/beat.pem")


def test_key_rotate_gives_the_new_key_the_old_one_s_passphrase(
    place: Place, denrei: Denrei, file: Path
) -> None:
    path, before = place.home.person_key("alice"), place.home.operator_key().public
    for name in ("alice", "root"):
        assert denrei("key", "protect", name).code == 0
    assert denrei("key", "rotate", "alice").out.startswith("keyring 2 is in force")
    assert loads(path)
    assert place.home.operator_key(lambda _: WORDS.encode()).public.text != before.text
    assert loads(path.with_name(f"alice.old-{before.id[:8]}.pem"))
    assert denrei("key", "rotate", "root").out.startswith("keyring 3 is in force")
    assert loads(place.home.root_key)


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


def test_key_protect_refuses_a_short_passphrase_and_the_one_that_it_has(
    place: Place, denrei: Denrei, file: Path
) -> None:
    file.write_text("seven77\n")
    said = denrei("key", "protect")
    assert (said.code, said.err) == (1, "denrei: a passphrase has at least 8 characters\n")
    file.write_text(WORDS)
    denrei("key", "protect")
    said = denrei("key", "protect")
    assert said.code == 1
    assert "has this passphrase already" in said.err


def test_key_protect_of_what_is_not_there_or_ssh_agent_s_is_told(
    place: Place, denrei: Denrei, file: Path
) -> None:
    assert "no key at" in denrei("key", "protect", "bob").err
    public = place.home.person_key("bob").with_suffix(".pub")
    public.write_text("ssh-ed25519 x\n")
    for arguments in (["bob"], ["--file", str(public)]):
        said = denrei("key", "protect", *arguments)
        assert said.code == 1
        assert "`ssh-keygen -p` changes that one's passphrase" in said.err
    assert denrei("key", "protect", "bob", "--file", public).code == 2


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


def test_key_that_waits_for_a_second_root_takes_its_place_by_its_passphrase(
    place: Place, denrei: Denrei, file: Path, tmp_path: Path
) -> None:
    """Without it nothing is in force: a key that nobody can use would sign from then on."""
    first, second = SigningKey.load(place.home.root_key), SigningKey.generate()
    second.save(tmp_path / "second.pem")
    keys = [RootKey(name=n, key=k.public.text) for n, k in (("a", first), ("b", second))]
    with place.store() as store:
        newest = store.keyrings.newest()
        two = amend(newest, newest.issued_at + 1, roots=Roots(threshold=2, keys=keys))
        Succession(place.home, store).draft(two, [first, second], newest.issued_at + 1)
    denrei("key", "protect")
    assert "keyring 3 is not in force yet" in denrei("key", "rotate", "alice").out
    file.write_text("wrong words")
    said = denrei("key", "sign", "--root", tmp_path / "second.pem")
    assert (said.code, "alice.new.pem" in said.err) == (1, True)
    with place.store() as store:
        assert store.keyrings.newest_version() == 2
    file.write_text(WORDS)
    said = denrei("key", "sign", "--root", tmp_path / "second.pem")
    assert said.out.startswith("keyring 3 is in force"), said.err
    assert loads(place.home.person_key("alice"))
    assert denrei("submit", "look", "--all", "--detach").code == 0


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


def test_key_list_needs_no_passphrase(place: Place, denrei: Denrei, file: Path) -> None:
    for name in ("alice", "root"):
        denrei("key", "protect", name)
    file.unlink()
    said = denrei("key", "list", "-o", "json")
    assert said.code == 0
    assert json.loads(said.out)["founding_roots"] == place.home.roots
