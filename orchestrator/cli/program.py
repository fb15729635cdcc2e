"""The program `denrei`: the table of its commands."""

import click

from orchestrator.cli.exit_code import epilog
from orchestrator.cli.lazy import Entry, LazyGroup, common_options

_HERE = "orchestrator.cli."

COMMANDS = {
    "init": Entry(_HERE + "init", "Make a home: keys, store and configuration."),
    "submit": Entry(_HERE + "submit", "Run a runbook on hosts and follow it."),
    "run": Entry(_HERE + "run", "List, show, watch and cancel runs."),
    "runbook": Entry(_HERE + "runbook", "Check, list and show runbooks."),
    "host": Entry(_HERE + "host", "Add, list, show, remove and ping hosts."),
    "key": Entry(_HERE + "key", "List, add, rotate and revoke the keys that hosts trust."),
    "cert": Entry(_HERE + "cert", "List certificates, and what fails when."),
    "secret": Entry(_HERE + "secret", "Store secrets encrypted."),
    "broker": Entry(_HERE + "broker", "Make and revoke the broker's users, check it."),
    "schedule": Entry(_HERE + "schedule", "List what runs by the clock."),
    "audit": Entry(_HERE + "audit", "Show and verify the signed record."),
    "server": Entry(_HERE + "server", "Start recorder, dispatcher and, if wanted, beat."),
    "demo": Entry(_HERE + "demo", "Show the main job on hosts of its own."),
    "completion": Entry(_HERE + "completion", "Print the shell's completion script."),
    "version": Entry(_HERE + "version", "Print the version."),
}

program = LazyGroup(
    COMMANDS,
    name="denrei",
    help="Make declared states hold on hosts, and prove it.",
    epilog=epilog(),
    params=common_options(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    if value:
        from orchestrator.cli.version import version_line

        click.echo(version_line())
        ctx.exit()


program.params.append(
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_version,
        help="Print the version and stop.",
    )
)
