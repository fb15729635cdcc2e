"""What was found about how a broker is set up, and what is to be done."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from contract.broker import user_in
from orchestrator.broker.user import SERVER

_PLAIN_TO_TLS = {"redis": "rediss", "amqp": "amqps", "http": "https"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. Without a remedy it is as it should be."""

    subject: str
    found: str
    remedy: str = ""


def identity(broker: str) -> Finding:
    """Tell as whom the orchestrator comes to the broker."""
    name, parts = user_in(broker) or "default", urlsplit(broker)
    remedy = (
        f"it may do more than it needs: broker: {parts.scheme}://{SERVER}:PASSWORD@…, and apply"
    )
    return Finding("server's user", name, "" if name == SERVER else remedy)


def transport(subject: str, url: str) -> Finding:
    """Tell whether what goes over a URL can be read on the way."""
    parts = urlsplit(url)
    secure = _PLAIN_TO_TLS.get(parts.scheme)
    if parts.scheme in _PLAIN_TO_TLS.values():
        return Finding(subject, "TLS")
    if secure is None or parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        return Finding(subject, "without TLS, on this machine")
    return Finding(subject, "without TLS", f"passwords travel in the clear: use {secure}://")
