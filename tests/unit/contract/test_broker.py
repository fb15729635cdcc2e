"""Which brokers can be used."""

import subprocess
import sys

import pytest

from contract.broker import BrokerFiles, BrokerUrlError, check_broker_url, connection_url


@pytest.mark.parametrize("url", ["redis://h:6379/0", "rediss://u:p@h/1", "redis+socket:///run/r"])
def test_broker_of_a_known_kind_is_taken(url: str) -> None:
    """The wire rebuilds what comes from a Redis."""
    assert check_broker_url(url) == url


@pytest.mark.parametrize(
    "url", ["", "h:6379", "sentinel://h", "pyamqp://h", "memory://", "redis://["]
)
def test_broker_whose_messages_would_not_be_rebuilt_is_refused(url: str) -> None:
    """Any other transport would hand hostile messages to Celery as they are."""
    with pytest.raises(BrokerUrlError, match="redis://"):
        check_broker_url(url)


@pytest.mark.parametrize(
    ("settings", "url", "told"),
    [
        ({"broker_cert": "/c"}, "rediss://h", "go together"),
        ({"broker_key": "/k"}, "rediss://h", "go together"),
        ({"broker_ca": "ca.pem"}, "rediss://h", "broker_ca must be an absolute path"),
        ({"broker_ca": "/ca"}, "redis://h", "of no use without rediss://"),
    ],
)
def test_files_that_do_not_fit_are_refused(settings: dict[str, str], url: str, told: str) -> None:
    with pytest.raises(BrokerUrlError, match=told):
        BrokerFiles.of(settings, url)


def test_url_that_would_turn_verification_off_is_refused() -> None:
    """Whoever wants no proof of the broker's name uses redis://, and sees that he does."""
    with pytest.raises(BrokerUrlError, match="'\\?'"):
        check_broker_url("rediss://h/0?ssl_cert_reqs=none")


def test_url_with_tls_always_demands_a_proof_of_the_name() -> None:
    words = "ssl_cert_reqs=required&ssl_check_hostname=true"
    assert connection_url("rediss://u:p@h/0") == f"rediss://u:p@h/0?{words}"
    files = BrokerFiles("/ca", "/c", "/k")
    told = f"{words}&ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k"
    assert connection_url("rediss://h/0", files) == f"rediss://h/0?{told}"
    assert connection_url("amqps://u:p@h/v") == "amqps://u:p@h/v?ssl_cert_reqs=required"
    told = "ssl_cert_reqs=required&ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k"
    assert connection_url("amqps://h/v", files) == f"amqps://h/v?{told}"


@pytest.mark.parametrize(
    ("url", "other"),
    [
        ("redis://h/0", "kombu.transport.pyamqp"),
        ("amqp://h/v", "redis"),
    ],
)
def test_client_of_the_other_broker_is_never_loaded(url: str, other: str) -> None:
    """What a host does not use takes no memory there."""
    code = (
        "import sys; from contract.publisher import Publisher; from contract.wire import make_app; "
        f"Publisher({url!r}); make_app('x', {url!r}, 'host.x', 7).connection().transport; "
        f"raise SystemExit({other!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
