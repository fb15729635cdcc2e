"""worker.yaml: what a worker is told about itself, and what is said when that is wrong."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import read_document
from contract.error import PassingError
from tests.life import live
from worker.config import (
    DEFAULT_PATH,
    DEFAULT_STATE,
    Config,
    ConfigError,
    check_directories,
    config_path,
    load_config,
)
from worker.own_files import OwnFileError

LEAST = "name: web1\n"


def load(tmp_path: Path, text: str | bytes) -> Config:
    path = tmp_path / "worker.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path)


def test_config_of_the_least_words_has_the_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    assert config.name == "web1"
    assert (config.state, config.root) == (DEFAULT_STATE, Path("/"))


def test_config_says_when_an_idle_executor_ends(tmp_path: Path) -> None:
    assert load(tmp_path, LEAST).sleep_after is None
    config = load(tmp_path, LEAST + "sleep_after: 5m\n")
    assert config.sleep_after == timedelta(minutes=5)
    assert "sleep_after: 5m\n" in config.to_yaml()


def test_config_knows_where_a_worker_s_other_files_are(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST + "state: /var/lib/x\nroot: /srv/lab/web1\n")
    assert config.root == Path("/srv/lab/web1")
    beside = (config.policy, config.sign_key, config.seal_key)
    assert [path.relative_to(tmp_path).as_posix() for path in beside] == [
        *("policy.yaml", "keys/sign.pem", "keys/seal.pem")
    ]
    within = (config.ledger, config.keyring, config.admission, config.inbox, config.locks)
    assert [path.as_posix() for path in within] == [
        f"/var/lib/x/{name}"
        for name in ("ledger.db", "keyring.json", "admission.json", "inbox", "locks")
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("state: /x", ":1:1: worker.yaml needs 'name'"),
        (LEAST + "sleep_after: 9s", ":2:14: sleep_after is from 10s to 1d"),
        (LEAST + "sleep_after: never", ":2:14: sleep_after: "),
        ("name: 10", ":1:7: name must be text; quote it"),
        ("name: Web1", ":1:7: 'Web1' can't be a host's name"),
        ("name: ../web", ":1:7: '../web' can't be a host's name"),
        ("name: ''", ":1:7: '' can't be a host's name"),
        (LEAST + "state: var/lib", ":2:8: state must be an absolute path"),
        (LEAST + "root: [/]", ":2:7: root must be text"),
        (LEAST + "stat: x", ":2:1: worker.yaml has no 'stat'; did you mean 'state'?"),
        (LEAST + "name: b", ":2:1: 'name' is here twice"),
        ("", ":1:1: the file is empty"),
        ("[]", ":1:1: worker.yaml must be a mapping"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_config_that_is_wrong_is_refused_at_its_place(
    text: str | bytes, complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert f"{tmp_path}/worker.yaml" in str(caught.value)
    assert complaint in str(caught.value)


def test_config_that_is_missing_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file.*; run `denrei-worker enrol TOKEN` first"):
        load_config(tmp_path / "worker.yaml")
    with pytest.raises(ConfigError, match=r"can't read .*Is a directory$"):
        load_config(tmp_path)


def test_config_path_is_the_given_the_environment_s_or_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DENREI_WORKER_CONFIG", raising=False)
    assert config_path(None) == DEFAULT_PATH
    monkeypatch.setenv("DENREI_WORKER_CONFIG", "/etc/other.yaml")
    assert config_path(None) == Path("/etc/other.yaml")
    assert config_path("given.yaml") == tmp_path / "given.yaml"


names = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,8}[a-z0-9])?", fullmatch=True) | st.sampled_from(
    ["10", "0", "null", "true", "no", "1e3", "0x1f", "12.30"]
)
folders = st.text(alphabet="ab/ :#'\"é-{[&*!%@`", max_size=12).map(lambda text: f"/{text}")


@given(names, folders, folders)
def test_config_written_and_read_again_is_the_same(name: str, state: str, root: str) -> None:
    """A host may be called `10` or `null`, and a path hold anything, without YAML misreading it."""
    config = Config(Path("/etc/w.yaml"), name, Path(state), Path(root))
    expected = {"name": name, "state": str(config.state)}
    if config.root != Path("/"):
        expected["root"] = str(config.root)
    assert read_document(config.to_yaml().encode(), "w.yaml").plain() == expected


def test_config_of_a_plain_host_is_written_without_quotes() -> None:
    config = Config(Path("/w.yaml"), "web1", Path("/var/lib/denrei"))
    assert config.to_yaml() == "name: web1\nstate: /var/lib/denrei\n"


def test_directory_that_can_not_be_written_to_is_an_error_that_may_pass(tmp_path: Path) -> None:
    """A disk can be read-only for a while: whoever supervises the worker starts it again."""
    with pytest.raises(ConfigError, match="no directory") as missing:
        check_directories(tmp_path / "none")
    assert not isinstance(missing.value, PassingError)

    def be_nobody() -> None:
        if os.geteuid() == 0:
            os.setuid(65534)  # for root every directory is writable
        with pytest.raises(PassingError, match="is the disk read-only"):
            check_directories(Path("/"))

    assert live(be_nobody)


def test_config_that_others_may_write_is_refused_and_says_what_to_run(tmp_path: Path) -> None:
    """Whoever writes worker.yaml says where the keys and the policy are."""
    path = tmp_path / "worker.yaml"
    path.write_text(LEAST)
    for place in (path, tmp_path):
        place.chmod(0o777)
        with pytest.raises(OwnFileError, match=f"not trusted: .*run: chmod go-w {place}$"):
            load_config(path)
        place.chmod(0o755)
    assert load_config(path).name == "web1"


def test_config_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text(LEAST)
    (tmp_path / "worker.yaml").symlink_to("real.yaml")
    with pytest.raises(OwnFileError, match="is a link; name the file itself"):
        load_config(tmp_path / "worker.yaml")
