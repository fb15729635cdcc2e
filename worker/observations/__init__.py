"""The probes: one module for each kind of observation, and the table of them all."""

from collections.abc import Mapping

from worker.observations.command import observe_command
from worker.observations.file import observe_file
from worker.observations.glob import observe_glob
from worker.observations.observation import Fields, ObservationError, Probe
from worker.observations.process import observe_process
from worker.observations.tcp import observe_tcp
from worker.observations.x509 import observe_x509

__all__ = ["PROBES", "Fields", "ObservationError", "Probe"]

PROBES: Mapping[str, Probe] = {
    "x509": observe_x509,
    "process": observe_process,
    "file": observe_file,
    "glob": observe_glob,
    "tcp": observe_tcp,
    "command": observe_command,
}
