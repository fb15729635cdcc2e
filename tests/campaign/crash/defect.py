"""What a process logs as an error must not happen in this campaign: it ends the process."""

import logging
import os
import sys
import traceback
from typing import Any, NoReturn

import structlog


def end_by_defects() -> None:
    """From here on log nothing but errors, and end by the first; in a forked process only."""
    structlog.configure(
        processors=[_end], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR)
    )


def _end(_logger: Any, _method: str, event: Any) -> NoReturn:
    print(event, file=sys.stderr)
    if event.get("exc_info"):
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(1)
