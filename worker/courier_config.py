"""What only the courier is told: courier.yaml, with the broker's URL and its password."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from contract.broker import (
    NO_FILES,
    TLS_KEYS,
    BrokerFiles,
    BrokerUrlError,
    check_broker_url,
    connection_url,
)
from contract.document import DocumentError, Node, read_document
from contract.duration import show_duration
from contract.reading import Reader
from worker.config import ConfigError, as_yaml
from worker.own_files import check_own

DEFAULT_KEEPALIVE = timedelta(seconds=15)

_KEYS = ("broker", "keepalive", *TLS_KEYS)
_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class CourierConfig:
    """The courier's settings, in a directory that the executor never reads."""

    path: Path  # courier.yaml itself
    broker: str  # the broker's URL
    broker_files: BrokerFiles = NO_FILES
    keepalive: timedelta = DEFAULT_KEEPALIVE  # how often the courier sends itself a word

    @property
    def poll_s(self) -> int:
        """Return for how many seconds Redis is asked to wait for a letter, each time."""
        return max(int(self.keepalive.total_seconds()) // 2, 1)

    @property
    def wire(self) -> str:
        """Return the broker's URL as connections take it, files of TLS included."""
        return connection_url(self.broker, self.broker_files)

    def to_yaml(self) -> str:
        """Write the settings as courier.yaml."""
        files = (self.broker_files.ca, self.broker_files.cert, self.broker_files.key)
        named = {name: path for name, path in zip(TLS_KEYS, files, strict=True) if path}
        settings = {"broker": self.broker, **named}
        if self.keepalive != DEFAULT_KEEPALIVE:
            settings["keepalive"] = show_duration(self.keepalive)
        return "".join(f"{name}: {as_yaml(value)}\n" for name, value in settings.items())


def load_courier_config(path: Path) -> CourierConfig:
    """Read courier.yaml. Raises ConfigError with the place of what is wrong."""
    check_own(path)
    try:
        node = read_document(path.read_bytes(), str(path))
        return _config(path, node)
    except OSError as error:
        hint = (
            "; run `denrei-worker enrol TOKEN` first"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        raise ConfigError(f"can't read {path}: {error.strerror}{hint}") from None
    except DocumentError as error:
        raise ConfigError(str(error)) from None


def _config(path: Path, node: Node) -> CourierConfig:
    reader = Reader()
    fields = reader.mapping(node, _KEYS, ("broker",), "courier.yaml")
    broker = reader.text(fields, "broker")
    files = _files(reader, fields, broker)
    if not reader.problems:
        try:
            check_broker_url(broker)
        except BrokerUrlError as error:
            reader.complain(fields["broker"].at, str(error))
    keepalive = reader.duration(fields, "keepalive", DEFAULT_KEEPALIVE)
    if not _SHORTEST <= keepalive <= _LONGEST:
        reader.complain(fields["keepalive"].at, "keepalive is from 1s to 10m")
    reader.check(str(path))
    return CourierConfig(path, broker, files, keepalive)


def _files(reader: Reader, fields: dict[str, Node], broker: str) -> BrokerFiles:
    texts = {name: reader.text(fields, name) for name in TLS_KEYS}
    try:
        return BrokerFiles.of(texts, broker)
    except BrokerUrlError as error:
        first = next(name for name in TLS_KEYS if name in fields)
        reader.complain(fields[first].at, str(error))
        return NO_FILES
