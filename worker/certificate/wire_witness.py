"""Asks a port for its certificate, several times: each handshake may meet another worker."""

import re
from collections.abc import Mapping

from contract.duration import parse_duration
from contract.probe import CertificateState, Tls
from worker.certificate.description import Certificate
from worker.certificate.witness import Shown, Unreached, WireWitness
from worker.observations.connection import Address, UnreachableError, connect, parse_address
from worker.observations.tls import KeyKind, shake_hands
from worker.proc import boot_clock
from worker.root import Root

_NO_PORT = 0
_LABEL = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_KINDS: Mapping[str, KeyKind] = {"rsa": KeyKind.RSA, "ec": KeyKind.EC}


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
    hands = _Hands(tls, root, arguments.handshakes)
    return hands.of_kind(leaf, hands.shaken()) if leaf else hands.shaken()


class _Hands:
    """Shakes hands with one port, again and again, until one deadline."""

    def __init__(self, tls: Tls, root: Root, often: int) -> None:
        self._tls, self._root, self._often = tls, root, often
        self._address = Address(tls.host, tls.port)
        self._deadline = boot_clock() + parse_duration(tls.timeout).total_seconds()

    def shaken(self, kind: KeyKind | None = None) -> WireWitness:
        """Return what was shown."""
        leaves: list[Certificate] = []
        failures: list[str] = []
        while len(leaves) + len(failures) < self._often and boot_clock() < self._deadline:
            try:
                with connect(self._address, self._root, self._deadline) as connection:
                    leaves.append(shake_hands(self._tls, connection, kind)[0])
            except UnreachableError as error:
                failures.append(str(error).removeprefix(f"{self._address}: "))
        if leaves:
            return Shown(str(self._address), tuple(leaves), tuple(failures))
        return Unreached(str(self._address), failures[0] if failures else "timed out")

    def of_kind(self, leaf: Certificate, seen: WireWitness) -> WireWitness:
        """Ask for the certificate with the file's kind of key, if the server has one of each."""
        kind = _KINDS.get(_kind(leaf))
        if not isinstance(seen, Shown) or kind is None:
            return seen
        if any(_kind(shown) == _kind(leaf) for shown in seen.leaves):
            return seen
        asked = self.shaken(kind)
        return asked if isinstance(asked, Shown) else seen


def _kind(leaf: Certificate) -> str:
    return leaf.key_type.partition("-")[0]


def _name_of(leaf: Certificate | None) -> str:
    """Return the first DNS name of a certificate that a client may ask for."""
    for text in leaf.san if leaf else ():
        kind, _, name = text.partition(":")
        name = f"www{name[1:]}" if name.startswith("*.") else name
        if kind == "DNS" and _HOST_NAME.fullmatch(name):
            return name
    return ""
