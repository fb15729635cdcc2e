"""From a look at a certificate on a host to the fleet's list: signed, stored, asked for."""

import json
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from contract.instant import show_instant
from lab.fleet import FleetHost
from tests.end_to_end.desk import Desk
from tests.unit.worker.observations.certificates import certificate, key_pem, pem
from tests.unit.worker.observations.servers import in_tls, serving

RUNBOOK = """\
name: site
summary: Look at the site's certificate.
observe:
  site: {certificate_state: {path: /etc/ssl/site.pem, port: PORT, server_name: a.example}}
steps:
  - name: the site shows the certificate of its file
    ensure: site.fresh
"""
OURS = 'host == "web1" && path == "/etc/ssl/site.pem"'  # other tests look at other certificates


def stale(desk: Desk) -> list[Mapping[str, Any]]:
    """Ask for what the issue asks for."""
    condition = f'verdict == "stale_in_memory" && {OURS}'
    said = desk.denrei.must(
        "cert", "list", "--where", condition, "--sort", "outage_at", "-o", "json"
    )
    return list(json.loads(said.out)["certificates"])


def look(desk: Desk, folder: Path, port: int) -> int:
    path = folder / "site.yaml"
    path.write_text(RUNBOOK.replace("PORT", str(port)))
    return desk.submit(str(path), "--host", "web1").code


def test_stale_certificate_of_a_host_is_in_the_list_until_it_is_reloaded(
    desk: Desk, web1: FleetHost, tmp_path: Path
) -> None:
    """The file was renewed and the server still shows the old one: the fleet's list says so."""
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=60)
    file, in_use = web1.directory / "root" / "etc" / "ssl" / "site.pem", tmp_path / "in-use.pem"
    file.parent.mkdir(parents=True, exist_ok=True)
    write_pair(in_use, ends)
    write_pair(file, ends + timedelta(days=300))

    def serve(connection: socket.socket) -> None:
        in_tls(context_of(in_use))(connection)

    with serving(serve) as port:
        assert look(desk, tmp_path, port) == 3
        (found,) = stale(desk)
        chart = desk.denrei.must("cert", "timeline", "--where", f"outage_at > now && {OURS}").out
        in_use.write_bytes(file.read_bytes())
        assert look(desk, tmp_path, port) == 0
        assert stale(desk) == []
    assert (found["host"], found["path"]) == ("web1", "/etc/ssl/site.pem")
    assert found["endpoint"] == f"127.0.0.1:{port}"
    assert (found["outage_at"], found["confirmed"]) == (show_instant(ends), True)
    assert found["not_after"] == show_instant(ends + timedelta(days=300))
    assert "0 failing now, 1 to fail" in chart
    told = json.loads(desk.denrei.must("cert", "list", "--where", OURS, "-o", "json").out)
    (after,) = told["certificates"]
    assert (after["verdict"], after["outage_at"]) == ("fresh", found["not_after"])


def write_pair(path: Path, not_after: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(pem(certificate(key, not_after=not_after)) + key_pem(key))


def context_of(path: Path) -> ssl.SSLContext:
    """Return the TLS of a server that uses what a file holds now."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
