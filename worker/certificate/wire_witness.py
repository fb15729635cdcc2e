"""Asks a port for its certificate, several times: each handshake may meet another worker."""

import re

from contract.duration import parse_duration
from contract.probe import CertificateState, Tls
from worker.certificate.description import Certificate
from worker.certificate.witness import Shown, Unreached, WireWitness
from worker.observations.connection import Address, UnreachableError, connect, parse_address
from worker.observations.tls import shake_hands
from worker.proc import boot_clock
from worker.root import Root

_NO_PORT = 0
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.?)+")


def ask_port(
    arguments: CertificateState, leaf: Certificate | None, root: Root
) -> WireWitness | None:
    """Return what was shown; None if no port was asked for. All ends at one deadline."""
    address = parse_address(arguments.host, arguments.port or _NO_PORT)
    if address.port == _NO_PORT:
        return None
    name = arguments.server_name or _name_of(leaf) or address.host
    tls = Tls(
        host=address.host,
        port=address.port,
        server_name=name,
        starttls=arguments.starttls,
        timeout=arguments.timeout,
    )
    return _shake_often(tls, address, root, arguments.handshakes)


def _shake_often(tls: Tls, address: Address, root: Root, often: int) -> WireWitness:
    deadline = boot_clock() + parse_duration(tls.timeout).total_seconds()
    leaves: list[Certificate] = []
    failures: list[str] = []
    while len(leaves) + len(failures) < often and boot_clock() < deadline:
        try:
            with connect(address, root, deadline) as connection:
                leaves.append(shake_hands(tls, connection)[0])
        except UnreachableError as error:
            failures.append(str(error).removeprefix(f"{address}: "))
    if leaves:
        return Shown(str(address), tuple(leaves), tuple(failures))
    return Unreached(str(address), failures[0] if failures else "timed out")


def _name_of(leaf: Certificate | None) -> str:
    """Return the first DNS name of a certificate that a client may ask for."""
    for text in leaf.san if leaf else ():
        kind, _, name = text.partition(":")
        name = f"www{name[1:]}" if name.startswith("*.") else name
        if kind == "DNS" and _HOST_NAME.fullmatch(name):
            return name
    return ""
