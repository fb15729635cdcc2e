"""The table of all actions, by the name of their kind."""

from collections.abc import Mapping

from worker.actions.action import ActionFunction
from worker.late import Late

ACTIONS: Mapping[str, ActionFunction] = Late(
    {
        "command": "worker.actions.command:run_command",
        "file.write": "worker.actions.file_write:write_file",
        "file.copy": "worker.actions.file_copy:copy_files",
        "file.remove": "worker.actions.file_remove:remove_file",
        "unit": "worker.actions.unit:control_unit",
        "signal": "worker.actions.signal:send_signal",
        "wait": "worker.actions.wait:wait",
    }
)
