"""RabbitMQ's management, asked over HTTP."""

import http.client
import json
import ssl
from base64 import b64encode
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from contract.broker import BrokerError, BrokerFiles, explain

_PATIENCE_S = 20.0
_REFUSALS = {
    401: "it does not know this user and password",
    403: "this user may not administer it: rabbitmqctl set_user_tags NAME administrator",
}


class RabbitApi:
    """Asks one RabbitMQ, as the user in the URL."""

    def __init__(self, url: str, files: BrokerFiles) -> None:
        """Ask later; with https:// it must prove its name."""
        self._parts = urlsplit(url)
        self._files = files

    def get(self, *path: str) -> Any:
        """Return what stands under a path. Raises BrokerError."""
        return self._ask("GET", path)

    def post(self, *path: str, content: Any) -> None:
        """Have something taken in. Raises BrokerError."""
        self._ask("POST", path, json.dumps(content))

    def delete(self, *path: str) -> None:
        """Delete something, if it is there. Raises BrokerError."""
        self._ask("DELETE", path, gone=(http.client.NOT_FOUND,))

    def _ask(
        self, verb: str, path: tuple[str, ...], content: str = "", gone: tuple[int, ...] = ()
    ) -> Any:
        place = "/".join(("/api", *(quote(part, safe="") for part in path)))
        try:
            connection = self._connection()
            try:
                connection.request(verb, place, content or None, self._headers())
                answer = connection.getresponse()
                told = answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(explain(error)) from None
        if answer.status in gone:
            return None
        if answer.status >= http.client.BAD_REQUEST:
            reason = _REFUSALS.get(answer.status) or told.decode(errors="replace")[:500]
            raise self._failure(f"{verb} {place}: {answer.status} {reason}")
        return json.loads(told) if told else None

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)
        context = ssl.create_default_context(cafile=self._files.ca or None)
        if self._files.cert:
            context.load_cert_chain(self._files.cert, self._files.key)
        return http.client.HTTPSConnection(host, port, timeout=_PATIENCE_S, context=context)

    def _headers(self) -> dict[str, str]:
        access = f"{unquote(self._parts.username or '')}:{unquote(self._parts.password or '')}"
        basic = b64encode(access.encode()).decode()
        return {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}

    def _failure(self, why: str) -> BrokerError:
        address = self._parts.netloc.rpartition("@")[2]
        user = f"{self._parts.username}:**@" if self._parts.username else ""
        return BrokerError(f"broker_admin {self._parts.scheme}://{user}{address}: {why}")
