"""What a worker is told about itself: worker.yaml, and where its other files are."""

import json
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from contract.document import DocumentError, Node, read_document
from contract.duration import show_duration
from contract.error import DenreiError, PassingError
from contract.names import HostNameError, check_host_name
from contract.reading import Reader
from worker.own_files import check_own

DEFAULT_PATH = Path("/etc/denrei/worker.yaml")
DEFAULT_STATE = Path("/var/lib/denrei")
_KEYS = ("name", "state", "root", "sleep_after")
_SHORTEST_SLEEP, _LONGEST_SLEEP = timedelta(seconds=10), timedelta(days=1)


class ConfigError(DenreiError):
    """The worker's configuration is missing or wrong."""


class UnwritableError(ConfigError, PassingError):
    """A directory may not be written to now; a disk can be read-only for a while."""


@dataclass(frozen=True, slots=True)
class Config:
    """The worker's settings. The other files of a worker lie beside its worker.yaml."""

    path: Path  # worker.yaml itself
    name: str  # this host's name in the inventory
    state: Path  # inbox, outbox, ledger and locks
    root: Path = Path("/")  # put before every path and program of a runbook
    sleep_after: timedelta | None = None  # an executor idle for so long ends; None: it stays

    @property
    def sign_key(self) -> Path:
        """Return where the host's signing key is."""
        return self.path.parent / "keys" / "sign.pem"

    @property
    def seal_key(self) -> Path:
        """Return where the key is that secrets are sealed to."""
        return self.path.parent / "keys" / "seal.pem"

    @property
    def keyring(self) -> Path:
        """Return where the keyring is that this host follows."""
        return self.state / "keyring.json"

    @property
    def admission(self) -> Path:
        """Return where the word is that this host belongs to the fleet."""
        return self.state / "admission.json"

    @property
    def policy(self) -> Path:
        """Return where the host's own policy is."""
        return self.path.parent / "policy.yaml"

    @property
    def courier_config(self) -> Path:
        """Return where the courier's settings are: in a directory that it may enter."""
        return self.path.parent / "courier" / "courier.yaml"

    @property
    def ledger(self) -> Path:
        """Return where the ledger is."""
        return self.state / "ledger.db"

    @property
    def inbox(self) -> Path:
        """Return the directory of letters that came in."""
        return self.state / "inbox"

    @property
    def outbox(self) -> Path:
        """Return the directory of letters that are to go out."""
        return self.state / "outbox"

    @property
    def locks(self) -> Path:
        """Return the directory of lock files."""
        return self.state / "locks"

    @property
    def executor_lock(self) -> Path:
        """Return the file that the one executor holds."""
        return self.locks / "executor"

    @property
    def courier(self) -> Path:
        """Return the courier's own directory: its lock, and its word about itself."""
        return self.state / "courier"

    @property
    def courier_lock(self) -> Path:
        """Return the file that the one courier holds."""
        return self.courier / "lock"

    @property
    def courier_state(self) -> Path:
        """Return where the courier says how it fares."""
        return self.courier / "state.json"

    def to_yaml(self) -> str:
        """Write the settings as worker.yaml."""
        settings = {"name": self.name, "state": str(self.state)}
        if self.root != Path("/"):
            settings["root"] = str(self.root)
        if self.sleep_after is not None:
            settings["sleep_after"] = show_duration(self.sleep_after)
        return "".join(f"{name}: {as_yaml(value)}\n" for name, value in settings.items())


def as_yaml(text: str) -> str:
    """Return the text plain if YAML would read it as itself, else in double quotes."""
    try:
        if read_document(f"x: {text}\n".encode(), "").plain() == {"x": text}:
            return text
    except DocumentError:
        pass
    return json.dumps(text, ensure_ascii=False)


def check_directories(*directories: Path) -> None:
    """See to it that these are there and may be written to.

    Raises ConfigError, or UnwritableError, which may pass.
    """
    for directory in directories:
        if not directory.is_dir():
            raise ConfigError(f"no directory {directory}; run `denrei-worker enrol TOKEN` first")
        if not os.access(directory, os.W_OK):
            message = f"can't write to {directory}; whose is it, is the disk read-only?"
            raise UnwritableError(message)


def config_path(given: str | None) -> Path:
    """Return which worker.yaml to use: the given one, the environment's, or the default."""
    return Path(given or os.environ.get("DENREI_WORKER_CONFIG") or DEFAULT_PATH).absolute()


def load_config(path: Path) -> Config:
    """Read worker.yaml. Raises ConfigError with the place of what is wrong, OwnFileError."""
    check_own(path)
    try:
        node = read_document(path.read_bytes(), str(path))
    except OSError as error:
        hint = (
            "; run `denrei-worker enrol TOKEN` first"
            if isinstance(error, FileNotFoundError)
            else ""
        )
        raise ConfigError(f"can't read {path}: {error.strerror}{hint}") from None
    except DocumentError as error:
        raise ConfigError(str(error)) from None
    return _config(path, node)


def _config(path: Path, node: Node) -> Config:
    reader = Reader()
    fields = reader.mapping(node, _KEYS, ("name",), "worker.yaml")
    config = Config(
        path=path,
        name=reader.text(fields, "name"),
        state=_directory(reader, fields, "state", DEFAULT_STATE),
        root=_directory(reader, fields, "root", Path("/")),
        sleep_after=_sleep_after(reader, fields),
    )
    if not reader.problems:
        _check(reader, fields, config)
    try:
        reader.check(str(path))
    except DocumentError as error:
        raise ConfigError(str(error)) from None
    return config


def _directory(reader: Reader, fields: dict[str, Node], name: str, default: Path) -> Path:
    text = reader.text(fields, name)
    if text and not text.startswith("/"):
        reader.complain(fields[name].at, f"{name} must be an absolute path")
    return Path(text) if text else default


def _sleep_after(reader: Reader, fields: dict[str, Node]) -> timedelta | None:
    if "sleep_after" not in fields:
        return None
    found = reader.duration(fields, "sleep_after", _LONGEST_SLEEP)
    if not _SHORTEST_SLEEP <= found <= _LONGEST_SLEEP:
        reader.complain(fields["sleep_after"].at, "sleep_after is from 10s to 1d")
    return found


def _check(reader: Reader, fields: dict[str, Node], config: Config) -> None:
    try:
        check_host_name(config.name)
    except HostNameError as error:
        reader.complain(fields["name"].at, str(error))
