"""How the demo speaks to whoever watches: numbered, quoting real commands and their real output."""

import shlex
import textwrap
import time

import click

from lab.command import Done, Script

WIDTH = 80


class Story:
    """Writes the demo's text to stdout, a stage at a time."""

    def __init__(self) -> None:
        """Begin counting time and stages."""
        self._began = time.monotonic()
        self._stage = 0

    def stage(self, title: str) -> None:
        """Begin a stage."""
        self._stage += 1
        click.echo(f"\n── {self._stage}. {title} ".ljust(WIDTH, "─"))

    def tell(self, *lines: str) -> None:
        """Say something."""
        click.echo("\n".join(lines))

    def show(self, line: str) -> None:
        """Show one line of evidence."""
        click.echo(_fitted(line))

    def command(self, script: Script, *arguments: str) -> Done:
        """Run a command of the product's and show it with what it printed."""
        shown = " ".join([script.name, *(shlex.quote(argument) for argument in arguments)])
        click.echo(_fitted(f"$ {shown}"))
        done = script.run(*arguments)
        for line in (done.out.rstrip() or done.err.rstrip()).split("\n"):
            click.echo(_fitted(line))
        return done

    def mark(self, *, observed: bool) -> None:
        """Say whether the stage's promise was seen to be kept."""
        click.echo("✓ observed" if observed else "✗ NOT OBSERVED")

    def end(self, *, ok: bool) -> None:
        """Say how it all went."""
        seconds = time.monotonic() - self._began
        verdict = "every stage was observed" if ok else "NOT every stage was observed"
        click.echo(f"\n{verdict}; {seconds:.0f} seconds; nothing is left running")

    def fail(self, error: Exception) -> None:
        """Say why the demo can't go on."""
        click.echo(f"denrei: the demo can't go on: {error}", err=True)

    def data(self, line: str) -> None:
        """Print the one line for machines."""
        click.echo(line)


def _fitted(line: str) -> str:
    """Wrap a line that is too long for the page, further in than it began."""
    indent = line[: len(line) - len(line.lstrip())] + "    "
    wrapped = textwrap.wrap(line, WIDTH, subsequent_indent=indent, break_on_hyphens=False)
    return "\n".join(wrapped) or line
