"""What a preflight asks of a new certificate: the names that are served, and the chain."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509

from contract.probe import X509, CertificateState
from tests.integration.tls.pair import Authority
from tests.unit.worker.certificate.daemons import in_turn, issue
from tests.unit.worker.observations.servers import serving
from worker.observations.certificate_state import observe_certificate_state
from worker.observations.observation import Fields
from worker.observations.x509 import observe_x509
from worker.root import Root


def seen(directory: Path, served: list[str], file: str | None) -> Fields:
    """Observe a port whose workers serve some names, and a file for another."""
    shown = [issue(name).put(directory / f"{at}") for at, name in enumerate(served)]
    if file:
        issue(file).put(directory / "crt")
    with serving(in_turn(shown)) as port:
        arguments = CertificateState(path="/crt", port=port, server_name="x.example")
        return observe_certificate_state(arguments, Root(directory))


@pytest.mark.parametrize(
    ("served", "file", "lost"),
    [
        (["www.example.com"], "www.example.com", []),
        (["www.example.com"], "*.example.com", []),
        (["*.example.com"], "*.example.com", []),
        (["*.example.com"], "www.example.com", ["*.example.com"]),
        (["example.com"], "*.example.com", ["example.com"]),
        (["a.example.com", "b.example.com"], "b.example.com", ["a.example.com"]),
        (["www.example.com"], None, ["www.example.com"]),
    ],
)
def test_names_that_are_served_and_would_be_lost_are_told(
    tmp_path: Path, served: list[str], file: str | None, lost: list[str]
) -> None:
    assert seen(tmp_path, served, file)["lost_names"] == lost


def test_chain_counts_who_signed_and_nobody_else(tmp_path: Path) -> None:
    authority = Authority()
    pair, other = authority.pair("www.example"), authority.pair("other.example")
    namesake = Authority().certificate  # of the same name, with a key of its own
    chains: dict[tuple[x509.Certificate, ...], int] = {
        (): 1,
        (authority.certificate,): 2,
        (other.leaf,): 1,
        (namesake,): 1,
        (namesake, authority.certificate): 2,
    }
    for chain, length in chains.items():
        (tmp_path / "crt").write_bytes(replace(pair, chain=chain).certificate_pem)
        assert observe_x509(X509("/crt"), Root(tmp_path))["chain_length"] == length
