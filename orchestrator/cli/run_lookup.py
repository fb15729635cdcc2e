"""Finding the run that a person means: by its id or the beginning of it."""

from contract.error import DenreiError
from orchestrator.store.record import Run
from orchestrator.store.store import Store


class RunLookupError(DenreiError):
    """No run, or more than one, begins like what was given."""


def find_run(store: Store, prefix: str) -> Run:
    """Return the one run whose id begins like this. Raises RunLookupError."""
    found = store.runs.find(prefix.strip().upper()) if prefix.strip() else []
    if not found:
        raise RunLookupError(f"no run begins with {prefix!r}; see: denrei run list")
    if len(found) > 1:
        some = ", ".join(run.run_id for run in found[:3])
        more = ", …" if len(found) > 3 else ""  # noqa: PLR2004 - as many as fit a line
        raise RunLookupError(f"several runs begin with {prefix!r}: {some}{more}; give more of it")
    return found[0]
