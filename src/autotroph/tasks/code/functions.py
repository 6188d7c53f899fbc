"""Functions over lists of integers, composed of operations that each have a source text and a meaning."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

Value = list[int] | int


@dataclass(frozen=True)
class Operation:
    """One step: `source` with {} for what it is applied to, and what it computes. `last`: its value is no list."""

    source: str
    compute: Callable[[list[int]], Value]
    last: bool = False


@dataclass(frozen=True)
class Function:
    """Operations, the first applied first."""

    steps: tuple[Operation, ...]

    @cached_property
    def source(self) -> str:
        text = "a"
        for step in self.steps:
            text = step.source.format(text)
        return text

    def __call__(self, a: Sequence[int]) -> Any:
        """Raises ValueError or IndexError where the function is not defined: the maximum of nothing, say."""
        value: Any = list(a)
        for step in self.steps:
            value = step.compute(value)
        return value

    def simpler(self) -> list[Function]:
        """What is left of it without one operation or more; where it has several, also every single operation."""
        n = len(self.steps)
        left = [steps for length in range(n) for steps in combinations(self.steps, length)]
        return [Function(steps) for steps in (*left, *((step,) for step in OPERATIONS if n > 1))]

    def neighbours(self) -> list[Function]:
        """Every function that has one other operation in the place of one of its own."""
        return [
            Function((*self.steps[:i], other, *self.steps[i + 1 :]))
            for i, step in enumerate(self.steps)
            for other in choices(i + 1 == len(self.steps))
            if other is not step
        ]


def _kinds() -> list[list[Operation]]:
    """Operations that differ in nothing but a number stand in one list."""

    def numbered(numbers: range, source: str, compute: Callable[[list[int], int], Value]) -> list[Operation]:
        return [Operation(source.replace("#", str(n)), lambda a, n=n: compute(a, n)) for n in numbers]  # type: ignore[misc]

    return [
        [Operation("{}[::-1]", lambda a: a[::-1])],
        [Operation("sorted({})", sorted)],
        [Operation("{}[::2]", lambda a: a[::2]), Operation("{}[1::2]", lambda a: a[1::2])],
        numbered(range(1, 4), "{}[#:]", lambda a, n: a[n:]),
        numbered(range(1, 4), "{}[:#]", lambda a, n: a[:n]),
        numbered(range(1, 3), "{}[:-#]", lambda a, n: a[:-n]),
        numbered(range(2, 4), "{}[-#:]", lambda a, n: a[-n:]),
        numbered(range(1, 6), "[x+# for x in {}]", lambda a, n: [x + n for x in a]),
        numbered(range(2, 4), "[x*# for x in {}]", lambda a, n: [x * n for x in a]),
        numbered(range(2, 7), "[x for x in {} if x>#]", lambda a, n: [x for x in a if x > n]),
        numbered(range(3, 8), "[x for x in {} if x<#]", lambda a, n: [x for x in a if x < n]),
        [
            Operation("[x for x in {} if x%2==0]", lambda a: [x for x in a if x % 2 == 0]),
            Operation("[x for x in {} if x%2==1]", lambda a: [x for x in a if x % 2 == 1]),
        ],
        numbered(range(0, 10), "[*{},#]", lambda a, n: [*a, n]),
        numbered(range(0, 10), "[#,*{}]", lambda a, n: [n, *a]),
        [Operation("sorted(set({}))", lambda a: sorted(set(a)))],
        [
            Operation("sum({})", sum, last=True),
            Operation("len({})", len, last=True),
            Operation("max({})", max, last=True),
            Operation("min({})", min, last=True),
            Operation("{}[0]", lambda a: a[0], last=True),
            Operation("{}[-1]", lambda a: a[-1], last=True),
        ],
    ]


KINDS = _kinds()
OPERATIONS = tuple(step for kind in KINDS for step in kind)


def choices(last: bool) -> list[Operation]:
    """Operations that may stand at a place: those without a list as their value only at the end."""
    return [step for step in OPERATIONS if last or not step.last]


def drawn(length: int, rng: random.Random) -> Function:
    """A function of so many operations: each of a kind drawn uniformly, with a number drawn uniformly."""
    steps = [rng.choice(rng.choice(KINDS)) for _ in range(length)]
    while any(step.last for step in steps[:-1]):
        steps = [rng.choice(rng.choice(KINDS)) for _ in range(length)]
    return Function(tuple(steps))


def applied(function: Callable[[Sequence[int]], Any], inputs: Sequence[Sequence[int]]) -> list[Any]:
    """Its value for every input; None where it is not defined."""
    return [attempt(function, a) for a in inputs]


def attempt(function: Callable[[Sequence[int]], Any], a: Sequence[int]) -> Any:
    try:
        return function(a)
    except (ValueError, IndexError):
        return None
