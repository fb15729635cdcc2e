"""Secrets from HashiCorp Vault or OpenBao by their HTTP API: `vault:PATH#FIELD`.

Read once, for one submission: from version 2 of the KV engine, with a token or as an AppRole, whose
token is revoked at once. Nothing is cached, and no redirect is followed: a token goes to nobody but
the address that was set.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from orchestrator.secret.exchange import Answer, Exchange
from orchestrator.secret.provider import ProviderError, SecretError
from orchestrator.secret.vault_settings import AppRole, VaultSettings, load_settings

_OK, _NO_CONTENT = 200, 204
_REDIRECTS = (301, 302, 303, 307, 308)
_FORBIDDEN, _NOT_FOUND, _SEALED = 403, 404, 503
_MAX_TOLD = 300  # characters of the server's own words


class Vault:
    """Reads secrets from the vault that the home's `vault.yaml` names."""

    def __init__(self, path: Path, read: Callable[[str], str]) -> None:
        """Take settings from `path` when first asked; `read` reads the source of a token."""
        self._path = path
        self._read = read

    def read(self, place: str) -> str:
        """Return a field of a secret. Raises SecretError, ProviderError or DocumentError."""
        path, field = _split(place)
        settings = load_settings(self._path)
        session = _Session(settings)
        if settings.approle is None:
            return session.field(path, field, self._credential("token", settings.token))
        secret_id = self._credential("secret_id", settings.approle.secret_id)
        token = session.log_in(settings.approle, secret_id)
        try:
            return session.field(path, field, token)
        finally:
            session.log_out(token)

    def _credential(self, name: str, source: str) -> str:
        try:
            value = self._read(source).strip()
        except (SecretError, ProviderError) as error:
            raise type(error)(f"{self._path}: {name}: {error}") from None
        if not (value and value.isascii() and value.isprintable()):
            raise SecretError(f"{self._path}: {name}: what was read can't be one")
        return value


class _Session:
    """What is asked of one vault."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings
        self._exchange = Exchange(settings.address, settings.ca, settings.timeout)

    def log_in(self, approle: AppRole, secret_id: str) -> str:
        """Return the token of an AppRole."""
        path = f"auth/{approle.mount}/login"
        body = {"role_id": approle.role_id, "secret_id": secret_id}
        answer = self._ask("POST", path, body=body)
        token = answer.get("auth", "client_token")
        if answer.status != _OK or not isinstance(token, str):
            raise self._failure(answer, f"the AppRole login at {path} failed")
        return token

    def log_out(self, token: str) -> None:
        """Let a token end now; one that can't be revoked ends by itself."""
        with suppress(ProviderError):
            self._ask("POST", "auth/token/revoke-self", token=token)

    def field(self, path: str, field: str, token: str) -> str:
        """Return a field of the newest version of a secret."""
        where = f"{self._settings.mount}/data/{path}"
        answer = self._ask("GET", where, token=token)
        if answer.status == _NOT_FOUND and answer.get("data", "metadata") is not None:
            raise SecretError(f"vault: the newest version of {where} was deleted")
        if answer.status == _NOT_FOUND:
            message = f"vault: there is no secret at {where}; {self._mount_hint}"
            raise SecretError(_with_words(message, answer))
        if answer.status != _OK:
            raise self._failure(answer, f"reading {where} failed")
        fields = answer.get("data", "data")
        if not isinstance(fields, dict):
            raise ProviderError(f"vault: {where} is no secret of KV version 2; {self._mount_hint}")
        if field not in fields:  # the names of the others are not ours to tell
            raise SecretError(f"vault: {where} has no field {field!r}")
        if not isinstance(fields[field], str):
            raise SecretError(f"vault: the field {field!r} of {where} is no text")
        return str(fields[field])

    @property
    def _mount_hint(self) -> str:
        return f"the mount {self._settings.mount!r} is set by `mount` in vault.yaml"

    def _ask(self, method: str, path: str, *, token: str = "", body: Any = None) -> Answer:
        headers = {"X-Vault-Request": "true"}
        if token:
            headers["X-Vault-Token"] = token
        if self._settings.namespace:
            headers["X-Vault-Namespace"] = self._settings.namespace
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = self._exchange.ask(method, f"/v1/{quote(path)}", headers, data)
        except ProviderError as error:
            raise ProviderError(f"vault: {error}") from None
        if answer.status in _REDIRECTS:
            message = f"vault: {self._exchange} sends us elsewhere, which is not followed"
            raise ProviderError(f"{message}; set the address of the active node")
        return answer

    def _failure(self, answer: Answer, what: str) -> ProviderError:
        why = {
            _FORBIDDEN: "the token has expired, or its policy does not allow it",
            _SEALED: "the vault is sealed, or not ready",
        }.get(answer.status, f"{self._exchange} answers {answer.status}")
        return ProviderError(_with_words(f"vault: {what}: {why}", answer))


def _with_words(message: str, answer: Answer) -> str:
    errors = answer.get("errors")
    words = "; ".join(map(str, errors)) if isinstance(errors, list) else ""
    flat = " ".join(words.split())[:_MAX_TOLD]
    return f"{message} ({flat})" if flat else message


def _split(place: str) -> tuple[str, str]:
    """Return path and field of `PATH#FIELD`. Raises SecretError."""
    path, _, field = place.rpartition("#")
    parts = path.split("/")
    if not path or not field or any(part in ("", ".", "..") for part in parts):
        raise SecretError("write vault:PATH#FIELD, such as vault:web/db#password")
    return path, field
