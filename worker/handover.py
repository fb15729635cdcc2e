"""Hands the courier's share of a prepared host over to a user of its own.

    path                     owner:group      mode
    the configuration        root:courier     0750   worker.yaml is read by both
      keys/                  root             0700   the executor's alone
      courier/               root:courier     2750   courier.yaml, with the broker's password
    the state                root:courier     0710   the courier passes through
      inbox/, outbox/        root:courier     2770   both write, and both take away
      courier/               courier:courier  0700
      ledger.db, locks/, …   root             0600, 0700

New files in a directory with 2 get its group: so a letter or a courier.yaml that is written anew
can be read by the other side, whoever wrote it.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from contract.error import DenreiError
from worker.config import Config
from worker.mailbox import BELL
from worker.safe_path import find


class HandoverError(DenreiError):
    """Something can't be given to the courier's user."""


@dataclass(frozen=True, slots=True)
class CourierUser:
    """Who the courier is to be."""

    uid: int
    gid: int


def hand_over(config: Config, user: CourierUser) -> None:
    """Give the courier its own, and nothing else. Only root can; nothing of it may be running.

    What a worker that was one user has left in the courier's directories goes: the executor puts
    each report that is not acknowledged out again. Raises HandoverError.
    """
    us = os.geteuid()
    own = config.courier_config
    try:
        for left_over in _left_over(config):
            with suppress(FileNotFoundError, IsADirectoryError):
                left_over.unlink()
        _give(config.path.parent, us, user.gid, 0o750)
        _give(own.parent, us, user.gid, 0o2750)
        _give(own, us, user.gid, 0o640)
        _give(config.state, us, user.gid, 0o710)
        for box in (config.inbox, config.outbox):
            _give(box, us, user.gid, 0o2770)
        _give(config.courier, user.uid, user.gid, 0o700)
    except OSError as error:
        message = f"can't hand {error.filename or config.state} over: {error.strerror}"
        raise HandoverError(message) from None


def _left_over(config: Config) -> Iterator[Path]:
    yield config.inbox / BELL
    for directory in (config.outbox, config.courier):
        yield from list(directory.iterdir())


def _give(path: Path, uid: int, gid: int, mode: int) -> None:
    with find(path, follow=False) as spot:
        descriptor = spot.open(os.O_RDONLY | os.O_NONBLOCK)
    try:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
