"""The table of all probes, by the name of their kind."""

from collections.abc import Mapping
from typing import get_type_hints

from worker.observations.certificate_state import observe_certificate_state
from worker.observations.command import observe_command
from worker.observations.file import observe_file
from worker.observations.glob import observe_glob
from worker.observations.http import observe_http
from worker.observations.json import observe_json
from worker.observations.log import observe_log
from worker.observations.observation import CertificateFields, Probe
from worker.observations.process import observe_process
from worker.observations.tcp import observe_tcp
from worker.observations.tls import observe_tls
from worker.observations.unit import observe_unit
from worker.observations.x509 import observe_x509

PROBES: Mapping[str, Probe] = {
    "x509": observe_x509,
    "certificate_state": observe_certificate_state,
    "process": observe_process,
    "file": observe_file,
    "glob": observe_glob,
    "tcp": observe_tcp,
    "tls": observe_tls,
    "http": observe_http,
    "unit": observe_unit,
    "log": observe_log,
    "json": observe_json,
    "command": observe_command,
}

# The kinds from which the fleet also learns about certificates.
TELLS_OF_CERTIFICATES = frozenset(
    kind for kind, probe in PROBES.items() if get_type_hints(probe)["return"] is CertificateFields
)
