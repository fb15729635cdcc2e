"""Plain `KEY=value` files: parsed by whoever is careful, sourced by the scripts that are not."""

import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path


class SourcingFailedError(Exception):
    """The shell could not source the file."""


def parse(path: Path) -> dict[str, str]:
    """Read the file without running anything in it; a missing file has no values."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and line[:1] != "#")
    return {key.strip(): value.strip() for key, _, value in pairs}


def render(values: Mapping[str, str]) -> str:
    """Give the text of a `KEY=value` file."""
    return "".join(f"{key}={value}\n" for key, value in values.items())


def source(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Run the file in a shell, as the real scripts do, and read the named variables back.

    That executes whatever stands in the file: oms-agent.md sections 2 and 6 name it as a danger.
    """
    script = '. "$0" >&2; for n in "$@"; do eval "printf \'%s\\0\' \\"\\$$n\\""; done'
    asked = list(names)
    done = subprocess.run(
        ["/bin/sh", "-c", script, str(path), *asked],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        check=False,
    )
    if done.returncode != 0:
        raise SourcingFailedError(f"{path}: the shell gave exit code {done.returncode}")
    values = done.stdout.decode(errors="replace").split("\0")
    return dict(zip(asked, values, strict=False))
