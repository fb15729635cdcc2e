"""Which brokers can be used."""

import pytest

from contract.broker import BrokerUrlError, check_broker_url


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h/1", "redis+socket:///run/r"])
def test_broker_of_a_known_kind_is_taken(url: str) -> None:
    """The wire rebuilds what comes from a Redis."""
    assert check_broker_url(url) == url


@pytest.mark.parametrize(
    "url", ["", "h:6379", "sentinel://h", "amqp://h", "memory://", "redis://["]
)
def test_broker_whose_messages_would_not_be_rebuilt_is_refused(url: str) -> None:
    """Any other transport would hand hostile messages to Celery as they are."""
    with pytest.raises(BrokerUrlError, match="redis://"):
        check_broker_url(url)
