"""The verdict on each certificate that was found."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from contract.certificate import CertificateFact, CertificateVerdict
from contract.error import DenreiError
from contract.probe import CertificateState
from worker import systemd
from worker.certificate.fact import to_fact
from worker.certificate.judge import State
from worker.certificate.look import look
from worker.certificate.witness import Held, KeyStatus, Unreadable
from worker.proc import boot_clock
from worker.root import Root
from worker.scan.daemons import DAEMONS
from worker.scan.discovery import Found
from worker.scan.joining import CertificateFile, Use

_HANDSHAKES = 3  # that may tell workers apart, and are no burden
_LONGEST_S = 3
_SEVERITY = {verdict: place for place, verdict in enumerate(CertificateVerdict)}  # as they stand


@dataclass(slots=True)
class Judged:
    """What was found out, and what could not be looked at."""

    facts: list[CertificateFact] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def severity(verdict: CertificateVerdict) -> int:
    """Return how bad a verdict is: the least for `fresh`."""
    return _SEVERITY[verdict]


def judge_all(found: tuple[Found, ...], root: Root, deadline: float) -> Judged:
    """Look at each; of what is known by one path and port the worst counts."""
    judged = Judged()
    worst: dict[tuple[str, str], CertificateFact] = {}
    for each in found:
        if boot_clock() >= deadline:
            judged.problems.append("some certificates were not judged, the time was over")
            break
        fact = _judge(each, root, judged.problems)
        if fact is None:
            continue
        key = (fact.path, fact.endpoint)
        if key not in worst or severity(fact.verdict) > severity(worst[key].verdict):
            worst[key] = fact
    judged.facts = [worst[key] for key in sorted(worst)]
    return judged


def _judge(found: Found, root: Root, problems: list[str]) -> CertificateFact | None:
    arguments = arguments_for(found.use, root)
    while True:
        try:
            state = look(arguments, root)
        except DenreiError as error:
            problems.append(str(error))
            return None
        unseen, less = _unseen(state, arguments)
        if not unseen:
            fact = to_fact(state, arguments, service=_service(found.use), renewal=found.renewal)
            return replace(fact, scanned=True)
        problems.append(unseen)
        if less is None:
            return None
        arguments = less


def _unseen(state: State, arguments: CertificateState) -> tuple[str, CertificateState | None]:
    """Return what we may not look at, and what can be asked without it."""
    file = state.witnesses.file
    if isinstance(file, Unreadable) and not file.was_read:
        return file.why, replace(arguments, path=None, key=None) if arguments.port else None
    if isinstance(file, Held) and file.key is KeyStatus.UNSEEN:
        return file.key_note, replace(arguments, key=None)
    return "", None


def arguments_for(use: Use, root: Root) -> CertificateState:
    """Return what is to be asked: the port that shows it; without one the process that uses it."""
    file, port = use.file, use.port
    asked = CertificateState(
        path=file.path if file else None,
        key=(file.configured.key or None) if file else None,
        handshakes=_HANDSHAKES,
        timeout=f"{_LONGEST_S}s",
        made_here=file.daemon.made_here if file and file.daemon else None,
    )
    if port:
        return replace(
            asked,
            host=port.address.host,
            port=port.address.port,
            server_name=use.server_name or None,
            starttls=port.port.starttls,
        )
    return replace(asked, **_process(file, root)) if file else asked


def _process(file: CertificateFile, root: Root) -> dict[str, str]:
    """Return how the process that uses a file is found; nothing if it is not known to run."""
    if file.configured.pid_file:
        return {"pid_file": file.configured.pid_file}
    owner = file.owner
    if owner is None or file.daemon is None:
        return {}
    if owner.unit and root.locate(systemd.systemctl(root)).exists():
        return {"unit": owner.unit}
    text = root.strip(owner.command_line)
    is_found = root.prefix(text) == owner.command_line if text.startswith("/") else bool(text)
    return {"cmdline": text} if is_found else {}


def _service(use: Use) -> str:
    if use.file and use.file.configured.service:
        return use.file.configured.service
    owner = use.owner
    if owner is None or not owner.unit:
        daemon = next((daemon for daemon in DAEMONS if daemon.runs_as(owner)), None)
        daemon = daemon or (use.file.daemon if use.file else None)
        if daemon:
            return daemon.name
    return owner.service if owner else ""
