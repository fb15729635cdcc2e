"""The agent's own renewal of its certificate, at a time that the lab chooses.

oms-agent.md section 1: a new RSA-2048 pair valid 365 days overwrites oms.key and oms.crt in place;
the cloud is told, authenticated with the OLD certificate; one topology request with the NEW one
follows; on any failure the old pair is written back (mtime new, notBefore old). The daemon goes on
with what it has in memory: that is the incident.
"""

import datetime as dt
import socket
import ssl
import subprocess
import time
from http import HTTPStatus
from pathlib import Path

from cryptography import x509

from lab import client, key_value, message, process, settings
from lab.agent import write_log
from lab.certificate import Pair, agent_pair
from lab.places import Places, Workspace
from lab.upload import route

_REPAIRED = (1, 16, 0)  # the first release that is known to restart itself
_SLACK = 2.1
"""Seconds that the daemon must be older than notBefore to count as stale (2 s and a tick)."""


class RenewalError(Exception):
    """The cloud did not take the new certificate; the old pair is back."""


def renew(root: Path, workspace: str) -> dt.datetime:
    """Renew in place without restarting the daemon; give the new notBefore."""
    places = Places(root)
    ours = places.workspace(workspace)
    old = Pair(ours.key.read_bytes(), ours.certificate.read_bytes())
    old_tls = client.context(root, ours.certificate, ours.key)
    values = key_value.parse(ours.identity)
    write_log(ours.log, "[info]: Renewing the certificates")
    write_log(ours.log, "[info]: Generating certificate ...")
    new = agent_pair(workspace, values["AGENT_GUID"])
    new.overwrite(ours.key, ours.certificate)
    try:
        _tell(places, ours, new, old_tls)
    except (OSError, RenewalError) as error:
        old.overwrite(ours.key, ours.certificate)
        write_log(ours.log, "[error]: Error renewing the certificate. Restoring old certs.")
        raise RenewalError(f"the certificate of {workspace} was not renewed: {error}") from error
    _finish(places, ours)
    return x509.load_pem_x509_certificate(new.certificate).not_valid_before_utc


def main(root: str, argv: list[str]) -> int:
    """Renew one workspace's certificate, as its daemon was asked to."""
    try:
        renew(Path(root), argv[0])
    except RenewalError:
        return 1
    return 0


def _finish(places: Places, ours: Workspace) -> None:
    """End as the release does: a repaired one restarts all agents, where sudo lets it."""
    done = "[info]: Certificates successfully renewed"
    if _release(places) < _REPAIRED:
        write_log(ours.log, done)
        return
    write_log(ours.log, f"{done}. Heartbeat with renewed certificate succeeded.")
    write_log(ours.log, "[info]: Restart omsagent service to apply renewed certificate.")
    if places.sudo_rule.exists():
        command, nothing = [str(places.control), "restart"], subprocess.DEVNULL
        subprocess.Popen(
            command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True
        )


def _release(places: Places) -> tuple[int, ...]:
    words = places.install_info.read_text().split()
    return tuple(int(number) for number in words[0].partition("-")[0].split("."))


def wait_until_stale(root: Path, workspace: str, within: float = 10.0) -> None:
    """Wait until a renewal of this second would leave the running daemon stale.

    A certificate's notBefore has whole seconds, so the current second's beginning counts.
    """
    pid = process.read_pid(Places(root).workspace(workspace).pid_file)
    started = process.started_at(pid) if pid else None
    if started is None:
        raise RenewalError(f"no daemon of {workspace} runs under {root}")
    deadline = time.monotonic() + within
    while int(time.time()) - started < _SLACK:
        if time.monotonic() > deadline:
            raise RenewalError(f"the daemon of {workspace} is too young after {within} s")
        time.sleep(0.02)


def _tell(places: Places, ours: Workspace, new: Pair, old_tls: ssl.SSLContext) -> None:
    values = key_value.parse(ours.identity)
    headers = {message.DATE: client.date_header(settings.read(places.root).clock_skew)}
    way = route(places)
    endpoint = values["CERTIFICATE_UPDATE_ENDPOINT"]
    answer = client.post(way, endpoint, message.renewal_request(new.der), old_tls, headers)
    if answer.status != HTTPStatus.OK:
        raise RenewalError(f"the cloud answered {answer.status}")
    tls = client.context(places.root, ours.certificate, ours.key)
    body = message.topology_request(values["AGENT_GUID"], socket.gethostname())
    url = f"https://{ours.name}.oms.{values['URL_TLD']}{message.TOPOLOGY}"
    answer = client.post(way, url, body, tls, headers)
    if answer.status != HTTPStatus.OK:
        raise RenewalError(f"the cloud answered {answer.status} to the new certificate")
