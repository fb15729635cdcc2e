"""One of those that are compared: how it is asked to do the work, and how its cost is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.cost import cpu_ms, tree
from benchmarks.figure import Figure, figure
from benchmarks.peer.ansible import Ansible
from benchmarks.peer.salt import Salt
from benchmarks.real_fleet import Desk, RealFleet

Samples = dict[str, list[float]]
_UNITS = {"ms": "ms", "mib": "MiB", "pct": "%", "20": "/s", "run": "ms", "p50": "ms"}


@dataclass(frozen=True, slots=True)
class Side:
    """Denrei or a peer, at work."""

    name: str
    how: str
    run: Callable[[Sequence[str]], float]  # the three steps on some hosts; the seconds it took
    spent: Callable[[], float]  # CPU time of all of its processes so far, in ms
    ping: Callable[[str], float] | None = None  # a question to one host; the seconds it took
    host: Callable[[str], list[int]] | None = None  # the processes that wait on one host
    samples: Samples = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        """Keep one more repeat."""
        self.samples.setdefault(name, []).append(value)

    def figures(self) -> dict[str, Figure]:
        """Return what was found."""
        return {
            name: figure(name, _UNITS[name.rpartition("_")[2]], values, self.how)
            for name, values in self.samples.items()
        }


def denrei(fleet: RealFleet, desk: Desk) -> Side:
    """Return ours."""
    how = "orders submitted in a warm process; two fsynced stores, every message signed"

    def at_rest(name: str) -> list[int]:
        fleet.await_rest(name)
        return fleet.pids_of(name)

    return Side("denrei", how, desk.run, lambda: cpu_ms(fleet.all_pids()), desk.ping, at_rest)


def salt(master: Salt, number: Callable[[], int]) -> Side:
    """Return Salt's: its master and minions."""
    return Side(
        "salt",
        f"{master.version}: state.apply by a warm LocalClient; test.ping",
        lambda minions: master.run(minions, number()),
        lambda: cpu_ms(pid for root in master.roots for pid in tree(root)),
        lambda minion: master.ping([minion]),
        lambda minion: tree(master.root_of(minion)),
    )


def ansible(control: Ansible, number: Callable[[], int]) -> Side:
    """Return Ansible's: it has nothing that waits on a host."""
    return Side(
        "ansible",
        f"{control.version}: ansible-playbook over SSH to loopback, 20 forks, no facts gathered",
        lambda hosts: control.run(hosts, number()),
        control.spent_ms,
    )
