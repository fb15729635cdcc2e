"""Secrets in the store: encrypted, bound to their name, and readable after every broken rekey."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.secret.provider import ProviderError, SecretError
from orchestrator.secret.source import providers, read_secrets
from orchestrator.secret.stored import StoredSecrets
from orchestrator.secret.strongbox import Strongbox
from orchestrator.store.secret_record import StoredSecret
from orchestrator.store.secrets import Secrets
from tests.end_to_end.leak import Secret
from tests.orchestrator_house import House

VALUE = "hunter2 & hunter3"


@pytest.fixture
def stored(house: House) -> StoredSecrets:
    return StoredSecrets.of(house.home, house.store)


def key_file(house: House) -> Path:
    return house.home.path / "keys" / "secrets.json"


def test_stored_secret_is_read_back_and_lies_nowhere_in_the_clear(
    house: House, stored: StoredSecrets
) -> None:
    assert not stored.set("db", VALUE, "alice")
    assert read_secrets({"k": "secret:db"}, providers(house.home, house.store)) == {"k": VALUE}
    assert Secret(VALUE).files(house.home.path) == []
    assert key_file(house).stat().st_mode & 0o777 == 0o600


def test_stored_secret_that_is_set_again_is_replaced_and_tells_by_whom(
    house: House, stored: StoredSecrets
) -> None:
    stored.set("db", VALUE, "alice")
    assert stored.set("db", "another-value", "bob")
    (only,) = house.store.secrets.all()
    assert (only.name, only.set_by) == ("db", "bob")
    assert stored.read("db") == "another-value"


def test_stored_secret_of_the_same_value_looks_different_each_time(
    house: House, stored: StoredSecrets
) -> None:
    """Neither equal values nor lengths can be told from the store."""
    for name, value in (("a", VALUE), ("b", VALUE), ("c", "x" * 40)):
        stored.set(name, value, "alice")
    rows = house.store.secrets.all()
    assert len({row.data for row in rows}) == 3
    assert len({len(row.data) for row in rows}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"set_by": "mallory"},
        {"set_at": 1},
        {"data": b"\0" * 92},
        {"data": b""},
    ],
    ids=str,
)
def test_stored_secret_altered_in_the_store_does_not_open(
    house: House, stored: StoredSecrets, change: dict[str, object]
) -> None:
    """Whoever writes to the store can't give a secret another name, setter or time."""
    stored.set("db", VALUE, "alice")
    (row,) = house.store.secrets.all()
    house.store.secrets.put(replace(row, **change))
    with pytest.raises(ProviderError, match="was altered in the store; set it anew") as caught:
        stored.read(str(change.get("name", "db")))
    assert "hunter" not in str(caught.value)


def test_stored_secret_overwritten_with_a_text_does_not_open(
    house: House, stored: StoredSecrets
) -> None:
    """SQLite lets anything stand in any column."""
    stored.set("db", VALUE, "alice")
    with closing(sqlite3.connect(house.home.path / "store.db")) as database:
        database.execute("UPDATE secrets SET data = 'a text'")
        database.commit()
    with pytest.raises(ProviderError, match="was altered in the store"):
        stored.read("db")


def test_stored_secret_without_its_key_says_where_to_get_it(
    house: House, stored: StoredSecrets
) -> None:
    """A colleague's home has the same store and another key file, or none."""
    stored.set("db", VALUE, "alice")
    key_file(house).unlink()
    with pytest.raises(ProviderError, match=r"can't read the key .*secrets\.json: No such file"):
        stored.read("db")
    stored.set("other", VALUE, "bob")
    with pytest.raises(ProviderError, match="copy that file from the home where it was set"):
        stored.read("db")
    assert stored.read("other") == VALUE


def test_key_of_stored_secrets_that_others_can_read_is_refused(
    house: House, stored: StoredSecrets
) -> None:
    stored.set("db", VALUE, "alice")
    key_file(house).chmod(0o640)
    with pytest.raises(ProviderError, match=r"can be read by others; run: chmod 600"):
        stored.read("db")


def test_key_file_that_is_damaged_is_never_overwritten(house: House, stored: StoredSecrets) -> None:
    stored.set("db", VALUE, "alice")
    for damaged in (b"", b'{"denrei_secret_keys":1,"keys":[]}', b'{"denrei_secret_keys":2}'):
        key_file(house).write_bytes(damaged)
        for attempt in (
            lambda: stored.read("db"),
            lambda: stored.set("x", VALUE, "a"),
            stored.rekey,
        ):
            with pytest.raises(ProviderError, match="is damaged; restore it from a copy"):
                attempt()
        assert key_file(house).read_bytes() == damaged


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("tiny1", "is shorter than 6 characters, too short to redact"),
        ("   ab    ", "is shorter than 6 characters, too short to redact"),
        ("", "is shorter than 6 characters, too short to redact"),
        ("x" * 8193, "is longer than 8192 characters"),
        ("hunter\0two", "holds a NUL"),
    ],
    ids=repr,
)
def test_secret_that_no_host_would_take_is_not_stored(
    house: House, stored: StoredSecrets, value: str, complaint: str
) -> None:
    with pytest.raises(SecretError, match=complaint) as caught:
        stored.set("db", value, "alice")
    assert value.strip() not in str(caught.value) or not value.strip()
    assert house.store.secrets.all() == []


