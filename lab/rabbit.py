"""A real RabbitMQ of one's own on loopback, for the tests: as Debian's packages hold it."""

import http.client
import signal
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from contract.closing import Closing
from lab.redis import WATCHDOG, free_port

START_WITHIN_S = 90.0
STOP_WITHIN_S = 30.0
POLL_S = 0.1
LAST_WORDS = 12  # lines of its log that an error shows

_PLUGINS = "[rabbitmq_management].\n"
_NODE = "denrei@localhost"
_VHOST = "denrei"
_GUEST = "guest:guest"  # RabbitMQ's own, and good from this machine only
_ERLANG = "+S 1:1 -noinput -kernel inet_dist_use_interface {127,0,0,1}"


class RabbitStartError(Exception):
    """The RabbitMQ server did not come up; the message ends with its own last words."""


class EmbeddedRabbit(Closing):
    """A RabbitMQ that lives as long as its owner wishes, and never longer than its owner.

    Ports, directory and data stay the same over stop, kill and start. `root` is where Debian's
    packages lie, `/` if they are installed. The user `guest` may do everything.
    """

    def __init__(self, root: Path, settings: str = "") -> None:
        """Choose ports; nothing is started yet. `settings` are further lines of rabbitmq.conf."""
        self._root = root
        self._own = TemporaryDirectory(prefix="denrei-rabbit-")
        self.directory = Path(self._own.name)
        self.port, self.api_port, self._dist_port, self._epmd_port = _free_ports(4)
        self._settings = settings
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def log(self) -> Path:
        """Return where it writes what it has to say."""
        return self.directory / "out"

    @property
    def url(self) -> str:
        """Return where clients find it, as the user who may do everything."""
        return f"amqp://{_GUEST}@127.0.0.1:{self.port}/{_VHOST}"

    @property
    def api_url(self) -> str:
        """Return where its management answers the same user."""
        return f"http://{_GUEST}@127.0.0.1:{self.api_port}"

    def start(self) -> None:
        """Start it and wait until its management answers. Raises RabbitStartError."""
        self._prepare()
        environment = self._environment()
        epmd = (self._erts / "epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1")
        commands: tuple[tuple[str | Path, ...], ...] = (
            epmd,
            ("/bin/sh", self._scripts / "rabbitmq-server"),
        )
        with self.log.open("wb") as sink:
            for command in commands:
                self._processes.append(
                    subprocess.Popen(
                        command,
                        env=environment,
                        cwd=self.directory,
                        stdin=subprocess.DEVNULL,
                        stdout=sink,
                        stderr=sink,
                        start_new_session=True,
                    )
                )
        self._watch()
        self._await_answer()

    def stop(self) -> None:
        """Shut down in order; nothing happens if it does not run."""
        if len(self._processes) > 1:
            self._processes[1].terminate()
            try:
                self._processes[1].wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._processes[1].kill()
        self.kill()

    def kill(self) -> None:
        """Kill it as a crash would; nothing happens if it does not run."""
        for process in reversed(self._processes):
            process.kill()
            process.communicate()
        self._processes = []

    def pause(self, *, paused: bool = True) -> None:
        """Halt it: its connections stay, and nobody answers on them. Or let it go on."""
        self._processes[1].send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def close(self) -> None:
        """End it, and remove its directory with all that it kept."""
        self.kill()
        self._own.cleanup()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    @property
    def _erlang(self) -> Path:
        own = self._root / "usr/lib/erlang"
        return own if own.exists() else Path("/usr/lib/erlang")

    @property
    def _erts(self) -> Path:
        return next(self._erlang.glob("erts-*/bin"))

    @property
    def _scripts(self) -> Path:
        return next(self._root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin"))

    def _prepare(self) -> None:
        """Write its configuration, and an `erl` that knows where it is."""
        (self.directory / "plugins").write_text(_PLUGINS)
        lines = (
            f"listeners.tcp.default = 127.0.0.1:{self.port}",
            "management.tcp.ip = 127.0.0.1",
            f"management.tcp.port = {self.api_port}",
            f"default_vhost = {_VHOST}",
            self._settings,
        )
        (self.directory / "rabbit.conf").write_text("\n".join(lines) + "\n")
        text = (self._erlang / "bin/erl").read_text().replace("/usr/lib/erlang", str(self._erlang))
        program = self.directory / "bin/erl"
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    def _environment(self) -> dict[str, str]:
        libraries = {str(each.parent) for each in self._root.glob("usr/lib/*-linux-gnu/*.so*")}
        home = str(self.directory)
        path = (self.directory / "bin", self._erts, self._root / "usr/bin", "/usr/bin", "/bin")
        return {
            "PATH": ":".join(map(str, path)),
            "HOME": home,
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": ":".join(sorted(libraries)) if self._root != Path("/") else "",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RABBITMQ_ALLOW_INPUT": "1",  # the script becomes the server, and signals reach it
            "RABBITMQ_HOME": str(self._scripts.parent),
            "RABBITMQ_NODENAME": _NODE,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": f"{home}/mnesia",
            "RABBITMQ_LOG_BASE": f"{home}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": f"{home}/pid",
            "RABBITMQ_CONFIG_FILE": f"{home}/rabbit",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        }

    def _watch(self) -> None:
        """Have all of it killed when its owner ends, kill -9 included."""
        for process in tuple(self._processes):
            self._processes.append(
                subprocess.Popen(
                    ["/bin/sh", "-c", WATCHDOG, str(process.pid)],
                    stdin=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_WITHIN_S
        while not self._answers():
            if self._processes[1].poll() is not None or time.monotonic() >= deadline:
                words = self.log.read_text(errors="replace").strip().splitlines()[-LAST_WORDS:]
                self.kill()
                raise RabbitStartError(f"RabbitMQ did not come up: {' / '.join(words)}")
            time.sleep(POLL_S)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.api_port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def _free_ports(count: int) -> list[int]:
    return [free_port() for _ in range(count)]
