"""The actions: one module for each kind, and the table of them all."""

from collections.abc import Mapping

from worker.actions.action import ActionFunction, ActionResult, Context
from worker.actions.command import run_command
from worker.actions.file_copy import copy_files
from worker.actions.file_remove import remove_file
from worker.actions.file_write import write_file
from worker.actions.scrub import scrub, scrub_paths
from worker.actions.signal import send_signal
from worker.actions.unit import control_unit
from worker.actions.wait import wait

__all__ = ["ACTIONS", "ActionFunction", "ActionResult", "Context", "scrub", "scrub_paths"]

ACTIONS: Mapping[str, ActionFunction] = {
    "command": run_command,
    "file.write": write_file,
    "file.copy": copy_files,
    "file.remove": remove_file,
    "unit": control_unit,
    "signal": send_signal,
    "wait": wait,
}
