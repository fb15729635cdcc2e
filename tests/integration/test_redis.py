"""The lab's own Redis: it comes up, keeps its data, and is never left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from lab.redis import EmbeddedRedis, RedisMissingError, RedisStartError, find_redis_server
from tests.waiting import eventually

OWNER = """
import sys
from pathlib import Path
from lab.redis import EmbeddedRedis
server = EmbeddedRedis(Path(sys.argv[1]))
server.start()
print(server.url, flush=True)
sys.stdin.read()
"""


def ask(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True)


def answers(url: str) -> bool:
    with ask(url) as client:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False


def test_server_started_is_as_durable_as_production(clean_redis: EmbeddedRedis) -> None:
    """The append-only file is on, snapshots are off, and nothing is ever evicted."""
    with ask(clean_redis.url) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
        assert client.config_get("save") == {"save": ""}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_restart_keeps_port_and_data() -> None:
    """A restart is the same server to its clients."""
    with EmbeddedRedis() as server:
        url = server.url
        with ask(url) as client:
            client.set("order", "kept")
        server.restart()
        assert server.url == url
        with ask(url) as client:
            assert client.get("order") == "kept"


def test_kill_then_start_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    """After a crash the append-only file is read again, from a directory that stays."""
    with EmbeddedRedis(tmp_path / "data") as server:
        with ask(server.url) as client:
            client.set("order", "kept")
        server.kill()
        assert server.pid is None
        assert not answers(server.url)
        server.start()
        with ask(server.url) as client:
            assert client.get("order") == "kept"
    assert (tmp_path / "data" / "appendonlydir").is_dir()


def test_close_removes_the_directory_it_made() -> None:
    """Nothing is left of a server that had no directory of its own."""
    with EmbeddedRedis() as server:
        directory, url = server.directory, server.url
        assert directory.is_dir()
    assert not directory.exists()
    assert not answers(url)


def test_password_with_odd_characters_is_demanded_and_works() -> None:
    """The URL carries the password whatever it holds; without it nothing works."""
    with EmbeddedRedis(password="p@ss \"w\\ord'/:") as server:
        assert answers(server.url)
        with (
            redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()


def test_acl_file_limits_its_users(tmp_path: Path) -> None:
    """Users come from the file, selectors included, and the default user may be off."""
    acl = tmp_path / "users.acl"
    acl.write_text("user default off\nuser web1 on >secret +ping (~host.web1 +lpush)\n")
    with (
        EmbeddedRedis(username="web1", password="secret", acl_file=acl) as server,
        ask(server.url) as client,
    ):
        assert client.lpush("host.web1", "mine") == 1
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.lpush("host.web2", "not mine")


def test_wrong_credentials_fail_at_start_with_the_reason(tmp_path: Path) -> None:
    """A server that its owner may not use is an error at once, and is not left running."""
    acl = tmp_path / "users.acl"
    acl.write_text("user default off\n")
    server = EmbeddedRedis(tmp_path, username="web1", password="wrong", acl_file=acl)
    with pytest.raises(RedisStartError, match="invalid username-password pair"):
        server.start()
    assert server.pid is None


def test_port_in_use_is_named(redis_server: EmbeddedRedis, tmp_path: Path) -> None:
    """A port that was asked for and is taken is an error that says so."""
    with pytest.raises(RedisStartError, match="Address already in use"):
        EmbeddedRedis(tmp_path, port=redis_server.port).start()


def test_old_server_on_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redis-server before 7 has no ACL selectors: another is taken, or the error names it."""
    old = tmp_path / "redis-server"
    old.write_text("#!/bin/sh\necho Redis server v=6.2.14 sha=0 bits=64\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis_server() != old
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(RedisMissingError, match=f"{old} is older than 7"):
        find_redis_server()


def test_server_ends_with_its_owner_even_after_kill_9(tmp_path: Path) -> None:
    """However its owner ends, no server stays behind."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with owner:
        assert owner.stdout
        url = owner.stdout.readline().strip()
        assert answers(url)
        os.kill(owner.pid, signal.SIGKILL)
    eventually(lambda: not answers(url), what="the server is gone")
