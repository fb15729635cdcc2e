"""The action `command`: run a program, with its files there only while it runs."""

import os
from dataclasses import replace

import msgspec

from contract.action import Command, CommandFile
from contract.duration import show_duration
from worker.actions.action import ActionResult, Context, failure
from worker.actions.scrub import scrub, scrub_paths
from worker.keeper import Ending, Spawn, run
from worker.root import Root
from worker.safe_path import find


def run_command(arguments: Command, context: Context) -> ActionResult:
    """Write the files, run the program, and remove the files whatever happened."""
    problems: list[str] = []
    try:
        result = _write_and_run(arguments, context)
    finally:
        problems = scrub(scrub_paths(arguments, context.root))
    if not problems:
        return result
    summary = "; ".join([result.summary, *problems])
    return replace(result, ok=False, summary=summary)


def _write_and_run(arguments: Command, context: Context) -> ActionResult:
    for file in arguments.files:
        try:
            _write(file, context.root)
        except OSError as error:
            return failure("write", context.root.locate(file.path), error)
    spawn = Spawn(
        tuple(arguments.argv),
        context.root,
        timeout=context.timeout,
        grace=context.grace,
        leaves_daemon=arguments.leaves_daemon,
        stdin=arguments.stdin,
        env=arguments.env,
        cwd=arguments.cwd,
        marker=context.marker,
        lock_path=context.lock_path,
        locks=context.locks,
        redactor=context.redactor,
    )
    ending = run(spawn, context.await_readable)
    if arguments.output == "discard":
        said = {"stdout": ending.stdout.discarded(), "stderr": ending.stderr.discarded()}
        ending = msgspec.structs.replace(ending, **said)
    ok = ending.exit_code == 0 and not ending.cut_off
    return ActionResult(ok, _summary(ending, context), ending, timed_out=ending.timed_out)


def _write(file: CommandFile, root: Root) -> None:
    """Put the file at its place at once: under another name, a recovery would not find it.

    Whatever is there goes first, so nobody's link is written through and no open file is shared.
    """
    place = find(root.locate(file.path), follow=False)
    with place, os.fdopen(place.create(), "wb") as out:
        out.write(file.content.encode())
        out.flush()
        os.fchmod(out.fileno(), int(file.mode, 8))


def _summary(ending: Ending, context: Context) -> str:
    if ending.error:
        return f"did not start: {ending.error}"
    parts = [_exit(ending, context)]
    if ending.killed and not (ending.timed_out or ending.cut_off):
        parts.append(f"{ending.killed} left-over processes ended")
    if ending.surviving:
        parts.append(f"{ending.surviving} processes could not be killed")
    if ending.bound:
        parts.append(f"what it left stays in the executor's unit: {ending.bound}")
    return "; ".join(parts)


def _exit(ending: Ending, context: Context) -> str:
    if ending.timed_out:
        return f"timed out after {show_duration(context.timeout)}: {ending.killed} processes ended"
    if ending.cut_off:
        return f"ended because the run was cancelled: {ending.killed} processes ended"
    if ending.signal is not None:
        return f"killed by signal {ending.signal}"
    return f"exit code {ending.exit_code}"
