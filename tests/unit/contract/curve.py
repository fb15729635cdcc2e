"""Just enough of Curve25519's arithmetic to work out by oneself which keys are weak."""

from functools import cache

FIELD = 2**255 - 19
GROUP = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, FIELD) % FIELD  # RFC 8032, section 5.1
_ROOT = pow(2, (FIELD - 1) // 4, FIELD)  # a square root of -1

Point = tuple[int, int]


def _add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    product = _D * x1 * x2 * y1 * y2 % FIELD
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, FIELD)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, FIELD)
    return x % FIELD, y % FIELD


def _times(count: int, point: Point) -> Point:
    result = (0, 1)
    while count:
        if count & 1:
            result = _add(result, point)
        point, count = _add(point, point), count >> 1
    return result


def _at(y: int) -> Point | None:
    """Return a point with this y, if there is one."""
    square = (y * y - 1) * pow(_D * y * y + 1, -1, FIELD) % FIELD
    x = pow(square, (FIELD + 3) // 8, FIELD)
    for root in (x, x * _ROOT % FIELD):
        if root * root % FIELD == square:
            return root, y
    return None


def _encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


@cache
def small_order_points() -> list[bytes]:
    """The eight points whose order divides 8: what is left of random ones times the group order."""
    found: set[Point] = set()
    for y in range(2, 60):
        if point := _at(y):
            left = _times(GROUP, point)
            found |= {_times(n, left) for n in range(8)}
    return sorted(map(_encode, found))


def non_canonical_points() -> list[bytes]:
    """Every encoding that is not the one of its point: y too large, or a sign where x is 0."""
    large = [y | sign << 255 for y in range(FIELD, 2**255) for sign in (0, 1)]
    unsigned = [1 | 1 << 255, (FIELD - 1) | 1 << 255]
    return [number.to_bytes(32, "little") for number in large + unsigned]


def small_order_u() -> list[int]:
    """The u coordinates on the Montgomery curve of the points of small order, and its twist's."""
    ys = {int.from_bytes(point, "little") & (2**255 - 1) for point in small_order_points()} - {1}
    us = {(1 + y) * pow(1 - y, -1, FIELD) % FIELD for y in ys}
    return sorted(us | {FIELD - 1})
