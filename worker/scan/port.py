"""The ports of this host on which TLS may be spoken, and the certificates that they show."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from contract.probe import StartTls
from worker.certificate.description import DAMAGED, Certificate, read_der
from worker.observations.connection import Address, UnreachableError, connect
from worker.observations.starttls import ask_for_tls, usual_protocol
from worker.observations.tls import any_certificate
from worker.proc import boot_clock
from worker.root import Root
from worker.scan.handshake import HANDSHAKE_S, Answer, Question, Said, ask
from worker.scan.listener import Listener
from worker.scan.owner import Owner

_V4, _V6 = "127.0.0.1", "::1"
_NEVER_TLS = frozenset({"sshd", "dropbear"})  # each connection would be a line in their log


@dataclass(frozen=True, slots=True)
class Port:
    """Where a service listens: the addresses by which it can be asked, the first one first."""

    number: int
    hosts: tuple[str, ...]
    owner: Owner | None
    starttls: StartTls | None = None

    @property
    def service(self) -> str:
        return self.owner.service if self.owner else ""


@dataclass(slots=True)
class TlsPort:
    """A port that speaks TLS, and what it shows to who asks for a name; "" asks for none."""

    port: Port
    address: Address
    shown: dict[str, Certificate] = field(default_factory=dict)


@dataclass(slots=True)
class Asked:
    """The ports that speak TLS, and those that could not be asked."""

    tls: list[TlsPort] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)  # as many plain protocols are
    problems: list[str] = field(default_factory=list)


def find_ports(listeners: Iterable[Listener], by_inode: dict[int, Owner]) -> Iterator[Port]:
    """Put together the sockets that are one service's, each in the way it is asked."""
    ordered = sorted(listeners, key=lambda each: (each.port, ":" in each.address, each.address))
    for number, group in groupby(ordered, key=lambda each: each.port):
        seen: dict[str, Owner | None] = {}
        for each in group:
            seen[each.address] = seen.get(each.address) or by_inode.get(each.inode)
        for address, owner in seen.items():
            if owner is None or owner.program not in _NEVER_TLS:
                yield Port(
                    number,
                    _hosts(address, seen),
                    owner,
                    usual_protocol(number, owner.program if owner else ""),
                )


def _hosts(address: str, beside: Iterable[str]) -> tuple[str, ...]:
    """Return by which addresses a socket can be reached."""
    match address:
        case "0.0.0.0":  # noqa: S104 - nothing is bound here
            return (_V4,)
        case "::" if {"0.0.0.0", _V4}.isdisjoint(beside):  # noqa: S104
            return (_V4, _V6)  # it takes IPv4 too, unless it was told not to
        case "::":
            return (_V6,)
        case _:
            return (address,)


def ask_ports(ports: Sequence[Port], root: Root, deadline: float) -> Asked:
    """Ask each port once for the certificate that it shows to everybody."""
    asked = Asked()
    left = list(ports)
    while left:
        questions = {Address(port.hosts[0], port.number): port for port in left}
        answers = _ask({Question(a): port for a, port in questions.items()}, root, deadline)
        again = []
        for question, answer in answers.items():
            port = questions[question.address]
            if answer.said is Said.REFUSED and len(port.hosts) > 1:
                again.append(Port(port.number, port.hosts[1:], port.owner, port.starttls))
            else:
                _take(asked, port, question.address, answer)
        left = again
    asked.tls = _without_twins(asked.tls)
    return asked


def ask_names(wanted: Sequence[tuple[TlsPort, str]], root: Root, deadline: float) -> None:
    """Ask ports for the certificates that they show to who asks for a name."""
    questions = {Question(each.address, name): each for each, name in wanted}
    by_port = {question: each.port for question, each in questions.items()}
    for question, answer in _ask(by_port, root, deadline).items():
        if leaf := _read(answer):
            questions[question].shown[question.server_name] = leaf


def _ask(ports: dict[Question, Port], root: Root, deadline: float) -> dict[Question, Answer]:
    """Ask all that begin in TLS at once, and one after another those that begin in plain text."""
    answers = ask((each for each, port in ports.items() if not port.starttls), deadline)
    for question, port in ports.items():
        if port.starttls:
            answers[question] = _ask_plain(question, port.starttls, root, deadline)
    return {question: answers[question] for question in ports}


def _ask_plain(question: Question, protocol: StartTls, root: Root, deadline: float) -> Answer:
    now = boot_clock()
    if now >= deadline:
        return Answer(Said.UNASKED)
    try:
        connection = connect(question.address, root, min(deadline, now + HANDSHAKE_S))
    except UnreachableError as error:
        return Answer(Said.REFUSED, why=str(error))
    try:
        with connection:
            ask_for_tls(protocol, connection)
            name = question.server_name or question.address.host
            secured = connection.secure(any_certificate(), name)
            der = secured.getpeercert(binary_form=True)
    except UnreachableError as error:
        return Answer(Said.SILENT if "timed out" in str(error) else Said.PLAIN, why=str(error))
    return Answer(Said.CERTIFICATE, der) if der else Answer(Said.TLS)


def _read(answer: Answer) -> Certificate | None:
    try:
        return read_der(answer.der)
    except DAMAGED:
        return None


def _take(asked: Asked, port: Port, address: Address, answer: Answer) -> None:
    who = f"{address} ({port.service or 'of an unseen process'})"
    if answer.is_tls:
        found = TlsPort(port, address)
        if leaf := _read(answer):
            found.shown[""] = leaf
        asked.tls.append(found)
        if port.owner is None:
            asked.problems.append(f"{address}: the process behind it can't be seen, but by root")
    elif answer.said is Said.SILENT:
        asked.silent.append(who)
    elif answer.said is Said.UNASKED:
        asked.problems.append(f"{who}: not asked, the time was over")
    elif answer.said is Said.REFUSED:
        asked.problems.append(f"{who}: {answer.why}")


def _without_twins(ports: list[TlsPort]) -> list[TlsPort]:
    """Leave out a service's further sockets on a port that show the same certificate."""
    kept: dict[tuple[object, ...], TlsPort] = {}
    for each in ports:
        shown = each.shown.get("")
        key = (each.port.number, each.port.service, shown.sha256 if shown else each.address)
        kept.setdefault(key, each)
    return list(kept.values())
