"""A scan of this host: every certificate in use, with the verdict on it."""

from dataclasses import dataclass

from contract.certificate import MAX_FACTS, CertificateFact, CertificateVerdict
from contract.duration import parse_duration
from worker.proc import boot_clock
from worker.root import Root
from worker.scan.discovery import Wishes, discover
from worker.scan.judging import judge_all, severity


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found out."""

    facts: tuple[CertificateFact, ...]
    problems: tuple[str, ...]  # what could not be looked at, a sentence each
    silent: tuple[str, ...]  # ports that answered nothing, and so are taken for plain text
    is_complete: bool  # these are all certificates in use on this host

    @property
    def needing_work(self) -> list[CertificateFact]:
        return [fact for fact in self.facts if fact.verdict is not CertificateVerdict.FRESH]

    @property
    def worst(self) -> CertificateVerdict | None:
        """Return the worst verdict; None if nothing was found."""
        return max((fact.verdict for fact in self.facts), key=severity, default=None)


def scan(wishes: Wishes, root: Root) -> Scan:
    """Look for certificates and judge each, within the time that is wished."""
    deadline = boot_clock() + parse_duration(wishes.timeout).total_seconds()
    found = discover(wishes, root, deadline)
    judged = judge_all(found.found, root, deadline)
    problems = list(dict.fromkeys([*found.problems, *judged.problems]))
    if len(judged.facts) > MAX_FACTS:
        problems.append(f"only {MAX_FACTS} of {len(judged.facts)} certificates are told of")
    problems += [what for what, asked in _asked(wishes) if not asked]
    return Scan(tuple(judged.facts[:MAX_FACTS]), tuple(problems), found.silent, not problems)


def _asked(wishes: Wishes) -> tuple[tuple[str, bool], ...]:
    return (
        ("ports, for that was not wanted", wishes.ports),
        ("configurations of daemons, for that was not wanted", wishes.configurations),
    )
