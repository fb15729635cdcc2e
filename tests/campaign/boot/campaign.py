"""Boots a real systemd, starts both units in it, and looks whether each has only its own."""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.command import Script
from lab.redis import EmbeddedRedis
from tests.campaign.boot.box import NAME, WORKER, Box, BoxError, booted, why_not
from tests.campaign.campaign import Scale, Tally
from tests.waiting import eventually

HOST = "web1"
COURIER, EXECUTOR = "denrei-courier", "denrei-executor"
_RUNBOOK = """\
name: boot
params:
  at: {type: path}
observe:
  flag: {file: {path: "${params.at}"}}
steps:
  - name: the flag is up
    ensure: flag.exists
    do: {command: [/usr/bin/touch, "${params.at}"]}
"""
_CLOSED = (  # what the courier must not be able to do, in a shell of its own
    "cat /etc/denrei/keys/sign.pem",
    "cat /var/lib/denrei/ledger.db",
    "ls /var/lib/denrei",
    "touch /var/lib/denrei/new",
    "touch /etc/denrei/courier/new",
    "touch /etc/new",
    "touch /usr/new",
    "rm -r /var/lib/denrei/inbox",
    "ls /root",
)
_OPEN = (  # and what it must
    "cat /etc/denrei/worker.yaml",
    "cat /etc/denrei/courier/courier.yaml",
    "touch /var/lib/denrei/inbox/x && rm /var/lib/denrei/inbox/x",
    "touch /var/lib/denrei/outbox/x && rm /var/lib/denrei/outbox/x",
)


@dataclass(frozen=True, slots=True)
class Ground:
    """The box, and the orchestrator that sends it orders."""

    box: Box
    denrei: Script


def boot(scale: Scale, seed: int) -> Tally:
    """Boot once; a machine where that can't be is counted as not tried, which is no pass."""
    del scale, seed  # there is one boot, and nothing in it is left to chance
    if why := why_not():
        print(f"  boot: not tried: {why}", file=sys.stderr)
        return Tally({"boots_not_tried": 1})
    counts: Counter[str] = Counter(boots=1)
    with tempfile.TemporaryDirectory() as directory, ExitStack() as held:
        try:
            ground = _prepare(Path(directory), held)
            violations = [*_all_laws(ground, counts)]
        except BoxError as error:
            violations = [f"boot: {error}"]
    return Tally(counts, tuple(violations))


def _prepare(directory: Path, held: ExitStack) -> Ground:
    directory.chmod(0o755)
    redis = held.enter_context(EmbeddedRedis(directory / "redis"))
    denrei = Script("denrei", {"DENREI_HOME": str(directory / "home")})
    denrei.must("init", "--broker", redis.url, "--operator", "anna")
    runbooks = directory / "home/runbooks"
    runbooks.mkdir(exist_ok=True)
    (runbooks / "boot.yaml").write_text(_RUNBOOK)
    box = held.enter_context(booted(directory))
    server = denrei.start(directory / "server.log", "server")
    held.callback(server.stop)
    token = denrei.must("host", "enrol", HOST).out
    box.must(WORKER, "enrol", token.strip())
    return Ground(box, denrei)


def _all_laws(ground: Ground, counts: Counter[str]) -> Iterator[str]:
    for network in ("all", "none"):
        _start(ground.box, network)
        for law in _LAWS:
            counts["laws"] += 1
            yield from (f"boot --network {network}: {told}" for told in law(ground))
        if network == "none":
            counts["laws"] += 1
            yield from _executor_is_alone(ground)


def _start(box: Box, network: str) -> None:
    box.try_("systemctl", "stop", COURIER, EXECUTOR)
    box.must(WORKER, "units", "--install", "--network", network)
    box.must("systemctl", "enable", "--now", EXECUTOR, COURIER)


def _both_run(ground: Ground) -> Iterator[str]:
    def well() -> bool:
        return ground.box.try_(WORKER, "status").returncode == 0

    if told := _unless(well):
        yield f"denrei-worker status does not get well: {told}"


def _courier_has_no_rights(ground: Ground) -> Iterator[str]:
    status = ground.box.must("cat", f"/proc/{ground.box.pid_of(COURIER)}/status")
    said = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    if "0" in said["Uid"].split() or "0" in said["Gid"].split():
        yield "the courier is root"
    wanted = {"CapEff": "0" * 16, "CapPrm": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
    for name, value in wanted.items():
        if said[name] != value:
            yield f"the courier's {name} is {said[name]}, not {value}"


def _courier_is_shut_in(ground: Ground) -> Iterator[str]:
    """Try it as the courier's user, within the view of the disk that the courier has."""
    enter = ("nsenter", "-m", "-t", ground.box.pid_of(COURIER))
    as_courier = ("setpriv", "--reuid=denrei", "--regid=denrei", "--clear-groups", "sh", "-c")
    for deed in _CLOSED:
        if ground.box.try_(*enter, *as_courier, deed).returncode == 0:
            yield f"the courier can do this: {deed}"
    for deed in _OPEN:
        if (done := ground.box.try_(*enter, *as_courier, deed)).returncode:
            yield f"the courier can't do this: {deed}: {done.stderr.strip()}"


def _order_runs(ground: Ground) -> Iterator[str]:
    flag = f"/run/flag-{ground.box.pid_of(EXECUTOR)}"
    done = ground.denrei.run(
        "submit", "boot", "--host", HOST, "-p", f"at={flag}", "--timeout", "60s"
    )
    if done.code or ground.box.try_("test", "-e", flag).returncode:
        yield f"an order was not carried out: exit code {done.code}: {done.out}{done.err}"


def _comes_back(ground: Ground) -> Iterator[str]:
    for unit in (COURIER, EXECUTOR):
        before = ground.box.pid_of(unit)
        ground.box.must("kill", "-KILL", before)
        if told := _unless(lambda: ground.box.pid_of(unit) not in {before, "0"}):  # noqa: B023
            yield f"{unit} does not come back: {told}"
    yield from _both_run(ground)
    yield from _order_runs(ground)


def _executor_is_alone(ground: Ground) -> Iterator[str]:
    enter = ("nsenter", "-n", "-t", ground.box.pid_of(EXECUTOR))
    links = ground.box.must(*enter, "ip", "-o", "link").splitlines()
    if [line.split(":")[1].strip() for line in links] != ["lo"]:
        yield f"the executor has a network: {links}"


def _unless(condition: Callable[[], bool]) -> str:
    """Wait for it, and return what is to be told if it does not come."""
    try:
        eventually(condition, within=40.0)
    except AssertionError as error:
        return str(error) or f"not within 40 s in the box {NAME}"
    return ""


_LAWS = (_both_run, _courier_has_no_rights, _courier_is_shut_in, _order_runs, _comes_back)
