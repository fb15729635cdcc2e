"""How what a step starts is kept together here."""

import os
from enum import StrEnum

from worker.cgroup import make


class ProcessControl(StrEnum):
    """The two ways; a keeper is a subreaper in both."""

    CGROUP = "cgroup"  # each command in a control group of its own
    SUBREAPER = "subreaper"  # what a keeper's death sets free is known by its environment only


def process_control() -> ProcessControl:
    """Try out which way is open to this process, in the control group in which it is now.

    Another process may be in another one: the executor tells its own way in its log.
    """
    group = make(f"denrei-trial:{os.getpid()}")
    if group is None:
        return ProcessControl.SUBREAPER
    try:
        group.take(0)
        group.above.take(0)
    except OSError:
        return ProcessControl.SUBREAPER
    finally:
        group.remove()
    return ProcessControl.CGROUP
