"""Where a step stands: how the ledger and a recovery find it again."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Which step of which pass of which run."""

    run_id: str
    item: int
    step: int
    rescue: int = 0  # 0: the step itself; n: the n-th step of its rescue

    @property
    def marker(self) -> str:
        """Return what every process of this step carries in its environment."""
        own = f"{self.run_id}:{self.item}:{self.step}"
        return f"{own}:{self.rescue}" if self.rescue else own

    @property
    def key(self) -> tuple[str, int, int, int]:
        """Return what names it in the ledger."""
        return self.run_id, self.item, self.step, self.rescue
