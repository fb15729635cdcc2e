"""Where a secret is to be read from: the table of sources, as people and schedules write them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.home import Home
from orchestrator.secret.local import Environment, Files
from orchestrator.secret.provider import Provider, ProviderError, SecretError
from orchestrator.secret.stored import StoredSecrets
from orchestrator.secret.vault import Vault
from orchestrator.store.store import Store

FORMS: Mapping[str, str] = {
    "@": "@FILE",
    "env:": "env:NAME",
    "secret:": "secret:NAME",
    "vault:": "vault:PATH#FIELD",
}
_OUTSIDE: Mapping[str, Provider] = {"@": Files(), "env:": Environment()}


@dataclass(frozen=True, slots=True)
class Source:
    """Which provider has a secret, and where."""

    scheme: str
    place: str

    @property
    def depends_on_directory(self) -> bool:
        """Tell whether it means something else in another current directory."""
        return self.scheme == "@" and not Path(self.place).expanduser().is_absolute()


def parse_source(text: str, schemes: Iterable[str] = FORMS) -> Source:
    """Read a source as people write it. Raises SecretError, which never repeats the text."""
    for scheme in schemes:
        if text.startswith(scheme) and len(text) > len(scheme):
            return Source(scheme, text.removeprefix(scheme))
    # What was typed may be the secret itself.
    forms = " or ".join(FORMS[scheme] for scheme in schemes)
    raise SecretError(f"give a source, not the secret: {forms}")


def providers(home: Home, store: Store) -> dict[str, Provider]:
    """Return who reads which kind of source."""
    inside: dict[str, Provider] = {
        **_OUTSIDE,
        "secret:": StoredSecrets.of(home, store),
    }

    vault = Vault(home.path / "vault.yaml", lambda source: _read(source, inside))
    return {**inside, "vault:": vault}


def read_secrets(sources: Mapping[str, str], known: Mapping[str, Provider]) -> dict[str, str]:
    """Return the secrets by name. Raises SecretError or ProviderError, telling which one."""
    return {name: _read_for(name, source, known) for name, source in sources.items()}


def read_outside(name: str, source: str) -> str:
    """Return a value that is to be stored under a name. Raises SecretError."""
    return _read_for(name, source, _OUTSIDE)


def _read(text: str, known: Mapping[str, Provider]) -> str:
    source = parse_source(text, known)
    return known[source.scheme].read(source.place)


def _read_for(name: str, text: str, known: Mapping[str, Provider]) -> str:
    try:
        return _read(text, known)
    except (SecretError, ProviderError) as error:
        raise type(error)(f"secret {name}: {error}") from None
