"""Commands that are imported when they are used: `denrei --help` reads a table of words only."""

import importlib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import click


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command is written, and what the list of commands says of it."""

    module: str  # its module; the command itself is called `command` there
    summary: str


class Command(click.Command):
    """A command that takes the options of every command itself: they may stand last too."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its own options, then those that every command has."""
        return [*super().get_params(ctx), *common_options()]


class Group(click.Group):
    """A noun: its verbs are commands of the kind above."""

    command_class = Command


class LazyGroup(click.Group):
    """The program: knows its commands by name and imports only the one that is called."""

    def __init__(self, entries: dict[str, Entry], **attributes: Any) -> None:
        """Keep the table of commands."""
        super().__init__(**attributes)
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the table's order."""
        del ctx
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return it."""
        del ctx
        if cmd_name not in self._entries:
            return None
        module = importlib.import_module(self._entries[cmd_name].module)
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant, or say which one may have been."""
        if args[0] not in self._entries and not ctx.resilient_parsing:
            near = get_close_matches(args[0], self._entries, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            message = f"no such command: {args[0]!r}{hint}"
            raise click.UsageError(message, ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, e.summary) for name, e in self._entries.items()])


def common_options() -> list[click.Parameter]:
    """Return the options that may stand anywhere; each leaves its value with the session."""
    return [
        click.Option(
            ["--home"],
            type=click.Path(file_okay=False),
            expose_value=False,
            callback=_keep,
            help="Denrei's home (else $DENREI_HOME, else ~/.denrei).",
        ),
        click.Option(
            ["--as"],
            metavar="NAME",
            shell_complete=_people,
            expose_value=False,
            callback=_keep,
            help="Whose key signs (else $DENREI_OPERATOR, else as denrei.yaml says).",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            callback=_keep,
            help="Show the traceback of an unexpected error.",
        ),
    ]


def _people(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    from orchestrator.cli.completing import complete_person

    return complete_person(ctx, param, incomplete)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        ctx.find_root().meta[f"denrei.{param.name}"] = value
