"""One question and one answer over HTTPS, bounded in time and size, whoever answers."""

import http.client
import json
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Timer
from typing import Any
from urllib.parse import SplitResult

from orchestrator.secret.provider import ProviderError

_MAX_BYTES = 1024 * 1024
_PORT = 8200  # of a vault, if the address names none


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, and a JSON document or nothing."""

    status: int
    document: Any

    def get(self, *names: str) -> Any:
        """Return a member by its path, or None if any of it is missing."""
        found = self.document
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found


class Exchange:
    """Asks one server, a connection for each question."""

    def __init__(self, address: SplitResult, ca: Path | None, timeout: timedelta) -> None:
        """Trust the system's authorities, or those in the file `ca` and no others."""
        self._address = address
        self._ca = ca
        self._timeout = timeout.total_seconds()

    def __str__(self) -> str:
        return f"{self._address.scheme}://{self._address.netloc}"

    def ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> Answer:
        """Return the answer to one question. Raises ProviderError."""
        connection = self._connection()
        # The time-out of a socket begins anew with every byte; this one does not.
        late = Event()
        timer = Timer(self._timeout, _cut, [connection, late])
        timer.start()
        try:
            with closing(connection):
                connection.request(method, path, body, headers)
                response = connection.getresponse()
                data = response.read(_MAX_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._failure(error, is_late=late.is_set()) from None
        finally:
            timer.cancel()
        if late.is_set():
            raise self._failure(TimeoutError(), is_late=True)
        return Answer(response.status, self._document(data))

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port or _PORT
        if self._address.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        try:
            context = ssl.create_default_context(cafile=self._ca)
        except (OSError, ssl.SSLError) as error:
            raise ProviderError(f"can't use the CA file {self._ca}: {error}") from None
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=context)

    def _document(self, data: bytes) -> Any:
        if len(data) > _MAX_BYTES:
            raise ProviderError(f"{self} answers with more than {_MAX_BYTES // 1024} KiB")
        try:
            return json.loads(data) if data.strip() else None
        except (ValueError, RecursionError):
            raise ProviderError(f"{self} does not answer in JSON, so it is no vault") from None

    def _failure(self, error: Exception, *, is_late: bool) -> ProviderError:
        if is_late or isinstance(error, TimeoutError):
            return ProviderError(f"no answer from {self} within {self._timeout:g} s")
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = "`ca` in vault.yaml names the authority to trust"
            return ProviderError(f"{self} is not trusted: {error.verify_message}; {hint}")
        if isinstance(error, OSError):
            return ProviderError(f"can't reach {self}: {error.strerror or error}")
        return ProviderError(f"{self} does not speak HTTP as a vault does")


def _cut(connection: http.client.HTTPConnection, late: Event) -> None:
    late.set()
    with suppress(OSError, AttributeError):  # it may not be there yet, or not any more
        connection.sock.shutdown(socket.SHUT_RDWR)
