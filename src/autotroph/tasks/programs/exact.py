"""Arithmetic without rounding on what programs return: a float is an integer times a power of two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

Point = Sequence[int]
MOST = 10_000
"""Steps of the longest step function that is read."""
BITS = 60
"""Of the largest step: `steps` keeps so many, and drops what lies below them."""


def scaled(values: Sequence[float]) -> tuple[list[int], int]:
    """Integers n and one k, with value = n / 2**k for each value exactly. The values must be finite."""
    ratios = [float(value).as_integer_ratio() for value in values]
    k = max((below.bit_length() - 1 for _, below in ratios), default=0)
    return [above << (k - below.bit_length() + 1) for above, below in ratios], k


def steps(values: Sequence[float]) -> list[int]:
    """A step function as integers, in units of 2**-BITS of the power of two above its largest step.

    Each step is rounded towards 0 to a multiple of that unit; the function that comes of it is the one that is judged.
    """
    _, exponent = math.frexp(max((abs(value) for value in values), default=0.0))
    return [int(math.ldexp(value, BITS - exponent)) for value in values]


def convolution(a: Sequence[int], b: Sequence[int]) -> list[int]:
    """c_k = the sum of a_i b_j over i + j = k, exactly, for integers of either sign (Kronecker substitution: one
    product of two long integers)."""
    most = max(map(abs, a)) * max(map(abs, b)) * min(len(a), len(b))
    width = most.bit_length() // 8 + 1
    n, half = len(a) + len(b) - 1, 1 << (8 * width - 1)
    shift = int.from_bytes(half.to_bytes(width, "little") * n, "little")
    packed = (_packed(a, width) * _packed(b, width) + shift).to_bytes(n * width + 1, "little")
    return [int.from_bytes(packed[i : i + width], "little") - half for i in range(0, n * width, width)]


def _packed(values: Sequence[int], width: int) -> int:
    signs = ([max(0, value) for value in values], [max(0, -value) for value in values])
    over, under = (int.from_bytes(b"".join(v.to_bytes(width, "little") for v in sign), "little") for sign in signs)
    return over - under


def squared_distance(p: Point, q: Point) -> int:
    return sum((a - b) ** 2 for a, b in zip(p, q, strict=True))


def twice_area(p: Point, q: Point, r: Point) -> int:
    """Of a triangle in the plane; positive where p, q, r go counter-clockwise."""
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])


def twice_hull_area(points: Sequence[Point]) -> int:
    """Of the convex hull of points in the plane (Andrew's monotone chain)."""
    ordered = sorted({(p[0], p[1]) for p in points})

    def half(points: Sequence[Point]) -> list[Point]:
        chain: list[Point] = []
        for point in points:
            while len(chain) > 1 and twice_area(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        return chain[:-1]

    hull = half(ordered) + half(ordered[::-1])
    return sum(p[0] * q[1] - p[1] * q[0] for p, q in zip(hull, hull[1:] + hull[:1], strict=True))


def ratio(above: int, below: int) -> float:
    """The float nearest to a quotient; infinite where it is too large for one. Raises ZeroDivisionError."""
    try:
        return float(Fraction(above, below))
    except OverflowError:
        return math.inf
