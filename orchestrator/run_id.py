"""Run ids: ULIDs (https://github.com/ulid/spec), so that ids sort as the runs were made."""

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32
_LENGTH = 26
_RANDOM_BITS = 80


def new_run_id(now: int) -> str:
    """Return a new id: 48 bits of the moment (ms since 1970), then 80 random bits."""
    return _text((now << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


def least_run_id(now: int) -> str:
    """Return the first id, as ids sort, that a run of this moment can have."""
    return _text(max(now, 0) << _RANDOM_BITS)


def _text(number: int) -> str:
    digits = [_ALPHABET[(number >> (5 * place)) & 31] for place in range(_LENGTH)]
    return "".join(reversed(digits))
