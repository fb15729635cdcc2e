"""Whether something comes to an end at all: asked of a process that can be killed if not."""

from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

GENEROUS = 30.0  # seconds, for what takes milliseconds


def ends(what: Callable[..., object], *arguments: Any, within: float = GENEROUS) -> bool:
    """Tell whether a call ends, without an error, in a process of its own."""
    process = get_context("spawn").Process(target=what, args=arguments)
    process.start()
    process.join(within)
    is_over = process.exitcode is not None
    process.kill()
    process.join()
    return is_over and process.exitcode == 0
