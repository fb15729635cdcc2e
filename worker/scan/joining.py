"""Which file and which port are one certificate's: pure, from what was read and shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from worker.certificate.description import Certificate
from worker.certificate.name import share_a_name
from worker.certificate.wire_witness import name_to_ask
from worker.scan.daemons import Configured, Daemon
from worker.scan.owner import Owner
from worker.scan.port import TlsPort


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A file that a configuration names, or that the user gave (then without a daemon)."""

    configured: Configured
    leaf: Certificate | None
    daemon: Daemon | None = None
    owner: Owner | None = None  # the daemon's process, if it runs

    @property
    def path(self) -> str:
        return self.configured.path

    @property
    def asked_name(self) -> str:
        """Return the name that a client asks for to be shown this certificate."""
        return name_to_ask(self.leaf)


@dataclass(frozen=True, slots=True)
class Use:
    """A certificate in use: its file, the port that shows it, or both."""

    file: CertificateFile | None
    port: TlsPort | None
    server_name: str = ""  # that was asked for at the port

    @property
    def owner(self) -> Owner | None:
        if self.port and self.port.port.owner:
            return self.port.port.owner
        return self.file.owner if self.file else None


def names_to_ask(
    files: Sequence[CertificateFile], ports: Sequence[TlsPort]
) -> Iterator[tuple[TlsPort, str]]:
    """Give the names by which a daemon's ports may show more than they show to everybody."""
    for port in ports:
        for file in files:
            everybodys = port.shown.get("")
            if _same_daemon(file, port) and file.asked_name and file.leaf != everybodys:
                yield port, file.asked_name


def join(files: Sequence[CertificateFile], ports: Sequence[TlsPort]) -> list[Use]:
    """Put files and ports together.

    A port and a file of its daemon belong together if the port shows that very certificate; or, if
    what it shows is in none of the daemon's files, and a file that no port shows shares a name
    with it: then the file was renewed, and the port still shows the one before. A file that the
    user gave is looked for behind the ports of which no configuration is known.
    """
    ours = [file for file in files if file.daemon]
    given = [file for file in files if not file.daemon]
    uses = [use for port in ports for use in _of_port(port, ours, given, ports)]
    used = {id(use.file) for use in uses}
    return [*uses, *(Use(file, None) for file in files if id(file) not in used)]


def _of_port(
    port: TlsPort,
    ours: Sequence[CertificateFile],
    given: Sequence[CertificateFile],
    ports: Sequence[TlsPort],
) -> Iterator[Use]:
    mine = [file for file in ours if _same_daemon(file, port)]
    fitting = _fitting(mine, port, ports) or _fitting(given, port, ports)
    for file in fitting:
        yield Use(file, port, file.asked_name if file.asked_name in port.shown else "")
    everybodys = port.shown.get("")
    if everybodys and everybodys not in [_shown(file, port) for file in fitting]:
        yield Use(None, port)


def _fitting(
    files: Sequence[CertificateFile], port: TlsPort, ports: Sequence[TlsPort]
) -> list[CertificateFile]:
    leaves = [file.leaf for file in files]
    return [
        file
        for file in files
        if _shows(port, file)
        or (
            not any(_shows(each, file) and _may_be_its(file, each) for each in ports)
            and (shown := _shown(file, port))
            and shown not in leaves
            and file.leaf
            and share_a_name(file.leaf, shown)
        )
    ]


def _may_be_its(file: CertificateFile, port: TlsPort) -> bool:
    """Tell whether a port may be of who uses a file: another daemon may use the same one."""
    return file.daemon is None or _same_daemon(file, port)


def _same_daemon(file: CertificateFile, port: TlsPort) -> bool:
    owner, listens = file.owner, port.port.owner
    if file.daemon is None or owner is None or listens is None:
        return False
    return file.daemon.runs_as(listens) and listens.command_line == owner.command_line


def _shown(file: CertificateFile, port: TlsPort) -> Certificate | None:
    """Return what a port shows to who wants a file's certificate."""
    return port.shown.get(file.asked_name) or port.shown.get("")


def _shows(port: TlsPort, file: CertificateFile) -> bool:
    return file.leaf is not None and file.leaf in port.shown.values()
