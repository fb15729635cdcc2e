"""Looks by itself for the ports of a process that can't tell, and lets them decide."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from contract.certificate import CertificateVerdict
from contract.probe import CertificateState
from worker import proc
from worker.certificate.judge import State, judge
from worker.certificate.look import wishes_of
from worker.certificate.name import share_a_name
from worker.certificate.process_witness import pids_of
from worker.certificate.wire_witness import ask_port
from worker.certificate.witness import Held, Running, Shown, WireWitness, Witnesses
from worker.observations.connection import Address
from worker.observations.starttls import usual_protocol
from worker.root import Root
from worker.scan.listener import Listener, listeners

_MOST_PORTS = 20
_STALE = (CertificateVerdict.STALE_IN_MEMORY, CertificateVerdict.SPLIT)


def ask_own_ports(arguments: CertificateState, state: State, root: Root) -> State:
    """Return the verdict of the ports on which the process, or one below it, listens.

    Only a port that shows a certificate sharing a name with the file's counts; if there is none,
    the verdict stays as it is. Of several, one that shows another certificate decides.
    """
    file, process = state.witnesses.file, state.witnesses.process
    doubtful = not state.confirmed or state.verdict in _STALE
    if state.witnesses.wire or not doubtful or not isinstance(process, Running):
        return state
    if not isinstance(file, Held):
        return state
    wishes, now = wishes_of(arguments), datetime.now(UTC)
    judged = [
        judge(Witnesses(file, process, wire), wishes, now)
        for wire in _shown(arguments, file, process, root)
    ]
    stale = [each for each in judged if each.verdict in _STALE]
    return next(iter(stale or judged), state)


def _shown(
    arguments: CertificateState, file: Held, process: Running, root: Root
) -> Iterator[WireWitness]:
    for address in _addresses(process):
        asked = msgspec.structs.replace(
            arguments,
            host=address.host,
            port=address.port,
            starttls=arguments.starttls or usual_protocol(address.port, process.name),
        )
        wire = ask_port(asked, file.leaf, root)
        if isinstance(wire, Shown) and any(share_a_name(file.leaf, x) for x in wire.leaves):
            yield wire


def _addresses(process: Running) -> list[Address]:
    held = {inode for pid in pids_of(process) for inode in proc.sockets(pid)}
    found = [_address(listener) for listener in listeners() if listener.inode in held]
    return list(dict.fromkeys(found))[:_MOST_PORTS]


def _address(listener: Listener) -> Address:
    """Return how to reach a socket from this host; one of all addresses takes IPv4, too."""
    return Address("127.0.0.1" if listener.takes_any else listener.address, listener.port)
