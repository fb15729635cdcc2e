"""`./dev campaign`: runs the campaigns one after another and ends with one JSON line of counts."""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping

from tests.campaign.boot.campaign import boot
from tests.campaign.campaign import Campaign, Scale, Tally
from tests.campaign.crash.campaign import crash
from tests.campaign.faults.campaign import faults
from tests.campaign.hostile.campaign import hostile
from tests.campaign.model.campaign import try_model
from tests.campaign.mutant.campaign import mutants
from tests.campaign.power.campaign import lose_power
from tests.campaign.race.campaign import race

CAMPAIGNS: Mapping[str, Campaign] = {
    "crash": crash,
    "power": lose_power,
    "model": try_model,
    "faults": faults,
    "hostile": hostile,
    "race": race,
    "boot": boot,
    "mutants": mutants,
}


def main() -> int:
    """Run what is asked for; return 1 if a promise was broken."""
    asked = _parse()
    counts: Counter[str] = Counter()
    violations: list[str] = []
    for name in asked.only or CAMPAIGNS:
        tally = _run(name, Scale.QUICK if asked.quick else Scale.FULL, asked.seed)
        counts.update(tally.counts)
        violations += tally.violations
    for violation in violations:
        print(f"VIOLATION {violation}", file=sys.stderr)
    print(json.dumps({**counts, "violations": len(violations)}))
    return 1 if violations else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev campaign", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="all of them within ten minutes")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other attempts")
    parser.add_argument("--only", action="append", choices=sorted(CAMPAIGNS), metavar="NAME")
    return parser.parse_args()


def _run(name: str, scale: Scale, seed: int) -> Tally:
    begun = time.monotonic()
    tally = CAMPAIGNS[name](scale, seed)
    told = ", ".join(f"{count} {what}" for what, count in tally.counts.items())
    took = time.monotonic() - begun
    print(f"{name}: {told}, {len(tally.violations)} violations ({took:.0f} s)", file=sys.stderr)
    return tally


if __name__ == "__main__":
    sys.exit(main())
