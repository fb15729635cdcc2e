"""One trial: orders are submitted, a fault strikes at a random moment and is healed, all ends."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from orchestrator.audit import verify_all
from orchestrator.store.database import StoreError
from orchestrator.submission import DEFAULT_EXPIRY
from tests.campaign.faults.fault import Blow, Fault
from tests.campaign.faults.fleet import FaultFleet
from tests.campaign.faults.ground import Ground
from tests.campaign.faults.laws import Order, judge

SETTLED_WITHIN_S = 150.0
_LOOK_S = 0.1


@dataclass(slots=True)
class Trial:
    """One fault and some orders; the same dice make the same plan."""

    fleet: FaultFleet
    ground: Ground
    fault: Fault
    random: Random
    orders: list[Order] = field(default_factory=list)
    expiries: dict[str, float] = field(default_factory=dict)
    struck_for_s: float = 0.0

    def run(self) -> list[str]:
        """Do as planned, wait until all is at its end, and return the laws that are broken."""
        logs = {name: self._log_size(name) for name in self.ground.views}
        for at, act in sorted(self._plan(), key=lambda planned: planned[0]):
            time.sleep(max(at - time.monotonic(), 0))
            act()
        if waiting := self._await_settled():
            return [f"not at its end after {SETTLED_WITHIN_S:g} s: {'; '.join(waiting)}"]
        return [*self._judge(), *self._audit(), *self._broken(logs)]

    def _plan(self) -> list[tuple[float, Callable[[], None]]]:
        begin, dice = time.monotonic(), self.random
        plan = [(begin + dice.uniform(0, 1), self._submission()) for _ in range(dice.randint(1, 3))]
        struck, lasts = begin + dice.uniform(0, 1.2), dice.uniform(0.2, 3)
        heals: list[Callable[[], None]] = []

        def strike() -> None:
            heals.append(self.fault.strike(Blow(self.fleet, dice)))

        def heal() -> None:
            heals.pop()()
            self.struck_for_s = time.monotonic() - struck

        after = (struck + lasts + 0.01, self._submission())  # the next order must be served
        return [*plan, (struck, strike), (struck + lasts, heal), after]

    def _submission(self) -> Callable[[], None]:
        dice, names = self.random, list(self.ground.views)
        hosts = dice.sample(names, dice.randint(1, len(names)))
        policy, pause = dice.choice(("rerun", "unknown")), dice.choice((0, 0.1, 0.4, 1))
        is_brief = dice.random() < 0.2  # one order in five
        expires_in = timedelta(seconds=dice.randint(2, 5)) if is_brief else DEFAULT_EXPIRY

        def act() -> None:
            expiry = time.time() + expires_in.total_seconds()
            try:
                run_id = self.ground.submit(policy, hosts, pause, expires_in)
            except StoreError as error:  # who was frozen in a transaction holds the store
                print(f"  not submitted: {error}", file=sys.stderr)
                return
            self.expiries[run_id] = expiry
            self.orders += [Order(run_id, host, policy == "rerun") for host in hosts]

        return act

    def _await_settled(self) -> list[str]:
        until = time.monotonic() + SETTLED_WITHIN_S
        while (waiting := self.ground.unsettled(self.orders)) and time.monotonic() < until:
            time.sleep(_LOOK_S)
        return waiting

    def _judge(self) -> Iterator[str]:
        for order in self.orders:
            told = self.ground.store.runs.host_run(order.run_id, order.host)
            latest = self.expiries[order.run_id] + self.struck_for_s + 2
            if told is None:
                yield f"{order.run_id} on {order.host} is lost"
            else:
                yield from judge(order, told, self.ground.views[order.host], latest)

    def _audit(self) -> Iterator[str]:
        for finding in verify_all(self.ground.store).findings:
            yield f"the audit finds {finding}"

    def _broken(self, offsets: dict[str, int]) -> Iterator[str]:
        for name, view in self.ground.views.items():
            yield from view.broken(offsets[name])

    def _log_size(self, name: str) -> int:
        return (self.fleet.hosts[name].directory / "worker.log").stat().st_size
