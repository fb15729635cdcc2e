"""The observation `tls`: the certificate that a server shows, whoever signed it."""

import ssl

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


def shake_hands(arguments: Tls, connection: Connection) -> tuple[Certificate, str]:
    """Return the certificate shown, and the protocol. Raises UnreachableError."""
    address = connection.address
    if arguments.starttls:
        ask_for_tls(arguments.starttls, connection)
    secured = connection.secure(any_certificate(), arguments.server_name or address.host)
    data = secured.getpeercert(binary_form=True)
    if not data:
        raise UnreachableError(f"{address}: showed no certificate")
    return _read(data, address), secured.version() or ""


def _read(data: bytes, address: Address) -> Certificate:
    try:
        return read_der(data)
    except DAMAGED as error:
        raise ObservationError(f"{address} shows no readable certificate: {error}") from None


def any_certificate() -> ssl.SSLContext:
    """Return a context that takes any certificate: it is to be seen, nothing is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # an old server's certificate is worth seeing, too
    return context
