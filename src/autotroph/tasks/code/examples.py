"""Examples that tell a function from those next to it, and hidden cases on which answers are judged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from autotroph.tasks.code.functions import Function, applied, attempt

Case = tuple[tuple[list[int]], Any]
"""The arguments of a call, and the value of the function there."""

HIDDEN = 16
"""Cases on which an answer is judged."""


def inputs(n: int, lengths: range, rng: random.Random) -> list[list[int]]:
    return [[rng.randrange(10) for _ in range(rng.choice(lengths))] for _ in range(n)]


def cases(function: Function, lengths: range, n: int, rng: random.Random) -> list[Case]:
    """n cases, or fewer where the function is hardly ever defined."""
    tried = inputs(2 * n, lengths, rng)
    values = applied(function, tried)
    return [((a,), value) for a, value in zip(tried, values, strict=True) if value is not None][:n]


def agrees(other: Function, known: Sequence[Case]) -> bool:
    return all(attempt(other, *given) == value for given, value in known)


def told_apart(
    function: Function, n: int, rng: random.Random, tries: int = 5
) -> tuple[list[Case], list[Case]] | None:
    """n cases to show of a function, and hidden ones.

    Nothing shorter than the function and no `neighbour` of it fits the shown cases, unless it passes the hidden ones,
    too. None where something shorter does that, or `tries` draws of cases leave it open what the function is.
    """
    hidden = cases(function, range(9), HIDDEN, rng)
    shorter = function.shorter()
    if len(hidden) < HIDDEN or any(agrees(other, hidden) for other in shorter):
        return None
    others = shorter + [other for other in function.neighbours() if not agrees(other, hidden)]
    for _ in range(tries):
        shown = cases(function, range(3, 7), n, rng)
        if len(shown) == n and telling(shown) and not any(agrees(other, shown) for other in others):
            return shown, hidden
    return None


def telling(shown: Sequence[Case]) -> bool:
    """Whether all values differ from one another, so that no constant gives them."""
    return all(one[1] != two[1] for one, two in combinations(shown, 2))
