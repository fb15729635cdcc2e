"""Salt as an ordinary user has it: a master and minions on loopback, all below one directory."""

import json
import subprocess
import time
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Any, Self

import psutil

from benchmarks.cost import tree
from benchmarks.equipment import environment
from benchmarks.figure import NotMeasuredError
from lab.redis import free_port

_HERE = Path(__file__).parent
_PACKAGES = ("salt>=3007,<3010", "setuptools<81")  # it imports pkg_resources
_READY_WITHIN_S = 180.0
_STOP_WITHIN_S = 15.0
_TIED = ("setpriv", "--pdeathsig", "TERM")  # it ends with its owner, however that ends


class Salt:
    """A master, minions, and a warm client."""

    def __init__(self, directory: Path, minions: Sequence[str]) -> None:
        """Name the minions; nothing is started yet."""
        self.minions = list(minions)
        self._directory = directory
        self._work = directory / "work"
        self._clients: list[subprocess.Popen[str]] = []
        self._roots: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        """Install Salt if need be, start everything, and wait until all minions answer.

        Raises NotMeasuredError if it can't be installed, or a minion does not come up.
        """
        self._bin = environment("salt", *_PACKAGES) / "bin"
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        """End all of them side by side, for each takes its time; then what they left."""
        started: list[subprocess.Popen[Any]] = [*self._clients, *self._roots.values()]
        alive = [process for process in started if process.poll() is None]
        family = [psutil.Process(pid) for process in alive for pid in tree(process.pid)]
        for process in alive:
            process.terminate()
        _, left = psutil.wait_procs(family, _STOP_WITHIN_S)
        for each in left:
            each.kill()
        for process in started:
            process.wait()

    @property
    def version(self) -> str:
        """Return Salt's version."""
        command = [str(self._bin / "salt"), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    @property
    def roots(self) -> list[int]:
        """Return the processes that all others of Salt's descend from, the client apart."""
        return [process.pid for process in self._roots.values()]

    def root_of(self, minion: str) -> int:
        """Return a minion's first process."""
        return self._roots[minion].pid

    def run(self, minions: Sequence[str], number: int) -> float:
        """Apply the three states so that each acts; return the seconds."""
        pillar = {"number": number, "base": str(self._work)}
        return self._ask(minions, "state.apply", ["three_steps"], pillar, "changed")

    def ping(self, minions: Sequence[str]) -> float:
        """Ask minions whether they are there; return the seconds."""
        return self._ask(minions, "test.ping", [], {}, "true")

    def _start(self) -> None:
        publish, back = free_port(), free_port()
        states = self._directory / "states"
        states.mkdir(parents=True)
        (states / "three_steps.sls").write_text((_HERE / "three_steps.sls").read_text())
        master = {
            "interface": "127.0.0.1",
            "publish_port": publish,
            "ret_port": back,
            "auto_accept": True,
            "file_roots": {"base": [str(states)]},
        }
        self._launch("master", "master", master)
        for name in self.minions:
            (self._work / name).mkdir(parents=True)
            settings = {"id": name, "master": "127.0.0.1", "master_port": back}
            self._launch(name, "minion", {**settings, "publish_port": publish})
        self._client = self._new_client()
        self._clients.append(self._client)
        self._await_minions()

    def _launch(self, name: str, role: str, settings: dict[str, Any]) -> None:
        directory = self._directory / name
        directory.mkdir()
        places = {place: place for place in ("pki_dir", "cachedir", "sock_dir", "pidfile")}
        own = {"root_dir": str(directory), "user": getuser(), "log_file": "log", **places}
        (directory / role).write_text(json.dumps({**own, **settings}))
        process = subprocess.Popen(
            [*_TIED, str(self._bin / f"salt-{role}"), "-c", str(directory)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._roots[name] = process

    def _new_client(self) -> "subprocess.Popen[str]":
        config = str(self._directory / "master" / "master")
        # -P: this directory has a `salt` of its own
        command = [str(self._bin / "python"), "-P", str(_HERE / "salt_client.py"), config]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def _await_minions(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while True:
            try:
                self.ping(self.minions)
            except NotMeasuredError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(2)
            else:
                return

    def _ask(
        self, minions: Sequence[str], function: str, arguments: list[str],
        pillar: dict[str, Any], expected: str,
    ) -> float:  # fmt: skip
        ask, answer = self._client.stdin, self._client.stdout
        if not ask or not answer or self._client.poll() is not None:
            raise NotMeasuredError("Salt's client ended")
        ask.write(json.dumps([list(minions), function, arguments, pillar]) + "\n")
        line = answer.readline() or "[0, {}]"
        seconds, said = json.loads(line)
        wrong = {name: said.get(name, "nothing") for name in minions if said.get(name) != expected}
        if wrong:
            raise NotMeasuredError(f"Salt said {str(said)[:300]}, of {str(wrong)[:300]}")
        return float(seconds)
