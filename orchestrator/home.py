"""The orchestrator's home: a directory with its settings, keys, store and schedules."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from contract.broker import NO_FILES, TLS_KEYS, BrokerFiles, check_broker_url, connection_url
from contract.document import DocumentError, Node, Problem, read_document
from contract.duration import DurationError, parse_duration
from contract.error import DenreiError
from contract.reading import Reader
from contract.whole_file import write_whole
from orchestrator.broker.admin_url import check_admin_url
from orchestrator.library import Library
from orchestrator.store.store import Store

if TYPE_CHECKING:
    from contract.key import Passphrase, Signer, SigningKey
    from orchestrator.key_file import NewKeys

ENVIRONMENT = "DENREI_HOME"
DEFAULT_HOME = Path.home() / ".denrei"
BEAT, RECORDER, REGISTRAR = SERVICES = ("beat", "recorder", "registrar")
DEFAULT_BROKER = "redis://127.0.0.1:6379/0"
DEFAULT_PERIOD_MS = 60_000  # how often each host is asked whether it is there

OPERATOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

_CONFIG = "denrei.yaml"
_REQUIRED = ("broker", "store", "operator", "roots")
_KEYS = (*_REQUIRED, "presence", "broker_admin", "host_broker", *TLS_KEYS)
_SHORTEST, _LONGEST = timedelta(seconds=2), timedelta(hours=1)


class HomeError(DenreiError):
    """The home is missing, incomplete, or there already."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the orchestrator keeps what is its own."""

    path: Path
    broker: str
    store_url: str
    operator: str
    roots: str = ""  # the fingerprint of the roots that founded the fleet
    presence_ms: int = DEFAULT_PERIOD_MS
    broker_admin: str = ""  # the broker's URL as the user that makes the others, if Denrei may
    broker_files: BrokerFiles = NO_FILES
    host_broker: str = ""  # where hosts reach the broker, if not where we do

    @classmethod
    def create(
        cls,
        path: Path,
        broker: str,
        operator: str,
        store_url: str = "",
        keys: "NewKeys | None" = None,
    ) -> Self:
        """Found a fleet: make a home with new keys and an empty store.

        The settings are written last: a home that was begun and not finished can be made again.
        Raises HomeError if there is one already, StoreError, KeyFileError.
        """
        from orchestrator.homestead import settle

        path = path.absolute()
        home = cls(path, broker, store_url or f"sqlite:///{path / 'store.db'}", operator)
        return home._made(settle, keys)

    @classmethod
    def join(cls, path: Path, broker: str, operator: str, store_url: str, keys: "NewKeys") -> Self:
        """Make the home of one more person of a fleet, whose store it shares.

        It gets the person's key and no other. Raises as `create`, and StoreError if nobody has
        founded a fleet in that store.
        """
        from orchestrator.homestead import move_in

        home = cls(path.absolute(), broker, store_url, operator)
        return home._made(move_in, keys)

    @classmethod
    def open(cls, path: Path, operator: str = "") -> Self:
        """Read a home's settings, but let another operator sign if one is named.

        Raises HomeError, or DocumentError with the place.
        """
        path = path.absolute()
        file = path / _CONFIG
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            raise HomeError(f"no home at {path}; run `denrei init` first") from None
        except OSError as error:
            raise HomeError(f"can't read {file}: {error.strerror}") from None
        fields = _fields(read_document(data, str(file)), str(file))
        presence_ms = _presence_ms(fields.get("presence"), file)
        home = cls(
            path,
            fields["broker"],
            fields["store"],
            operator or fields["operator"],
            fields["roots"],
            presence_ms,
            fields.get("broker_admin", ""),
            BrokerFiles.of(fields, fields["broker"]),
            fields.get("host_broker", ""),
        )
        home._check()
        return home

    @property
    def wire(self) -> str:
        """Return the broker's URL as connections take it, files of TLS included."""
        return connection_url(self.broker, self.broker_files)

    @property
    def admin_wire(self) -> str:
        """Return the same for the user that makes the others."""
        return connection_url(self.broker_admin, self.broker_files)

    @property
    def broker_for_hosts(self) -> str:
        """Return the broker's URL as hosts are told it."""
        return self.host_broker or self.broker

    @property
    def runbooks(self) -> Path:
        """Return the directory of the home's own runbooks."""
        return self.path / "runbooks"

    @property
    def schedules(self) -> Path:
        """Return the file of schedules."""
        return self.path / "schedules.yaml"

    def operator_key(self, passphrase: "Passphrase | None" = None) -> "Signer":
        """Return the key that signs orders, cancels and pings. Raises KeyFileError."""
        from orchestrator.key_file import open_signer, present

        place = self.person_key(self.operator)
        return open_signer(present(place) or place, passphrase)

    def recorder_key(self) -> "SigningKey":
        """Return the key that signs acknowledgements. Raises KeyFileError."""
        return self._load(RECORDER)

    def beat_key(self) -> "SigningKey":
        """Return the key that signs the orders of schedules. Raises KeyFileError."""
        return self._load(BEAT)

    def registrar_key(self) -> "SigningKey":
        """Return the key that signs admissions. Raises KeyFileError."""
        return self._load(REGISTRAR)

    @property
    def keyring_draft(self) -> Path:
        """Return where the next keyring waits while signatures of roots are missing."""
        return self.path / "keyring-draft.json"

    @property
    def root_key(self) -> Path:
        """Return where the key is that signs keyrings; it may be kept elsewhere."""
        return self.path / "keys" / "root.pem"

    def person_key(self, name: str) -> Path:
        """Return where a person's key is."""
        return self.path / "keys" / "person" / f"{name}.pem"

    def key_place(self, name: str) -> Path:
        """Return where the key of a person, a service or, by the name `root`, the root is."""
        if name == "root":
            return self.root_key
        return self.service_key(name) if name in SERVICES else self.person_key(name)

    @property
    def service_keys(self) -> tuple[Path, ...]:
        """Return where the keys of the orchestrator's services are."""
        return tuple(self.service_key(name) for name in SERVICES)

    def service_key(self, name: str) -> Path:
        """Return where the key of one of the orchestrator's services is."""
        return self.path / "keys" / "service" / f"{name}.pem"

    def open_store(self) -> Store:
        """Open the store. Raises StoreError."""
        return Store.open(self.store_url)

    def library(self, folder: Path | None = None) -> Library:
        """Return where runbooks are looked for: the given folder, the home, the shipped ones."""
        return Library(folder, self.runbooks)

    @property
    def _config(self) -> Path:
        return self.path / _CONFIG

    def _load(self, service: str) -> "SigningKey":
        from contract.key import SigningKey

        return SigningKey.load(self.service_key(service))

    def _check(self) -> None:
        check_broker_url(self.broker)
        if self.host_broker:
            check_broker_url(self.host_broker)
        if self.broker_admin:
            check_admin_url(self.broker_admin, self.broker)
        if not OPERATOR.fullmatch(self.operator) or self.operator in SERVICES:
            message = (
                f"{self.operator!r} can't be the operator's name: use letters, digits, '.', '-', "
                f"'_' and '@', at most 64, and none of {', '.join(SERVICES)}"
            )
            raise HomeError(message)

    def _made(self, make: Callable[["Home", "NewKeys"], str], keys: "NewKeys | None") -> Self:
        from orchestrator.key_file import PLAIN_KEYS

        self._check()
        if self._config.exists():
            raise HomeError(f"there is a home at {self.path} already; nothing was changed")
        try:
            roots = make(self, keys or PLAIN_KEYS)
            self._write_config(roots)
        except OSError as error:
            raise HomeError(f"can't write to {self.path}: {error.strerror}") from None
        return replace(self, roots=roots)

    def _write_config(self, roots: str) -> None:
        settings = {
            "broker": self.broker,
            "store": self.store_url,
            "operator": self.operator,
            "roots": roots,
        }
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]
        # The URLs may hold passwords.
        write_whole(self._config, "".join(lines).encode())


def _fields(node: Node, file: str) -> dict[str, str]:
    reader = Reader()
    fields = reader.mapping(node, _KEYS, _REQUIRED, _CONFIG)
    texts = {name: reader.text(fields, name) for name in fields}
    problems: list[Problem] = reader.problems
    if problems:
        raise DocumentError(file, problems)
    return texts


def _presence_ms(text: str | None, file: Path) -> int:
    if text is None:
        return DEFAULT_PERIOD_MS
    try:
        period = parse_duration(text)
    except DurationError as error:
        raise HomeError(f"{file}: presence: {error}") from None
    if not _SHORTEST <= period <= _LONGEST:
        raise HomeError(f"{file}: presence: {text} is not between 2s and 1h")
    return round(period.total_seconds() * 1000)
