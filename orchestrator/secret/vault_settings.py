"""How to reach a HashiCorp Vault or OpenBao: the home's `vault.yaml`."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from contract.document import Node, read_document
from contract.reading import Reader
from orchestrator.secret.provider import ProviderError

_KEYS = ("address", "ca", "namespace", "mount", "timeout", "token", "approle")
_APPROLE_KEYS = ("role_id", "secret_id", "mount")
_TIMEOUT, _LONGEST = timedelta(seconds=10), timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class AppRole:
    """A machine's way to log in."""

    role_id: str
    secret_id: str  # a source, such as @/etc/denrei/secret-id
    mount: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSettings:
    """Where the vault is, and how we show who we are; `token` is a source."""

    address: SplitResult
    ca: Path | None
    namespace: str
    mount: str
    timeout: timedelta
    token: str
    approle: AppRole | None


def load_settings(path: Path) -> VaultSettings:
    """Read `vault.yaml`. Raises ProviderError, or DocumentError with the place."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProviderError(
            f"can't read {path}, which says where the vault is: {error.strerror}"
        ) from None
    reader = Reader()
    fields = reader.mapping(read_document(data, str(path)), _KEYS, ("address",), path.name)
    ca = reader.text(fields, "ca")
    settings = VaultSettings(
        address=_address(reader, fields),
        ca=path.parent / Path(ca).expanduser() if ca else None,
        namespace=_plain(reader, fields, "namespace"),
        mount=_plain(reader, fields, "mount").strip("/") or "secret",
        timeout=_timeout(reader, fields),
        token=reader.text(fields, "token"),
        approle=_approle(reader, fields.get("approle")),
    )
    if fields and bool(settings.token) == ("approle" in fields):
        at = fields["address"].at if "address" in fields else next(iter(fields.values())).at
        reader.complain(at, f"{path.name} needs either `token` or `approle`")
    reader.check(str(path))
    return settings


def _address(reader: Reader, fields: dict[str, Node]) -> SplitResult:
    text = reader.text(fields, "address")
    try:
        address = urlsplit(text)
        is_usable = bool(address.hostname) and (address.port is None or address.port > 0)
    except ValueError:
        address, is_usable = urlsplit(""), False
    if "address" not in fields:
        return address
    at = fields["address"].at
    rest = (address.path.strip("/"), address.query, address.fragment, address.username)
    if not is_usable or any(rest) or address.scheme not in ("https", "http"):
        reader.complain(at, "address must be like https://vault.example.com:8200")
    elif address.scheme == "http" and not _is_loopback(address.hostname or ""):
        reader.complain(at, "address must begin with https://: the token would be readable")
    return address


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _plain(reader: Reader, fields: dict[str, Node], name: str) -> str:
    """Return a text that can stand in a header or a path."""
    text = reader.text(fields, name)
    if not (text.isascii() and text.isprintable()):
        reader.complain(fields[name].at, f"{name} may hold only plain ASCII characters")
    return text


def _timeout(reader: Reader, fields: dict[str, Node]) -> timedelta:
    timeout = reader.duration(fields, "timeout", _TIMEOUT)
    if not timedelta() < timeout <= _LONGEST:
        reader.complain(fields["timeout"].at, "timeout must be more than nothing and at most 2m")
    return timeout


def _approle(reader: Reader, node: Node | None) -> AppRole | None:
    if node is None:
        return None
    fields = reader.mapping(node, _APPROLE_KEYS, ("role_id", "secret_id"), "approle")
    return AppRole(
        role_id=reader.text(fields, "role_id"),
        secret_id=reader.text(fields, "secret_id"),
        mount=_plain(reader, fields, "mount").strip("/") or "approle",
    )
