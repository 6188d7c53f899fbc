"""Examples that tell a function from those next to it, and hidden cases on which answers are judged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from autotroph.tasks.code.functions import Function, applied, attempt

Case = tuple[tuple[list[int]], Any]
"""The arguments of a call, and the value of the function there."""

HIDDEN, TRIES = 16, 5
LENGTHS, SHOWN_LENGTHS = range(9), range(3, 7)
"""Of lists on which answers are judged, and of those that are shown."""


def inputs(n: int, lengths: range, rng: random.Random) -> list[list[int]]:
    return [[rng.randrange(10) for _ in range(rng.choice(lengths))] for _ in range(n)]


def cases(function: Function, lengths: range, n: int, rng: random.Random) -> list[Case]:
    """n cases, or fewer where the function is hardly ever defined."""
    tried = inputs(2 * n, lengths, rng)
    values = applied(function, tried)
    return [((a,), value) for a, value in zip(tried, values, strict=True) if value is not None][:n]


def agrees(other: Function, known: Sequence[Case]) -> bool:
    return all(attempt(other, *given) == value for given, value in known)


def hidden_cases(function: Function, rng: random.Random) -> list[Case] | None:
    """Cases to judge answers on; None where something simpler than the function does the same on them."""
    hidden = cases(function, LENGTHS, HIDDEN, rng)
    idle = any(agrees(other, hidden) for other in function.simpler())
    return None if idle or len(hidden) < HIDDEN else hidden


def told_apart(function: Function, n: int, hidden: Sequence[Case], rng: random.Random) -> list[Case] | None:
    """n cases to show, which nothing simpler than the function fits, and no `neighbour` of it that fails a hidden one.

    None where `TRIES` draws leave it open what the function is.
    """
    others = function.simpler() + [other for other in function.neighbours() if not agrees(other, hidden)]
    for _ in range(TRIES):
        shown = cases(function, SHOWN_LENGTHS, n, rng)
        if len(shown) == n and telling(shown) and not any(agrees(other, shown) for other in others):
            return shown
    return None


def telling(shown: Sequence[Case]) -> bool:
    """Whether all values differ from one another, so that no constant gives them."""
    return all(one[1] != two[1] for one, two in combinations(shown, 2))
