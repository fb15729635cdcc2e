"""The cloud: who is let in, and with which certificate."""

import ssl
from pathlib import Path
from subprocess import CompletedProcess, run

import pytest

from lab import client, message, process, renewal
from lab.certificate import agent_pair
from lab.cloud import Cloud
from lab.host import LabHost
from tests.integration.lab.conftest import Site
from tests.waiting import eventually


def _upload(site: Site, tls: ssl.SSLContext, workspace: str = "") -> client.Answer:
    url = f"https://{workspace or site.id}.oms.{site.host.cloud.tld}{message.UPLOAD}"
    return client.post(client.Route(site.host.root), url, b"{}", tls, {})


def _own(site: Site) -> ssl.SSLContext:
    return client.context(site.host.root, site.files.certificate, site.files.key)


def test_current_certificate_is_taken(joined: Site) -> None:
    assert _upload(joined, _own(joined)).status == 200


def test_replaced_certificate_gets_a_real_403(joined: Site) -> None:
    """Over TLS that authenticated it: an HTTP answer, not a broken handshake."""
    old = _own(joined)
    renewal.renew(joined.host.root, joined.id)
    assert _upload(joined, old).status == 403
    assert _upload(joined, _own(joined)).status == 200


def test_certificate_of_another_workspace_gets_403(joined: Site) -> None:
    other = joined.host.cloud.workspace()
    joined.host.make_resolvable(other.id)
    assert _upload(joined, _own(joined), other.id).status == 403


def test_no_certificate_gets_403(joined: Site) -> None:
    assert _upload(joined, client.context(joined.host.root)).status == 403


def test_certificate_never_registered_fails_the_handshake(joined: Site, tmp_path: Path) -> None:
    """The same names in it do not help."""
    pair = agent_pair(joined.id, "00000000-0000-0000-0000-000000000000")
    key, certificate = tmp_path / "x.key", tmp_path / "x.crt"
    pair.overwrite(key, certificate)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _upload(joined, client.context(joined.host.root, certificate, key))


def test_registered_certificate_without_its_key_is_worth_nothing(
    joined: Site, tmp_path: Path
) -> None:
    """TLS proves possession: with another key the pair can't even be loaded."""
    key = tmp_path / "x.key"
    agent_pair(joined.id, "guid").overwrite(key, tmp_path / "x.crt")
    with pytest.raises(ssl.SSLError):
        client.context(joined.host.root, joined.files.certificate, key)


def test_cloud_proves_its_own_name(joined: Site) -> None:
    """A client that trusts other authorities, or expects another name, does not go on."""
    with pytest.raises(ssl.SSLError):
        _upload(joined, ssl.create_default_context())
    joined.host.make_resolvable("a.b")
    with pytest.raises(ssl.SSLError):
        _upload(joined, client.context(joined.host.root), "a.b")


def test_authority_passes_openssls_strict_rules(joined: Site) -> None:
    """Newer Pythons check so by default."""
    strict = _own(joined)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    assert _upload(joined, strict).status == 200


def test_cloud_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The same port, authority and registered agents; meanwhile connections are refused."""
    with Cloud(tmp_path / "cloud") as cloud:
        workspace, port = cloud.workspace(), cloud.port
        host = LabHost(tmp_path / "web1", "web1", cloud, pace=0.1)
        host.onboard(workspace.id, workspace.key)
        eventually(lambda: host.upload_status() == 200)
        cloud.stop()
        eventually(lambda: "Unexpected exception" in host.places.upload_status.read_text())
        assert host.upload_status() is None
        cloud.start()
        assert cloud.port == port
        eventually(lambda: host.upload_status() == 200)
        host.stop()


def test_request_log_holds_no_key(joined: Site) -> None:
    joined.wait_for_upload(200)
    cloud = joined.host.cloud
    last = cloud.last_upload(joined.id)
    assert last is not None
    assert last.status == 200
    assert joined.key not in (cloud.directory / "requests.jsonl").read_text()


def test_certificate_is_what_openssl_expects(joined: Site) -> None:
    """RSA-2048, SHA-256, and the key belongs to it."""

    def openssl(*arguments: str) -> str:
        done: CompletedProcess[str] = run(
            ["openssl", *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    shown = openssl("x509", "-noout", "-text", "-in", str(joined.files.certificate))
    assert "(2048 bit)" in shown
    assert "sha256WithRSAEncryption" in shown
    from_key = openssl("pkey", "-pubout", "-in", str(joined.files.key))
    assert openssl("x509", "-noout", "-pubkey", "-in", str(joined.files.certificate)) == from_key


def test_daemon_is_small(joined: Site) -> None:
    """It imports neither cryptography nor anything else outside of the standard library."""
    joined.wait_for_upload(200)
    maps = Path(f"/proc/{joined.host.pid()}/maps").read_text()
    assert "cryptography" not in maps
    assert process.alive(joined.host.pid() or 0)
