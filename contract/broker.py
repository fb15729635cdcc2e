"""Which brokers can be used: those whose messages are rebuilt before Celery sees them."""

from urllib.parse import urlsplit

from contract.error import DenreiError

SCHEMES = ("redis", "rediss", "redis+socket")


class BrokerUrlError(DenreiError):
    """A broker's URL is none, or of a kind that is not supported."""


def check_broker_url(url: str) -> str:
    """Return the URL if such a broker can be used. Raises BrokerUrlError."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme not in SCHEMES:
        raise BrokerUrlError("broker must be a URL such as redis://broker:6379/0 or rediss://…")
    return url
