"""`./dev attack`: hostile letters, named attacks and public vectors; ends with one JSON line."""

import argparse
import json
import sys
import time

from tests.attack.envelopes import assault
from tests.attack.named import attempt
from tests.attack.vectors import broken_vectors

QUICK, FULL = 100_000, 1_000_000  # hostile letters


def main() -> int:
    """Try everything; return 1 if anything was believed that should not have been."""
    asked = _parse()
    begun = time.monotonic()
    letters = assault(QUICK if asked.quick else FULL, asked.seed)
    _say(f"{letters.tried} hostile letters, {len(letters.believed)} believed", begun)
    vectors, broken = broken_vectors()
    _say(f"{vectors} vectors, {len(broken)} do not hold", begun)
    named = attempt()
    told = f"{named.tried} named attacks, {len(named.succeeded)} succeeded"
    _say(f"{told}, {named.left_out} can't be tried here", begun)
    for violation in (*letters.believed, *broken, *named.succeeded):
        print(f"VIOLATION {violation[:3000]}", file=sys.stderr)
    print(
        json.dumps(
            {
                "hostile_envelopes": letters.tried,
                "named_attacks": named.tried,
                "accepted": len(letters.believed) + len(named.succeeded),
                "secrets_found": named.secrets_found,
                "vectors": vectors - len(broken),
            }
        )
    )
    return 1 if letters.believed or broken or named.succeeded else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev attack", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="within three minutes")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other letters")
    return parser.parse_args()


def _say(text: str, begun: float) -> None:
    print(f"{text} ({time.monotonic() - begun:.0f} s)", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
