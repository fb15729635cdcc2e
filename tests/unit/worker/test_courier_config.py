"""courier.yaml: what only the courier is told, and what is said when that is wrong."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.document import read_document
from worker.config import ConfigError
from worker.courier_config import CourierConfig, load_courier_config

LEAST = "broker: redis://broker:6379/0\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{}", ":1:1: courier.yaml needs 'broker'"),
        ("broker: localhost", ":1:9: broker must be a URL such as redis://"),
        ("broker: ''", ":1:9: broker must be a URL"),
        ("broker: 'redis://['", ":1:9: broker must be a URL"),
        ("brokr: x", "courier.yaml has no 'brokr'; did you mean 'broker'?"),
        ("broker: [x", "courier.yaml:1:"),
        (LEAST + "broker_ca: /ca.pem", ":2:12: broker_ca and broker_cert are of no use without"),
        (LEAST + "broker_key: /k", ":2:13: broker_cert and broker_key go together"),
        (LEAST + "broker_ca: [x]", ":2:12: broker_ca must be text"),
        (LEAST + "keepalive: soon", ":2:12: keepalive: "),
        (LEAST + "keepalive: 11m", ":2:12: keepalive is from 1s to 10m"),
        (LEAST + "keepalive: 0s", ":2:12: keepalive is from 1s to 10m"),
    ],
)
def test_courier_config_that_is_wrong_is_refused_at_its_place(
    text: str, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "courier.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_courier_config(path)
    assert complaint in str(caught.value)


def test_courier_config_that_is_missing_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file.*; run `denrei-worker enrol TOKEN` first"):
        load_courier_config(tmp_path / "courier.yaml")


@given(st.text(alphabet="ab/ :#'\"é-{[&*!%@`", max_size=12))
def test_courier_config_written_and_read_again_is_the_same(password: str) -> None:
    config = CourierConfig(Path("/c.yaml"), f"redis://:{password}@broker:6379/0")
    read = read_document(config.to_yaml().encode(), "c.yaml").plain()
    assert read == {"broker": config.broker}


def test_courier_config_keeps_the_files_of_tls(tmp_path: Path) -> None:
    """They come back from what it writes, and reach the courier's connection."""
    path = tmp_path / "courier.yaml"
    path.write_text("broker: rediss://h/0\nbroker_ca: /ca\nbroker_cert: /c\nbroker_key: /k\n")
    config = load_courier_config(path)
    assert config.to_yaml() == path.read_text()
    assert config.wire.endswith("&ssl_ca_certs=/ca&ssl_certfile=/c&ssl_keyfile=/k")


def test_courier_config_keeps_how_often_the_courier_speaks(tmp_path: Path) -> None:
    """Redis is asked twice in a period, and never more than once a second."""
    path = tmp_path / "courier.yaml"
    path.write_text(LEAST + "keepalive: 1m\n")
    config = load_courier_config(path)
    assert (config.keepalive, config.poll_s) == (timedelta(minutes=1), 30)
    assert config.to_yaml() == path.read_text()
    assert replace(config, keepalive=timedelta(seconds=1)).poll_s == 1
