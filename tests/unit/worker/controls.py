"""Being where a keeper may make control groups, and where it may not: the kernel itself refuses."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.waiting import eventually
from worker.cgroup import Cgroup, home
from worker.process_control import ProcessControl, process_control
from worker.standby import STANDBY


def keepers_groups() -> list[str]:
    """Return the keepers' groups below our own."""
    here = home()
    return [path.name for path in here.path.glob("denrei-*-*")] if here else []


@contextmanager
def controlled(control: ProcessControl) -> Iterator[None]:
    """Be in a group of our own below which groups may be made, or none may.

    No keeper stands by at its beginning, and none at its end.
    """
    STANDBY.dismiss()
    with _controlled(control):
        yield
        STANDBY.dismiss()


@contextmanager
def _controlled(control: ProcessControl) -> Iterator[None]:
    here = home()
    if here is None or not os.access(here.path, os.W_OK):
        if control is ProcessControl.CGROUP:
            pytest.skip("not tried here: needs root, or a delegated group, on a writable cgroup2")
        assert process_control() is control
        yield
        return
    own = here.make(f"denrei-test:{os.getpid()}")
    if control is ProcessControl.SUBREAPER:
        (own.path / "cgroup.max.descendants").write_text("0")
    own.take(0)
    try:
        assert process_control() is control
        yield
    finally:
        here.take(0)
        _clear(own)


def _clear(own: Cgroup) -> None:
    own.kill()  # what a test left
    eventually(lambda: not own.is_populated, what="nothing of the test lives")
    own.remove()
