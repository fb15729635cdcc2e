"""The stand-in for the agent's daemon; started by service_control with upstream's own arguments.

`O/ruby/bin/ruby O/bin/omsagent-<ws> -d V/<ws>/run/omsagent.pid --no-supervisor -o .. -c ..` as in
oms-agent.md section 3. Its heartbeat and topology lines go on on an affected host (section 4, the
TRAP): the first means only "queued", the second reads oms.crt anew every time. Imports nothing but
the standard library, so that a host's daemon stays small.
"""

import contextlib
import getopt
import http
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

from lab import client, key_value, message, process, settings
from lab.places import Places, Workspace
from lab.upload import Uploader, route

_EVERY = 5  # uploads between two heartbeats; upstream's minute is shorter here
_STATE = "var/opt/microsoft/omsagent"


class Agent:
    """One running daemon of one workspace."""

    def __init__(self, places: Places, workspace: Workspace, log: Path) -> None:
        self._places = places
        self._workspace = workspace
        self._log = log
        self._uploader = Uploader(places, workspace)

    def run(self) -> None:
        """Work until SIGTERM comes, or the lab host or its owner is gone."""
        round_number = 0
        self._say("[info]: process starts")
        while self._wanted():
            told = settings.read(self._places.root)
            time.sleep(told.pace)
            with contextlib.suppress(FileNotFoundError):  # the workspace was removed under us
                self._work(round_number, told.clock_skew)
            round_number += 1

    def _work(self, round_number: int, skew: int) -> None:
        if not key_value.parse(self._workspace.identity):
            return
        self._uploader.collect()
        for line in self._uploader.flush(skew):
            self._say(line)
        if round_number % _EVERY == 0:
            now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
            self._say(f"[info]: Sending OMS Heartbeat succeeded at {now}.000Z")
            self._say(self._topology(skew))

    def _topology(self, skew: int) -> str:
        values = key_value.parse(self._workspace.identity)
        host = f"{values.get('WORKSPACE_ID')}.oms.{values.get('URL_TLD')}"
        body = message.topology_request(values.get("AGENT_GUID", ""), host)
        headers = {message.DATE: client.date_header(skew)}
        ours = self._workspace
        try:
            tls = client.context(self._places.root, ours.certificate, ours.key)
            url = f"https://{host}{message.TOPOLOGY}"
            answer = client.post(route(self._places), url, body, tls, headers)
        except (OSError, ssl.SSLError) as error:
            return f"[error]: Error sending the topology request to OMS agent service: {error}"
        if answer.status != http.HTTPStatus.OK:
            return f"[error]: Error sending the topology request: HTTP code {answer.status}"
        if message.ASKED_TO_RENEW in answer.body:
            self._renew()
        return "[info]: OMS agent management service topology request success"

    def _renew(self) -> None:
        """Renew as the service asks; what was loaded for uploads stays in memory."""
        command = [str(self._places.renewer), self._workspace.name]
        subprocess.run(command, stdin=subprocess.DEVNULL, check=False)

    def _wanted(self) -> bool:
        root = self._places.root
        if not settings.exists(root):
            return False
        owner, _, ticks = settings.read(root).owner.partition(":")
        return not owner or process.start_ticks(int(owner)) == int(ticks)

    def _say(self, line: str) -> None:
        write_log(self._log, line)


def write_log(path: Path, line: str) -> None:
    """Add one line in fluentd's format; opened anew each time, as copytruncate needs it."""
    now = time.strftime("%Y-%m-%d %H:%M:%S %z")
    with path.open("a") as file:
        file.write(f"{now} {line}\n")


def main(argv: list[str]) -> int:
    """Become a daemon and work; the exit code is that of the process which was started."""
    options = dict(getopt.getopt(argv[1:], "d:o:c:", ["no-supervisor"])[0])
    pid_file, log, config = (Path(options[name]) for name in ("-d", "-o", "-c"))
    root = Path(str(pid_file).partition(f"/{_STATE}/")[0])
    told = settings.read(root)
    if told.agent == "broken" or not config.exists():
        write_log(log, f'[error]: config error file="{config}" error="the agent cannot start"')
        return 1
    if os.fork():
        return 0
    os.setsid()
    if os.fork():
        os._exit(0)
    _detach()
    places = Places(root)
    _serve(Agent(places, places.workspace(pid_file.parents[1].name), log), pid_file, told.agent)
    return 0


def _serve(agent: Agent, pid_file: Path, manner: str) -> None:
    if manner == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    else:
        signal.signal(signal.SIGTERM, _end)
    pid_file.write_text(f"{os.getpid()}\n")
    try:
        agent.run()
    finally:
        if process.read_pid(pid_file) == os.getpid():
            pid_file.unlink(missing_ok=True)


def _detach() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.chdir("/")
    with contextlib.suppress(OSError):  # comm is `omsagent-<6 of ws>` upstream
        Path("/proc/self/comm").write_text(Path(sys.argv[0]).name[:15])


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)
