"""One OpenBao for all tests of the vault."""

from collections.abc import Iterator

import pytest

from tests.integration.vault.bao import Bao

READING = 'path "secret/data/web/*" { capabilities = ["read"] }'


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """A real server with one secret, a policy to read it, and an AppRole."""
    with Bao(tmp_path_factory.mktemp("bao")) as server:
        server.put("web/db", password="hunter2 & hunter3", number=5, empty="")
        server.put("other/db", password="not for web")
        server.policy("web", READING)
        server.ask("POST", "sys/auth/approle", {"type": "approle"})
        role = {"token_policies": ["web"], "token_no_default_policy": False}
        server.ask("POST", "auth/approle/role/denrei", role)
        yield server