@given(st.text(min_size=6, max_size=300), st.text(max_size=20), st.integers(0, 2**53))
def test_whatever_is_locked_away_comes_out_again(value: str, by: str, at: int) -> None:
    with TemporaryDirectory() as directory:
        box = Strongbox(Path(directory, "secrets.json"))
        with box.held():
            stored = box.lock("db", value, by, at)
        assert box.unlock(stored) == value
        assert len(stored.data) in {2**n + 28 for n in range(6, 12)}


@pytest.mark.parametrize("name", ["", "DB", "a b", "-a", "a/b", "a" * 101, "a\n"], ids=repr)
def test_name_of_a_secret_that_reads_like_an_option_or_path_is_refused(
    stored: StoredSecrets, name: str
) -> None:
    with pytest.raises(SecretError, match="is no name for a secret"):
        stored.set(name, VALUE, "alice")


def test_secret_that_is_not_stored_is_told_with_a_hint(stored: StoredSecrets) -> None:
    stored.set("database", VALUE, "alice")
    for attempt in (stored.read, stored.remove):
        with pytest.raises(SecretError, match="no secret 'databse' is stored; did you mean"):
            attempt("databse")
    stored.remove("database")
    with pytest.raises(SecretError, match=r"no secret 'database' is stored$"):
        stored.read("database")


def test_rekey_makes_the_old_key_useless(house: House, stored: StoredSecrets) -> None:
    """A stolen copy of the old key opens nothing that is in the store from then on."""
    for name in ("a", "b"):
        stored.set(name, f"{VALUE} {name}", "alice")
    before, old = house.store.secrets.all(), key_file(house).read_bytes()
    assert stored.rekey() == 2
    assert [stored.read(name) for name in ("a", "b")] == [f"{VALUE} a", f"{VALUE} b"]
    after = house.store.secrets.all()
    assert [(s.name, s.set_by, s.set_at) for s in after] == [
        (s.name, s.set_by, s.set_at) for s in before
    ]
    key_file(house).write_bytes(old)
    with pytest.raises(ProviderError, match="is under the key"):
        stored.read("a")


def test_rekey_cut_short_anywhere_leaves_every_secret_readable(
    house: House, stored: StoredSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the new key was written, in the middle of the rows, and before the old key went."""
    for name in ("a", "b", "c"):
        stored.set(name, f"{VALUE} {name}", "alice")
    for cut in (
        Cut(Strongbox, "lock", 1),
        Cut(Strongbox, "lock", 2),
        Cut(Strongbox, "forget_keys", 1),
    ):
        with monkeypatch.context() as patch:
            cut.lay(patch)
            with pytest.raises(KeyboardInterrupt):
                stored.rekey()
        assert [stored.read(name) for name in "abc"] == [f"{VALUE} {name}" for name in "abc"]
        stored.set("d", VALUE, "alice")
    assert stored.rekey() == 4
    assert len(msgspec.json.decode(key_file(house).read_bytes())["keys"]) == 1
    assert stored.read("c") == f"{VALUE} c"


def test_secret_set_while_the_keys_change_is_not_lost(
    house: House, stored: StoredSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is under the old key already, and not yet stored, when somebody asks for a new key."""

    def rekey() -> None:
        with house.home.open_store() as store:
            StoredSecrets.of(house.home, store).rekey()

    def put(secrets: Secrets, secret: StoredSecret) -> bool:
        rekeying.start()
        rekeying.join(0.3)  # it may not go ahead now, or the old key would be dropped
        return intact(secrets, secret)

    stored.set("first", VALUE, "alice")
    rekeying, intact = threading.Thread(target=rekey), Secrets.put
    monkeypatch.setattr(Secrets, "put", put)
    stored.set("db", VALUE, "alice")
    rekeying.join()
    assert stored.read("db") == VALUE


class Cut:
    """Ends the process, as far as the code under test can tell, at the n-th call of something."""

    def __init__(self, owner: type, name: str, at: int) -> None:
        self._owner, self._name, self._left = owner, name, at

    def lay(self, patch: pytest.MonkeyPatch) -> None:
        intact = getattr(self._owner, self._name)

        def cut(*arguments: object) -> object:
            self._left -= 1
            if self._left <= 0:
                raise KeyboardInterrupt
            return intact(*arguments)

        patch.setattr(self._owner, self._name, cut)
