"""worker.yaml: what a worker is told about itself, and what is said when that is wrong."""

import os
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

LEAST = "name: web1\nbroker: redis://broker:6379/0\n"


def load(tmp_path: Path, text: str | bytes) -> Config:
    path = tmp_path / "worker.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_config(path)


def test_config_of_the_least_words_has_the_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST)
    assert (config.name, config.broker) == ("web1", "redis://broker:6379/0")
    assert (config.state, config.root) == (DEFAULT_STATE, Path("/"))


def test_config_knows_where_a_worker_s_other_files_are(tmp_path: Path) -> None:
    config = load(tmp_path, LEAST + "state: /var/lib/x\nroot: /srv/lab/web1\n")
    assert config.root == Path("/srv/lab/web1")
    beside = (config.policy, config.trust, config.public, config.sign_key, config.seal_key)
    assert [path.relative_to(tmp_path).as_posix() for path in beside] == [
        *("policy.yaml", "trust.json", "web1.pub.json", "keys/sign.pem", "keys/seal.pem")
    ]
    within = (config.ledger, config.inbox, config.outbox, config.locks)
    assert [path.as_posix() for path in within] == [
        f"/var/lib/x/{name}" for name in ("ledger.db", "inbox", "outbox", "locks")
    ]


def test_config_keeps_the_files_of_tls(tmp_path: Path) -> None:
    """They come back from what it writes, and reach the courier's connection."""
    text = "name: web1\nbroker: rediss://h/0\nstate: /x\nbroker_ca: /ca\n"
    text += "broker_cert: /c\nbroker_key: /k\n"
    config = load(tmp_path, text)
    assert config.to_yaml() == text
    assert config.wire.endswith("&ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name: web1", ":1:1: worker.yaml needs 'broker'"),
        ("broker: redis://x", ":1:1: worker.yaml needs 'name'"),
        ("name: 10\nbroker: redis://x", ":1:7: name must be text; quote it"),
        ("name: Web1\nbroker: redis://x", ":1:7: 'Web1' can't be a host's name"),
        ("name: ../web\nbroker: redis://x", ":1:7: '../web' can't be a host's name"),
        ("name: ''\nbroker: redis://x", ":1:7: '' can't be a host's name"),
        ("name: a\nbroker: localhost", ":2:9: broker must be a URL such as redis://"),
        ("name: a\nbroker: ''", ":2:9: broker must be a URL"),
        ("name: a\nbroker: 'redis://['", ":2:9: broker must be a URL"),
        (LEAST + "state: var/lib", ":3:8: state must be an absolute path"),
        (LEAST + "root: [/]", ":3:7: root must be text"),
        (LEAST + "brokr: x", ":3:1: worker.yaml has no 'brokr'; did you mean 'broker'?"),
        (LEAST + "name: b", ":3:1: 'name' is here twice"),
        (LEAST + "broker_ca: /ca.pem", ":3:12: broker_ca and broker_cert are of no use without"),
        (LEAST + "broker_key: /k", ":3:13: broker_cert and broker_key go together"),
        (LEAST + "broker_ca: [x]", ":3:12: broker_ca must be text"),
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
    with pytest.raises(ConfigError, match=r"No such file.*; run `denrei-worker init` first"):
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
    broker = "redis://user:p%40ss@broker:6379/0"
    config = Config(Path("/etc/w.yaml"), name, broker, Path(state), Path(root))
    expected = {"name": name, "broker": broker, "state": str(config.state)}
    if config.root != Path("/"):
        expected["root"] = str(config.root)
    assert read_document(config.to_yaml().encode(), "w.yaml").plain() == expected


def test_config_of_a_plain_host_is_written_without_quotes() -> None:
    config = Config(Path("/w.yaml"), "web1", "redis://b:6379/0", Path("/var/lib/denrei"))
    assert config.to_yaml() == "name: web1\nbroker: redis://b:6379/0\nstate: /var/lib/denrei\n"


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
