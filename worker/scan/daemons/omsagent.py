"""The OMS agent: a certificate, a process and a pid file for each workspace."""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from contract.parameter import UUID
from worker.scan.daemons.daemon import Configured, Daemon
from worker.scan.files import Files
from worker.scan.owner import Owner

_WORKSPACES = "/etc/opt/microsoft/omsagent/*"
_STATE = "/var/opt/microsoft/omsagent"


def _read(files: Files, _running: Sequence[Owner]) -> Iterator[Configured]:
    for path in files.expand(_WORKSPACES):
        name = PurePosixPath(path).name
        certificate = f"{path}/certs/oms.crt"
        onboarded = f"{path}/conf/omsadmin.conf"
        if UUID.fullmatch(name) and (files.exists(onboarded) or files.exists(certificate)):
            yield Configured(
                certificate,
                f"{path}/certs/oms.key",
                onboarded,
                service=f"omsagent-{name}",
                pid_file=f"{_STATE}/{name}/run/omsagent.pid",
            )


OMSAGENT = Daemon("omsagent", frozenset(), _read, made_here=True)
