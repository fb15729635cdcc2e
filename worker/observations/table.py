"""The table of all probes, by the name of their kind."""

from collections.abc import Mapping

from worker.late import Late
from worker.observations.observation import Probe

PROBES: Mapping[str, Probe] = Late(
    {
        "x509": "worker.observations.x509:observe_x509",
        "certificate_state": "worker.observations.certificate_state:observe_certificate_state",
        "certificates": "worker.observations.certificates:observe_certificates",
        "process": "worker.observations.process:observe_process",
        "file": "worker.observations.file:observe_file",
        "glob": "worker.observations.glob:observe_glob",
        "tcp": "worker.observations.tcp:observe_tcp",
        "tls": "worker.observations.tls:observe_tls",
        "http": "worker.observations.http:observe_http",
        "unit": "worker.observations.unit:observe_unit",
        "log": "worker.observations.log:observe_log",
        "json": "worker.observations.json:observe_json",
        "command": "worker.observations.command:observe_command",
    }
)

# The kinds that look only at the fields that they are asked for: their probes take these as well.
SPARING = frozenset({"file"})

# The kinds from which the fleet also learns about certificates.
TELLS_OF_CERTIFICATES = frozenset({"certificate_state", "certificates"})
