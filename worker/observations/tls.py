"""The observation `tls`: the certificate that a server shows, whoever signed it."""

import ssl
from enum import Enum

from contract.duration import parse_duration
from contract.probe import Tls
from worker.certificate.description import DAMAGED, Certificate, read_der
from worker.observations.connection import (
    Address,
    Connection,
    UnreachableError,
    connect,
    parse_address,
)
from worker.observations.observation import Fields, ObservationError
from worker.observations.starttls import ask_for_tls
from worker.proc import boot_clock
from worker.root import Root


class KeyKind(Enum):
    """The kinds of key of which a server may have a certificate each, as openssl's ciphers."""

    RSA = "aRSA"
    EC = "aECDSA"


def observe_tls(arguments: Tls, root: Root) -> Fields:
    """Shake hands, read the certificate and hang up. That nobody shows one is knowledge."""
    address = parse_address(arguments.host, arguments.port)
    deadline = boot_clock() + parse_duration(arguments.timeout).total_seconds()
    try:
        connection = connect(address, root, deadline)
    except UnreachableError as error:
        return {"served": False, "open": False, "error": str(error)}
    try:
        with connection:
            certificate, protocol = shake_hands(arguments, connection)
    except UnreachableError as error:
        return {"served": False, "open": True, "error": str(error)}
    fields = certificate.fields()
    return {"served": True, "open": True, "error": "", **fields, "protocol": protocol}


def shake_hands(
    arguments: Tls, connection: Connection, kind: KeyKind | None = None
) -> tuple[Certificate, str]:
    """Return the certificate shown, and the protocol. Raises UnreachableError.

    A server that has one for each kind of key can be asked for that of one kind.
    """
    address = connection.address
    if arguments.starttls:
        ask_for_tls(arguments.starttls, connection)
    secured = connection.secure(any_certificate(kind), arguments.server_name or address.host)
    data = secured.getpeercert(binary_form=True)
    if not data:
        raise UnreachableError(f"{address}: showed no certificate")
    return _read(data, address), secured.version() or ""


def _read(data: bytes, address: Address) -> Certificate:
    try:
        return read_der(data)
    except DAMAGED as error:
        raise ObservationError(f"{address} shows no readable certificate: {error}") from None


def any_certificate(kind: KeyKind | None = None) -> ssl.SSLContext:
    """Return a context that takes any certificate: it is to be seen, nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    # An old server's certificate is worth seeing, too.
    context.set_ciphers(f"{kind.value if kind else 'DEFAULT'}:@SECLEVEL=0")
    if kind:  # a later protocol's ciphers say nothing of the key
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
