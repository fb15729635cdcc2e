"""What a broker says when it ends a TLS connection: clients that write first lose its last word."""

import socket
import ssl
from urllib.parse import parse_qs, urlsplit

from contract.broker import TLS_SCHEMES, explain

_PATIENCE_S = 3.0
_PORTS = {"rediss": 6379, "amqps": 5671}
_CUT = (
    "EOF occurred",
    "Connection reset",
    "Broken pipe",
    "Connection closed by server",
    "unexpectedly closed",
)


def why(error: BaseException, url: str) -> str:
    """Return what a client's error means; ask the broker again if the error alone does not tell.

    In TLS 1.3 a client learns only by reading that its certificate was refused.
    """
    is_cut = any(sign in str(error) for sign in _CUT)
    if not is_cut or urlsplit(url).scheme not in TLS_SCHEMES:
        return explain(error)
    try:
        _listen(url)
    except OSError as alert:
        return explain(alert)
    return explain(error)


def _listen(url: str) -> None:
    """Shake hands and read. Raises SSLError with the alert, or another OSError."""
    parts, words = urlsplit(url), parse_qs(urlsplit(url).query)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context(cafile=words.get("ssl_ca_certs", [None])[0])
    if "ssl_certfile" in words:
        context.load_cert_chain(words["ssl_certfile"][0], words["ssl_keyfile"][0])
    with (
        socket.create_connection((host, parts.port or _PORTS[parts.scheme]), _PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        secured.recv(1)
