"""Looks at a certificate from all sides that the arguments name, and has it judged."""

from datetime import UTC, datetime

from contract.duration import parse_duration
from contract.probe import CertificateState
from worker.certificate.judge import State, Wishes, judge
from worker.certificate.process_witness import ask_process
from worker.certificate.reading import read_certificate
from worker.certificate.wire_witness import ask_port
from worker.certificate.witness import FileWitness, Held, Witnesses
from worker.root import Root


def look(arguments: CertificateState, root: Root) -> State:
    """Ask the file, the process and the port, and judge.

    Raises DenreiError where that can't be done: the arguments mean nothing on this host.
    """
    file = _ask_file(arguments, root)
    process = ask_process(arguments, root)
    wire = ask_port(arguments, file.leaf if isinstance(file, Held) else None, root)
    return judge(Witnesses(file, process, wire), wishes_of(arguments), datetime.now(UTC))


def wishes_of(arguments: CertificateState) -> Wishes:
    """Return what the arguments want of the certificate."""
    within = arguments.expiring_within
    return Wishes(
        names=tuple(arguments.names),
        made_here=arguments.made_here,
        expiring_within=parse_duration(within) if within else None,
    )


def _ask_file(arguments: CertificateState, root: Root) -> FileWitness | None:
    if arguments.path is None:
        return None
    key = root.locate(arguments.key) if arguments.key else None
    return read_certificate(root.locate(arguments.path), key)
