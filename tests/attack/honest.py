"""Honest programs, right and wrong: small functions over lists of integers, each written in another way than the
reference that its expected values come from."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

STEPS = {
    "add": ("x = [a + {k} for a in x]", "y = []\n    for a in x: y.append(a + {k})\n    x = y", "x = [a - {k} for a in x]"),
    "times": ("x = [a * {k} for a in x]", "x = list(map(lambda a: a * {k}, x))", "x = [a ** 2 for a in x]"),
    "even": ("x = [a for a in x if a % 2 == 0]", "x = list(filter(lambda a: not a & 1, x))", "x = [a for a in x if a % 2]"),
    "sort": ("x = sorted(x)", "x = list(x); x.sort()", "x = sorted(x)[1:]"),
    "unique": ("x = list(dict.fromkeys(x))", "x = [a for n, a in enumerate(x) if a not in x[:n]]", "x = x + x[:1]"),
    "reverse": ("x = x[::-1]", "x = list(reversed(x))", "x = x[1:] + x[:1]"),
    "sums": (
        "import itertools\n    x = list(itertools.accumulate(x))",
        "s, y = 0, []\n    for a in x:\n        s += a\n        y.append(s)\n    x = y",
        "x = [sum(x[:n]) for n in range(len(x))]",
    ),
    "largest": ("import heapq\n    x = heapq.nlargest({k}, x)", "x = sorted(x)[::-1][:{k}]", "x = sorted(x)[:{k}]"),
}  # fmt: skip
"""One way to write a step, another, and a wrong one."""

ENDS = {
    "list": ("return x", "return [*x]", "return x[:1]"),
    "tuple": ("return tuple(x)", "return (*x,)", "return list(x)"),
    "set": ("return set(x)", "return {a for a in x}", "return frozenset(x[:2])"),
    "sum": ("return sum(x)", "s = 0\n    for a in x: s += a\n    return s", "return max(x)"),
    "mean": ("return sum(x) / len(x)", "import statistics\n    return float(statistics.fmean(x))", "return x[0]"),
    "counts": (
        "import collections\n    return dict(collections.Counter(map(str, x)))",
        "d = {}\n    for a in x: d[str(a)] = d.get(str(a), 0) + 1\n    return d",
        "return {str(a): 1 for a in x}",
    ),
    "text": ("return ','.join(map(str, x))", "s = ''\n    for a in x: s += f'{a},'\n    return s[:-1]", "return repr(x)"),
    "bytes": ("return bytes(a % 256 for a in x)", "return b''.join(bytes([a % 256]) for a in x)", "return str(x)"),
    "power": ("return 3 ** (sum(x) % 9000)", "return pow(3, sum(x) % 9000)", "return 3 * (sum(x) % 9000)"),
}  # fmt: skip


@dataclass(frozen=True)
class Solution:
    """A program, the cases that it is judged by, and whether it was written to be right."""

    program: str
    cases: list[tuple[tuple[list[int]], Any]]
    right: bool


def solution(seed: int, right: bool) -> Solution:
    rng = random.Random(seed)
    chain = rng.sample(list(STEPS), rng.randrange(1, 5))
    end, k = rng.choice(list(ENDS)), rng.randrange(1, 7)
    spoiled = rng.randrange(len(chain) + 1)
    ways = [1 if right or place != spoiled else 2 for place in range(len(chain) + 1)]
    cases: list[tuple[tuple[list[int]], Any]] = []
    f = define(source(chain, end, k, [0] * len(ways)))
    while len(cases) < 5:
        x = [rng.randrange(-50, 100) for _ in range(rng.randrange(1, 12))]
        try:
            cases.append(((x,), f(list(x))))
        except (ArithmeticError, ValueError):  # a mean of nothing
            continue
    return Solution(source(chain, end, k, ways), cases, right)


def source(chain: list[str], end: str, k: int, ways: list[int]) -> str:
    lines = [STEPS[step][way].format(k=k) for step, way in zip(chain, ways, strict=False)]
    return "def f(x):\n    " + "\n    ".join([*lines, ENDS[end][ways[-1]]]) + "\n"


def define(program: str) -> Any:
    space: dict[str, Any] = {}
    exec(program, space)
    return space["f"]
