"""What only the courier is told: courier.yaml, with the broker's URL and its password."""

from dataclasses import dataclass
from pathlib import Path

from contract.broker import BrokerUrlError, check_broker_url
from contract.document import DocumentError, Node, read_document
from contract.reading import Reader
from worker.config import ConfigError, as_yaml
from worker.own_files import check_own

_KEYS = ("broker",)


@dataclass(frozen=True, slots=True)
class CourierConfig:
    """The courier's settings, in a directory that the executor never reads."""

    path: Path  # courier.yaml itself
    broker: str  # the broker's URL

    def to_yaml(self) -> str:
        """Write the settings as courier.yaml."""
        return f"broker: {as_yaml(self.broker)}\n"


def load_courier_config(path: Path) -> CourierConfig:
    """Read courier.yaml. Raises ConfigError with the place of what is wrong."""
    check_own(path)
    try:
        node = read_document(path.read_bytes(), str(path))
        return _config(path, node)
    except OSError as error:
        hint = "; run `denrei-worker init` first" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError(f"can't read {path}: {error.strerror}{hint}") from None
    except DocumentError as error:
        raise ConfigError(str(error)) from None


def _config(path: Path, node: Node) -> CourierConfig:
    reader = Reader()
    fields = reader.mapping(node, _KEYS, _KEYS, "courier.yaml")
    broker = reader.text(fields, "broker")
    if not reader.problems:
        try:
            check_broker_url(broker)
        except BrokerUrlError as error:
            reader.complain(fields["broker"].at, str(error))
    reader.check(str(path))
    return CourierConfig(path, broker)
