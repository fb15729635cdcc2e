"""What an executor does first: clear up what a killed one left behind."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import msgspec
import structlog

from contract.action import ACTIONS as KINDS
from contract.arguments import fill
from contract.error import PassingError
from contract.runbook import Runbook, Step
from contract.template import TemplateError
from worker.actions.scrub import scrub, scrub_paths
from worker.gate import Gate
from worker.host_run import HostRun
from worker.items import Item
from worker.keeper import await_keeper
from worker.keeper_state import KeeperState, group_of
from worker.ledger import Entry
from worker.lock import step_lock
from worker.place import Place
from worker.process_tree import release, sweep
from worker.tools import Tools
from worker.verdict import Refused

KEEPER_PATIENCE = timedelta(seconds=30)  # TERM, grace and KILL take a keeper no longer

_log = structlog.get_logger(__name__)


class RecoveryError(PassingError):
    """Something that a killed executor started can't be ended; nothing new may begin."""


def recover(gate: Gate, tools: Tools) -> None:
    """Remove secrets from disk, then end what still runs of every interrupted run.

    Can itself be interrupted and done again. Raises RecoveryError.
    """
    interrupted = [e for e in tools.ledger.open_orders() if e.started_at is not None]
    for entry in interrupted:
        _remove_files(entry, gate, tools)
    for entry in interrupted:
        state = await_keeper(step_lock(tools.locks, entry.run_id), KEEPER_PATIENCE)
        if state is KeeperState.BUSY:
            message = "a command of an earlier executor does not end; nothing new may begin"
            raise RecoveryError(message)
        _end_processes(entry, gate, tools, state)
        _remove_files(entry, gate, tools)  # the command may have written them in between
        tools.ledger.interrupted(entry.run_id)
        _log.warning("run_interrupted", run=entry.run_id)


def _remove_files(entry: Entry, gate: Gate, tools: Tools) -> None:
    for place, step, run, item in _cut_off(entry, gate, tools):
        action = step.do
        if action is None:
            continue
        with contextlib.suppress(TemplateError, msgspec.ValidationError):
            arguments = fill(KINDS[action.kind].arguments, action.arguments, run.texts(item))
            for problem in scrub(scrub_paths(arguments, tools.root)):
                _log.error("scrub_failed", run=place.run_id, problem=problem)
            _log.info("scrubbed", run=place.run_id, step=step.name)


def _end_processes(entry: Entry, gate: Gate, tools: Tools, state: KeeperState) -> None:
    for place, step, _run, _item in _cut_off(entry, gate, tools):
        arguments = step.do.arguments if step.do else {}
        begun = tools.ledger.step(place)
        marker = place.marker(begun.attempts if begun else 0)
        group = group_of(step_lock(tools.locks, place.run_id))
        # A keeper that finished has left alone what was meant to stay, and ended the rest.
        if state is KeeperState.EXITED and arguments.get("leaves_daemon"):
            if group:
                release(group)
        elif state in (KeeperState.EXITED, KeeperState.KILLED):
            sweep(marker, group)
        elif group:  # nobody is in it: its executor was killed before it could remove it
            group.remove()


def _cut_off(
    entry: Entry, gate: Gate, tools: Tools
) -> Iterator[tuple[Place, Step, HostRun, Item | None]]:
    """Yield the steps that were begun and never done."""
    try:
        accepted = gate.reopen(entry.letter)
    except Refused as refused:  # it will be told when the run is to go on
        _log.error("run_unreadable", run=entry.run_id, reason=refused.detail)
        return
    run = HostRun(accepted, entry, tools)
    for at, item in enumerate(run.kept_items()):
        for place, step in _places(accepted.runbook, Place(entry.run_id, at, 0)):
            begun = tools.ledger.step(place)
            if begun and begun.report is None:
                yield place, step, run, item


def _places(runbook: Runbook, first: Place) -> Iterator[tuple[Place, Step]]:
    for index, step in enumerate(runbook.steps):
        for rescue, each in enumerate((step, *step.rescue)):
            yield replace(first, step=index, rescue=rescue), each
