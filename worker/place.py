"""Where a step stands: how the ledger and a recovery find it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Which step of which pass of which run."""

    run_id: str
    item: int
    step: int
    rescue: int = 0  # 0: the step itself; n: the n-th step of its rescue

    def marker(self, attempt: int) -> str:
        """Return what every process of one attempt at this step carries in its environment."""
        return f"{self.run_id}:{self.item}:{self.step}:{self.rescue}:{attempt}"

    @property
    def key(self) -> tuple[str, int, int, int]:
        """Return what names it in the ledger."""
        return self.run_id, self.item, self.step, self.rescue
