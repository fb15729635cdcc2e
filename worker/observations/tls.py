"""The observation `tls`: the certificate that a server shows, whoever signed it."""

import ssl

from cryptography import x509

from contract.duration import parse_duration
from contract.observation import Tls
from worker.observations.certificate import DAMAGED, describe
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
            return {"served": True, "open": True, "error": "", **_shown(arguments, connection)}
    except UnreachableError as error:
        return {"served": False, "open": True, "error": str(error)}


def _shown(arguments: Tls, connection: Connection) -> Fields:
    address = connection.address
    if arguments.starttls:
        ask_for_tls(arguments.starttls, connection)
    secured = connection.secure(any_certificate(), arguments.server_name or address.host)
    data = secured.getpeercert(binary_form=True)
    if not data:
        raise UnreachableError(f"{address}: showed no certificate")
    return {**_fields(data, address), "protocol": secured.version() or ""}


def _fields(data: bytes, address: Address) -> Fields:
    try:
        return describe(x509.load_der_x509_certificate(data))
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
