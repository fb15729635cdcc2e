"""Where the broker's administrator is reached: another address for each kind of broker."""

from urllib.parse import urlsplit

from contract.broker import BrokerUrlError, check_broker_url

_MANAGEMENT = ("http", "https")


def check_admin_url(url: str, broker: str) -> None:
    """See to it that such a URL administers such a broker. Raises BrokerUrlError."""
    if not urlsplit(broker).scheme.startswith("amqp"):
        check_broker_url(url)
        if urlsplit(url).scheme.startswith("amqp"):
            raise BrokerUrlError("broker_admin must be of the same Redis as broker")
        return
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _MANAGEMENT and bool(parts.hostname) and not parts.query
        fits = fits and bool(parts.port) and parts.path in ("", "/")
    except ValueError:
        fits = False
    if not fits:
        example = "https://admin:PASSWORD@broker:15671"
        raise BrokerUrlError(f"broker_admin must be RabbitMQ's management, such as {example}")
