"""An operator's desk: `denrei` as a person types it, with answers that a test can read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.command import Done, Script
from lab.fleet import Fleet
from tests.waiting import eventually

FOLLOW = "60s"  # far longer than any story's run; a run that hangs ends as exit code 7


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command about a run exited, what it told, and the run as it stood then."""

    code: int
    told: str  # stderr
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def run_id(self) -> str:
        return str(self.document["run"]["id"])

    @property
    def outcomes(self) -> dict[str, str]:
        return {host["host"]: host["outcome"] for host in self.document["hosts"]}

    @property
    def states(self) -> dict[str, str]:
        return {host["host"]: host["state"] for host in self.document["hosts"]}

    def host(self, name: str) -> Mapping[str, Any]:
        (found,) = (host for host in self.document["hosts"] if host["host"] == name)
        return dict(found)

    def passes(self, name: str) -> dict[str, Mapping[str, Any]]:
        """Return a host's passes by their item."""
        return {one["item"]: one for one in self.host(name)["passes"]}

    def steps(self, name: str, item: str = "") -> dict[str, str]:
        """Return the outcome of each step of one pass: the named one, or the only one."""
        passes = self.passes(name)
        chosen = passes[item] if item else next(iter(passes.values()))
        return {step["name"]: step["outcome"] for step in chosen["steps"]}

    def values(self, name: str) -> Mapping[str, Any]:
        """Return what the only pass of a host reported."""
        (only,) = self.host(name)["passes"]
        return dict(only["values"])


class Desk:
    """Submits runs and reads what became of them."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.denrei: Script = fleet.denrei

    def submit(self, runbook: str, *arguments: str, follow: str = FOLLOW) -> Answer:
        """Submit and follow to the end."""
        options = ("--timeout", follow, "-o", "json")
        return _answer(self.denrei.run("submit", runbook, *arguments, *options))

    def detach(self, runbook: str, *arguments: str) -> Answer:
        """Submit without following."""
        return _answer(self.denrei.run("submit", runbook, *arguments, "--detach", "-o", "json"))

    def reonboard(self, *arguments: str, key: str = "", domain: str = "") -> Answer:
        """Submit `reonboard` with the right key and domain, unless others are given."""
        return self.submit("reonboard", *self.onboarding(key, domain), *arguments)

    def onboarding(self, key: str = "", domain: str = "") -> tuple[str, ...]:
        """Return the arguments that every `reonboard` needs."""
        source = self._fleet.key_file
        if key:
            source = source.with_name("another.key")
            source.write_text(key)
        domain = domain or self._fleet.cloud.tld
        return ("-p", f"domain={domain}", "--secret", f"key=@{source}")

    def watch(self, run_id: str, within: str = FOLLOW) -> Answer:
        """Follow a run that is under way."""
        return _answer(self.denrei.run("run", "watch", run_id, "--timeout", within, "-o", "json"))

    def show(self, run_id: str) -> Answer:
        """Look at a run."""
        return _answer(self.denrei.run("run", "show", run_id, "-o", "json"))

    def runs(self) -> list[Mapping[str, Any]]:
        """Return all runs, the newest first."""
        told = self.denrei.must("run", "list", "--limit", "1000", "-o", "json")
        return list(json.loads(told.out)["runs"])

    def letters(self, kind: str, *arguments: str) -> list[Mapping[str, Any]]:
        """Return the letters of one kind in the record, oldest first."""
        told = self.denrei.must("audit", "log", *arguments, "-o", "json")
        return [one for one in json.loads(told.out)["letters"] if one["kind"] == kind]

    def await_letter(self, kind: str, *arguments: str, **payload: str) -> Mapping[str, Any]:
        """Wait for a letter whose payload has these members."""

        def look() -> list[Mapping[str, Any]]:
            found = self.letters(kind, *arguments)
            return [one for one in found if payload.items() <= one["payload"].items()]

        return eventually(look, within=20, what=f"a {kind} with {payload}")[-1]


def _answer(done: Done) -> Answer:
    return Answer(done.code, done.err, json.loads(done.out) if done.out.strip() else {})
