"""`denrei completion`: the script that teaches a shell to complete commands, hosts and runs."""

import click
from click.shell_completion import get_completion_class

from orchestrator.cli.lazy import Command

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=Command)
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: echo 'eval "$(denrei completion bash)"' >> ~/.bashrc
    zsh:  echo 'eval "$(denrei completion zsh)"' >> ~/.zshrc
    fish: denrei completion fish > ~/.config/fish/completions/denrei.fish
    """  # noqa: D301 - click takes this backspace for "as it is"
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    script = kind(ctx.find_root().command, {}, "denrei", "_DENREI_COMPLETE")
    click.echo(script.source())
