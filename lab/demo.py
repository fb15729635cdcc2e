"""The demo: one incident from beginning to end, on real processes on this machine.

A certificate is renewed, the agents keep the old one in memory, uploads are refused; `check` finds
the two, `restart` repairs them and proves it, a second `restart` touches nothing, and `reonboard`
replaces a certificate that is near its end; a stale nginx is repaired the same way, where there is
one. Each stage is observed, not assumed: by what the cloud
answers, by process ids, and by what the hosts reported under their signature.
"""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.fleet import Fleet, FleetHost
from lab.host import LabError
from lab.nginx import Nginx, find_nginx
from lab.redis import RedisMissingError, RedisStartError
from lab.story import Story

HOSTS = ("lab-1", "lab-2", "lab-3")
STALE = HOSTS[:2]  # renewed behind the agent's back
WEB = HOSTS[0]  # it has an nginx too, where this machine has one
OLD = HOSTS[2]  # its certificate is near its end
DAYS_LEFT = 20
YEAR_DAYS = 360
SETTLED_WITHIN_S = 15.0
OK, FORBIDDEN = 200, 403

Hosts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the story: whether what it promises was seen, and on what evidence."""

    observed: bool
    hosts: Hosts


class Demo:
    """The stages in their order; each one looks for itself."""

    def __init__(self, fleet: Fleet, story: Story) -> None:
        """Play on a running fleet."""
        self._fleet = fleet
        self._story = story
        self._pids: dict[str, int | None] = {}

    def healthy(self) -> Stage:
        """All agents upload, and `check` says so."""
        self._story.tell(f"{len(HOSTS)} hosts, each with an agent that uploads. All is well:")
        statuses = self._await_uploads(dict.fromkeys(HOSTS, OK))
        hosts = self._submit("check")
        self._add_uploads(hosts)
        return Stage(statuses and _outcomes(hosts) == dict.fromkeys(HOSTS, "ok"), hosts)

    def stale(self) -> Stage:
        """Two certificates are renewed; those agents go on with the old ones and get 403."""
        self._story.tell(
            f"Now the certificate is renewed on {' and '.join(STALE)}, as the agent does itself.",
            "The agents keep the old one in memory, and the cloud refuses it:",
        )
        for name in STALE:
            self._agent(name).renew()
        expected = {name: FORBIDDEN if name in STALE else OK for name in HOSTS}
        observed = self._await_uploads(expected)
        hosts = {name: {"upload_status": self._agent(name).upload_status()} for name in HOSTS}
        for name, facts in hosts.items():
            self._story.show(f"  {name}  upload -> HTTP {facts['upload_status']}")
        return Stage(observed, hosts)

    def check(self) -> Stage:
        """`check` finds exactly the two."""
        self._story.tell("`check` compares the process's start with the certificate's notBefore:")
        hosts = self._submit("check")
        self._add_uploads(hosts)
        expected = {name: "failed" if name in STALE else "ok" for name in HOSTS}
        self._pids = {name: self._agent(name).pid() for name in HOSTS}
        return Stage(_outcomes(hosts) == expected, hosts)

    def restart(self) -> Stage:
        """`restart` repairs the two and leaves the third alone; uploads work again."""
        self._story.tell("`restart` makes the state hold, and proves it by looking again:")
        hosts = self._submit("restart")
        expected = {name: "changed" if name in STALE else "ok" for name in HOSTS}
        uploads = self._await_uploads(dict.fromkeys(HOSTS, OK))
        self._add_uploads(hosts)
        new = {name: self._agent(name).pid() for name in HOSTS}
        changed = {name for name in HOSTS if new[name] != self._pids[name]}
        self._pids = new
        return Stage(_outcomes(hosts) == expected and uploads and changed == set(STALE), hosts)

    def restart_again(self) -> Stage:
        """The same once more: everything holds, nothing is restarted."""
        self._story.tell("The same again. Everything holds already, so nothing is restarted:")
        hosts = self._submit("restart")
        same = {name: self._agent(name).pid() for name in HOSTS} == self._pids
        self._story.show(f"  same process ids as before: {'yes' if same else 'NO'}")
        self._add_uploads(hosts)
        return Stage(same and _outcomes(hosts) == dict.fromkeys(HOSTS, "ok"), hosts)

    def reonboard(self) -> Stage:
        """A certificate near its end is replaced by one for a year; the others are not due."""
        self._story.tell(
            f"The certificate of {OLD} ends in {DAYS_LEFT} days. `reonboard` replaces what is due;",
            "the workspace's key travels sealed to each host, never on a command line:",
        )
        hosts = self._submit(
            "reonboard", "-p", f"domain={self._fleet.cloud.tld}",
            "--secret", f"key=@{self._fleet.key_file.name}",
        )  # fmt: skip
        expected = {name: "changed" if name == OLD else "ok" for name in HOSTS}
        uploads = self._await_uploads(dict.fromkeys(HOSTS, OK))
        self._add_uploads(hosts)
        return Stage(
            _outcomes(hosts) == expected and uploads and _days(hosts[OLD]) > YEAR_DAYS, hosts
        )

    def nginx(self) -> Stage:
        """The same for an nginx: the port tells which certificate it uses, a reload repairs it."""
        self._story.tell(
            f"{WEB} also has an nginx. Its certificate is renewed, and nobody tells it so.",
            "`tls/check` asks the port, `tls/reload` makes it serve the new one:",
        )
        host = self._fleet.hosts[WEB]
        with Nginx(host.agent.root, find_nginx() or "nginx") as nginx:
            nginx.renew()
            looks = [
                self._submit_tls("tls/check", nginx),
                self._submit_tls(
                    "tls/reload", nginx,
                    "-p", f"reload={nginx.program} -s reload", "-p", f"restart={nginx.restarter}",
                ),
                self._submit_tls("tls/check", nginx),
            ]  # fmt: skip
        expected = [("failed", "stale_in_memory"), ("changed", "fresh"), ("ok", "fresh")]
        seen = [(each["outcome"], each["verdict"]) for each in looks]
        evidence = {"outcome": seen[1][0], "before": seen[0][1], "verdict": seen[2][1]}
        return Stage(seen == expected, {WEB: evidence})

    def audit(self) -> Stage:
        """Every order and report is kept as it was signed, and verifies."""
        self._story.tell("Who did what, and is the record sound?")
        listed = self._story.command(self._fleet.denrei, "run", "list")
        verified = self._story.command(self._fleet.denrei, "audit", "verify")
        return Stage(listed.code == 0 and verified.code == 0, {})

    def _agent(self, name: str) -> Any:
        return self._fleet.hosts[name].agent

    def _submit(self, runbook: str, *arguments: str) -> Hosts:
        document = self._command("submit", runbook, "--all", *arguments)
        return {host["host"]: _evidence(host) for host in document["hosts"]}

    def _submit_tls(self, runbook: str, nginx: Nginx, *arguments: str) -> dict[str, Any]:
        document = self._command(
            "submit", runbook, "--host", WEB, "-p", f"certificate={nginx.certificate}",
            "-p", f"key={nginx.key}", "-p", f"port={nginx.port}", *arguments,
        )  # fmt: skip
        (host,) = document["hosts"]
        values = host["passes"][0]["values"] if host["passes"] else {}
        for name in ("verdict", "reason"):
            self._story.show(f"  {name}: {values.get(name)}")
        return {"outcome": host["outcome"], "verdict": values.get("verdict")}

    def _command(self, *arguments: str) -> dict[str, Any]:
        """Show a command that submits a run; return what became of it."""
        denrei = self._fleet.denrei
        self._story.command(denrei, *arguments)
        newest = json.loads(denrei.must("run", "list", "--limit", "1", "-o", "json").out)
        run_id = newest["runs"][0]["id"]
        document: dict[str, Any] = json.loads(denrei.run("run", "show", run_id, "-o", "json").out)
        return document

    def _await_uploads(self, expected: Mapping[str, int]) -> bool:
        """Wait for uploads from now on with these answers; tell whether they came."""
        since, until = time.time(), time.monotonic() + SETTLED_WITHIN_S
        while time.monotonic() < until:
            seen = {name: self._agent(name).upload_status(since=since) for name in expected}
            if seen == dict(expected):
                return True
            time.sleep(0.05)
        return False

    def _add_uploads(self, hosts: Hosts) -> None:
        for name, facts in hosts.items():
            facts["upload_status"] = self._agent(name).upload_status()
        told = ", ".join(f"{name} {facts['upload_status']}" for name, facts in hosts.items())
        self._story.show(f"  uploads now: {told}")


def _evidence(host: Mapping[str, Any]) -> dict[str, Any]:
    values = host["passes"][0]["values"] if host["passes"] else {}
    return {
        "outcome": host["outcome"],
        "pid": values.get("agent_pid"),
        "not_before": values.get("not_before"),
        "not_after": values.get("not_after"),
    }


def _outcomes(hosts: Hosts) -> dict[str, Any]:
    return {name: facts["outcome"] for name, facts in hosts.items()}


def _days(facts: Mapping[str, Any]) -> float:
    end = datetime.fromisoformat(facts["not_after"])
    return (end - datetime.now(UTC)).total_seconds() / 86400


STAGES: Mapping[str, tuple[str, Callable[[Demo], Stage]]] = {
    "healthy": ("All is well", Demo.healthy),
    "stale": ("The incident", Demo.stale),
    "check": ("Find it", Demo.check),
    "restart": ("Repair it", Demo.restart),
    "restart_again": ("Repair it again", Demo.restart_again),
    "reonboard": ("A certificate near its end", Demo.reonboard),
    "nginx": ("A stale nginx", Demo.nginx),
    "audit": ("The record", Demo.audit),
}


@contextmanager
def _world(story: Story) -> Iterator[Fleet]:
    with tempfile.TemporaryDirectory(prefix="denrei-demo-") as directory:
        story.tell("Starting a broker, an orchestrator and three hosts on this machine ...")
        with Fleet(Path(directory), HOSTS) as fleet:
            for name, host in fleet.hosts.items():
                _onboard(fleet, host, DAYS_LEFT if name == OLD else 365)
            fleet.await_workers()
            yield fleet


def _onboard(fleet: Fleet, host: FleetHost, days: int) -> None:
    host.agent.onboard(fleet.workspace.id, fleet.workspace.key, days=days)


def run(json_output: bool) -> int:  # noqa: FBT001 - the command line's own flag
    """Play the demo; return 0 only if every stage was observed."""
    story = Story()
    stages: dict[str, Stage] = {}
    wanted = [name for name in STAGES if name != "nginx" or find_nginx()]
    try:
        with _world(story) as fleet:
            demo = Demo(fleet, story)
            for name, (title, play) in STAGES.items():
                if name not in wanted:
                    story.tell(f"\n({title}: left out, since no nginx is installed here)")
                    continue
                story.stage(title)
                stages[name] = play(demo)
                story.mark(observed=stages[name].observed)
    except (LabError, RedisMissingError, RedisStartError, OSError) as error:
        story.fail(error)
    ok = len(stages) == len(wanted) and all(stage.observed for stage in stages.values())
    story.end(ok=ok)
    if json_output:
        evidence = {name: asdict(stage) for name, stage in stages.items()}
        story.data(json.dumps({"ok": ok, "stages": evidence}))
    return 0 if ok else 1
