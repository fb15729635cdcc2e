"""One onboarding, step by step as omsadmin.sh does it (oms-agent.md sections 6 and 7)."""

import base64
import binascii
import os
import shutil
import socket
import sys
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from lab import certificate, client, key_value, message, settings
from lab.exit_code import Onboarding as Code
from lab.places import PRIMARY_CONFIG_LINKS, PRIMARY_STATE_LINKS, UUID, Places, Workspace
from lab.service_control import Service
from lab.settings import Settings

_DAEMON_CONFIG = "#This file is configured by the OMS Agent\n@include omsagent.d/*.conf\n"


@dataclass(frozen=True)
class Request:
    """Which workspace to join, with which key, and how."""

    workspace: str
    key: str
    tld: str = "opinsights.azure.com"
    resource_id: str = ""
    marker: str = ""
    verbose: bool = False


def tell(line: str) -> None:
    """Print at once, since whoever reads may be a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(kind: str, text: str) -> None:
    """Print as upstream's `echo -e` does under dash: with the `-e` in plain sight."""
    tell(f"-e {kind}\t{text}")


class Onboarding:
    """Joins one workspace; `run` gives the exit code."""

    def __init__(self, places: Places, request: Request) -> None:
        self._places = places
        self._asked = request
        self._ours: Workspace = places.workspace(request.workspace)

    def run(self) -> int:
        if not _valid(self._asked):
            say("error", "The Workspace ID or the Shared Key is missing or not valid")
            return Code.BAD_IDENTITY
        told = settings.read(self._places.root)
        if self._nothing_to_do(told):
            return Code.DONE
        told = settings.use_up(self._places.root)
        if told.python != "present":
            say("error", "Python is not found on this machine")
            return Code.NO_PYTHON
        if self._asked.verbose:
            self._reveal()
        self._ours.make_directories()
        return self._join(told)

    def _nothing_to_do(self, told: Settings) -> bool:
        """Believe `is-running`, which calls a workspace that was never onboarded running, too."""
        if Service(self._places, self._asked.workspace).is_running() == 0:
            return False
        name = self._asked.workspace
        say("info", f"Workspace {name} already onboarded and agent is running.")
        if self._ours.identity.exists():
            return True
        return self._places.primary() is not None and not told.allow_second

    def _reveal(self) -> None:
        key = self._asked.key
        say("info", f"Workspace ID: {self._asked.workspace}")
        say("info", f"Shared key: {key[:4]}... ({len(key)} characters)")

    def _join(self, told: Settings) -> int:
        guid = self._guid()
        if not guid:
            say("error", "No GUID could be made: is ruby broken?")
            return Code.NO_GUID
        try:
            pair = self._pair(guid, told.days_left)
        except OSError as error:
            say("error", f"Generating the certificate failed: {error}")
            return Code.NO_CERTIFICATE
        say("info", f"Agent GUID is {guid}")
        code, answer = self._request(guid, pair, told.clock_skew)
        if code:
            self._ours.certificate.unlink(missing_ok=True)
            self._ours.key.unlink(missing_ok=True)
            return code
        say("info", "Onboarding success")
        self._save(guid, answer)
        return self._begin(told)

    def _guid(self) -> str:
        """Keep the identity only if omsadmin.conf and both files of the pair are there."""
        ours = self._ours
        if all(path.exists() for path in (ours.identity, ours.certificate, ours.key)):
            kept = key_value.parse(ours.identity).get("AGENT_GUID", "")
            if kept:
                return kept
        return str(uuid.uuid4()) if self._places.ruby.exists() else ""

    def _pair(self, guid: str, days_left: int) -> certificate.Pair:
        ours = self._ours
        if all(path.exists() for path in (ours.identity, ours.certificate, ours.key)):
            say("info", "Reusing previous agent GUID and certificate")
            return certificate.Pair(ours.key.read_bytes(), ours.certificate.read_bytes())
        say("info", "Generating certificate ...")
        pair = certificate.agent_pair(ours.name, guid, days_left)
        pair.overwrite(ours.key, ours.certificate)
        return pair

    def _request(self, guid: str, pair: certificate.Pair, skew: int) -> tuple[int, bytes]:
        """Ask the service; the key lies in V/<ws>/tmp/shared_key meanwhile, mode 600."""
        asked, root = self._asked, self._places.root
        _write_private(self._ours.shared_key, asked.key)
        host = f"{asked.workspace}.oms.{asked.tld}"
        body = message.topology_request(guid, socket.gethostname(), pair.der)
        key = base64.b64decode(self._ours.shared_key.read_text())
        headers = message.signed_headers(asked.workspace, key, client.date_header(skew), body)
        if asked.verbose:
            say("info", f"> Authorization: {headers[message.AUTHORIZATION]}")
        proxy = self._places.proxy.read_text().strip() if self._places.proxy.exists() else ""
        try:
            url = f"https://{host}{message.TOPOLOGY}"
            answer = client.post(
                client.Route(root, proxy), url, body, client.context(root), headers
            )
        except OSError as error:
            say("error", f"Error during the onboarding request: {error}")
            return _curl(error), b""
        finally:
            self._ours.shared_key.unlink(missing_ok=True)
        return _judge(answer), answer.body

    def _save(self, guid: str, answer: bytes) -> None:
        asked = self._asked
        host = f"{asked.workspace}.oms.{asked.tld}"
        values = {
            "WORKSPACE_ID": asked.workspace,
            "AGENT_GUID": guid,
            "LOG_FACILITY": "local0",
            "CERTIFICATE_UPDATE_ENDPOINT": message.element(answer, "CertificateUpdateEndpoint"),
            "URL_TLD": asked.tld,
            "DSC_ENDPOINT": message.element(answer, "Endpoint"),
            "OMS_ENDPOINT": f"https://{host}{message.UPLOAD}",
            "AZURE_RESOURCE_ID": asked.resource_id,
            "OMSCLOUD_ID": "",
            "UUID": "",
        }
        self._ours.identity.write_text(key_value.render(values))
        if not self._ours.daemon_config.exists():
            self._ours.daemon_config.write_text(_DAEMON_CONFIG)
        if asked.marker:
            (self._ours.config / "conf/.multihoming_marker").write_text(asked.marker)
        elif self._places.primary() is None:
            link_primary(self._places, self._ours)

    def _begin(self, told: Settings) -> int:
        """Configure and start; whether the start worked is ignored, as upstream does."""
        say("info", "Configure syslog...")
        configure_surroundings(self._places, self._ours.name)
        say("info", "Configure heartbeat monitoring agent...")
        say("info", "Configure log rotate for workspace ...")
        service = Service(self._places, self._ours.name)
        tell(f"INFO:  Configuring OMS agent service {self._ours.name} ...")
        service.enable()
        service.start()
        if told.dsc_exit:
            say("error", "The DSC metaconfiguration could not be set")
            return told.dsc_exit
        say("info", "omsconfig is configured successfuly")
        return Code.DONE


