"""The two services of a host: how each is started, and how its end is told."""

import sys
import typing
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from contract.deferred import defer, defer_but
from contract.error import DenreiError, PassingError
from worker.config import Config, load_config
from worker.exit_code import EXIT_CONFIG, EXIT_ERROR, EXIT_INTERRUPTED
from worker.late import Late


class Role(StrEnum):
    """Which of the two."""

    COURIER = "courier"  # the network, no privilege
    EXECUTOR = "executor"  # the privilege, no broker


_RUN: Mapping[str, Callable[[Config], NoReturn]] = Late(
    {Role.COURIER: "worker.courier:run_courier", Role.EXECUTOR: "worker.executor:run_executor"}
)


def run_role(role: Role, path: Path) -> NoReturn:
    """Be one of them until told to stop; an error that a person can act on is told in one line."""
    try:
        config = load_config(path)
        start_log(role, config)
        _RUN[role](config)
    except DenreiError as error:
        tell(error)
        sys.exit(EXIT_ERROR if isinstance(error, PassingError) else EXIT_CONFIG)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def tell(error: DenreiError) -> None:
    """Tell what went wrong on stderr."""
    for line in str(error).split("\n"):
        sys.stderr.write(f"denrei-worker: {line}\n")


def start_log(process: str, config: Config) -> None:
    """Log as a process of this host, which may stay for months: what it never uses is not loaded.

    Of asyncio, `structlog` and `redis` speak for what runs in coroutines; `celery` asks `dateutil`
    about moments at which a task is to run; `structlog` refuses to be pickled; and what `msgspec`
    takes from `typing_extensions` is in `typing` since Python 3.11.
    """
    defer("asyncio", "IncompleteReadError", "Lock", "StreamReader")
    defer("pickle", "PicklingError")
    defer_but("typing_extensions", typing, "NotRequired", "Required", "get_type_hints")
    defer("redis.asyncio")
    defer("dateutil.parser", "isoparse")
    defer("dateutil.tz")
    from contract.log import configure

    configure(process=process, host=config.name)
