"""Hostile letters by the million: every bit and every cut of genuine ones, and forged structures.

The oracle: a door believes nothing but the very bytes that were signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random

from tests.attack.judges import Door, doors
from tests.attack.mutation import Workshop, cuts, edited, flips

_WORKERS = 2
_FORGED = 0.6  # of the random ones; the others are edited at the level of bytes


@dataclass(frozen=True, slots=True)
class Assault:
    """What one process tried, and what was believed though nobody had signed it."""

    tried: int
    believed: tuple[str, ...]


def assault(count: int, seed: int) -> Assault:
    """Try at least so many letters, in two processes. The same seed makes the same letters."""
    shares = [(at, -(-count // _WORKERS), seed * 1000 + at) for at in range(_WORKERS)]
    with get_context("spawn").Pool(_WORKERS) as pool:
        parts = pool.starmap(_share, shares)
    believed = tuple(told for part in parts for told in part.believed)
    return Assault(sum(part.tried for part in parts), believed)


def _share(at: int, count: int, seed: int) -> Assault:
    chance, tried = Random(seed), 0
    believed: list[str] = []
    every = doors()
    for door in every:
        _check_genuine(door)
    for door, hostile in _letters(every, at, count, chance):
        tried += 1
        if door.believes(hostile) and hostile not in door.genuine:
            believed.append(f"seed {seed}, letter {tried}, {door.name}: {hostile.hex()}")
    return Assault(tried, tuple(believed))


def _check_genuine(door: Door) -> None:
    """See to it that what is attacked would let the genuine ones in: else nothing is proved."""
    for blob in door.genuine:
        if not door.believes(blob):
            raise AssertionError(f"the {door.name} refuses a genuine letter: {blob!r}")


def _letters(
    every: tuple[Door, ...], at: int, count: int, chance: Random
) -> Iterator[tuple[Door, bytes]]:
    """Yield this share's bits and cuts, as many as fit, then random ones up to the count."""
    left = count
    for door in every:
        for number, blob in enumerate(door.genuine):
            if number % _WORKERS != at:
                continue
            for hostile in (*flips(blob), *cuts(blob)):
                if left <= count // 4:  # the rest is for structures
                    break
                left -= 1
                yield door, hostile
    workshops = [Workshop(door.genuine, chance) for door in every]
    for number in range(left):
        chosen = number % len(every)
        door = every[chosen]
        is_forged = chance.random() < _FORGED
        base = chance.choice(door.genuine)
        yield door, workshops[chosen].forge() if is_forged else edited(base, chance)