def link_primary(places: Places, workspace: Workspace) -> None:
    """Point the default symlinks (E/conf, V/log, ...) to this workspace."""
    links = [(places.config / name, workspace.config / name) for name in PRIMARY_CONFIG_LINKS]
    links += [(places.state / name, workspace.state / name) for name in PRIMARY_STATE_LINKS]
    for link, target in links:
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        link.unlink(missing_ok=True)
        link.symlink_to(target)


def configure_surroundings(places: Places, workspace: str) -> None:
    """Write the workspace's lines for rsyslog and its file for logrotate."""
    rotate = places.root / "etc/logrotate.d" / f"omsagent-{workspace}"
    rsyslog = places.root / "etc/rsyslog.d/95-omsagent.conf"
    for path in (rotate, rsyslog):
        path.parent.mkdir(parents=True, exist_ok=True)
    rotate.write_text(f"{places.workspace(workspace).log} {{ copytruncate\n rotate 10\n }}\n")
    known = rsyslog.read_text() if rsyslog.exists() else ""
    if workspace not in known:
        rsyslog.write_text(f"{known}*.warn @127.0.0.1:25224 # workspace {workspace}\n")


def _valid(asked: Request) -> bool:
    try:
        base64.b64decode(asked.key, validate=True)
    except binascii.Error:
        return False
    return bool(UUID.fullmatch(asked.workspace)) and bool(asked.key)


def _write_private(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        file.write(text)


def _curl(error: OSError) -> Code:
    if isinstance(error, client.ProxyError):
        return Code.PROXY
    return Code.NAME_UNKNOWN if isinstance(error, client.NameUnknownError) else Code.NOT_REACHED


def _judge(answer: client.Answer) -> Code:
    if answer.status == HTTPStatus.OK:
        return Code.DONE
    reason = message.element(answer.body, "Reason")
    say("error", f"Error onboarding. HTTP code {answer.status}, {reason}")
    return Code.FORBIDDEN if answer.status == HTTPStatus.FORBIDDEN else Code.NOT_OK
