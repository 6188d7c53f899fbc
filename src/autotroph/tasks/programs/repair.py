"""A program with failing tests: short functions, each of which has been broken in some places."""

from __future__ import annotations

import json
import operator
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from autotroph.core.task import Task, stable_hash
from autotroph.tasks.programs.family import ProgramFamily, Refused, listed

COMPARISONS: Mapping[str, tuple[str, Callable[[int, int], bool]]] = MappingProxyType(
    {
        ">": ("above", operator.gt),
        ">=": ("at least", operator.ge),
        "<": ("below", operator.lt),
        "<=": ("at most", operator.le),
    }
)
OPERATIONS: Mapping[str, tuple[str, Callable[[int, int], int]]] = MappingProxyType(
    {"+": ("plus", operator.add), "-": ("minus", operator.sub), "*": ("times", operator.mul)}
)
"""Sign -> how it is read, and what it does."""
KEPT, CHANGED = range(3, 7), range(2, 6)
"""Numbers that are compared with, and that are computed with."""
LISTS, ELEMENTS, LONGEST = 12, range(10), 8
"""Lists of a task, the numbers in them, and how many at most."""
PLACES = ("comparison", "kept", "operation", "changed")
"""Of a function, where it can be broken."""

FUNCTION = '''def f{number}(a):
    """The numbers of a that are {compared} {kept}, each of them {computed} {changed}."""
    found = [x for x in a if x {comparison} {kept_now}]
    return [x {operation} {changed_now} for x in found]


'''
SOLVE = """def solve(lists):
    return [[{calls}] for a in lists]
"""


@dataclass(frozen=True)
class Function:
    """The numbers of a list that compare so with `kept`, each of them changed so by `changed`."""

    comparison: str
    kept: int
    operation: str
    changed: int

    @classmethod
    def drawn(cls, rng: random.Random) -> Function:
        return cls(rng.choice(list(COMPARISONS)), rng.choice(KEPT), rng.choice(list(OPERATIONS)), rng.choice(CHANGED))

    def __call__(self, a: Sequence[int]) -> list[int]:
        keeps, changes = COMPARISONS[self.comparison][1], OPERATIONS[self.operation][1]
        return [changes(x, self.changed) for x in a if keeps(x, self.kept)]

    def broken(self, place: str, rng: random.Random) -> Function:
        """Another sign, or a number that is one off."""
        signs = {"comparison": COMPARISONS, "operation": OPERATIONS}.get(place)
        now: Any = getattr(self, place)
        new: Any = now + rng.choice((1, -1)) if signs is None else rng.choice([sign for sign in signs if sign != now])
        return replace(self, **{place: new})

    def text(self, number: int, meant: Function) -> str:
        """Its source; the docstring says what is meant."""
        return FUNCTION.format(
            number=number,
            compared=COMPARISONS[meant.comparison][0],
            kept=meant.kept,
            computed=OPERATIONS[meant.operation][0],
            changed=meant.changed,
            comparison=self.comparison,
            kept_now=self.kept,
            operation=self.operation,
            changed_now=self.changed,
        )


class Repair(ProgramFamily):
    """Level n: the first n of `functions` functions over lists have to be right; `bugs` places of each are broken, of
    those that `places` names. A task is twelve lists, a value the share of all (list, function) that come out right.

    The program follows from `seed`. Its docstrings say what is meant: a model that reads them can repair it at once; it
    is there for searches that do not.
    """

    name = "repair"

    def __init__(self, seed: int = 0, functions: int = 6, bugs: int = 1, places: Sequence[str] = PLACES) -> None:
        rng = random.Random(stable_hash(self.name, str(seed)))
        self.seed, self.levels = seed, range(1, functions + 1)
        self.meant = [Function.drawn(rng) for _ in self.levels]
        self.goal = (
            "main.py has functions over lists of integers, with bugs; their docstrings say what is meant. solve(lists) "
            "returns, for each list, what the functions give. Repair them; the score is the share that is right."
        )
        self.starter = {"main.py": self.program([_with(bugs, one, places, rng) for one in self.meant])}

    def program(self, functions: Sequence[Function]) -> str:
        texts = [one.text(number, meant) for number, (one, meant) in enumerate(zip(functions, self.meant, strict=True))]
        return "".join([*texts, SOLVE.format(calls=", ".join(f"f{number}(a)" for number in range(len(functions))))])

    def gold_program(self) -> Mapping[str, str]:
        return {"main.py": self.program(self.meant)}

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        rng = random.Random(stable_hash(self.name, "lists", str(level), str(seed)))
        while True:
            lists = [[rng.choice(ELEMENTS) for _ in range(rng.randint(3, LONGEST))] for _ in range(LISTS)]
            prompt = f"The first {level} functions of program {self.seed} on {lists}"
            yield Task.of(self.name, prompt, None, level, meta={"lists": lists})

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return ([list(a) for a in task.meta["lists"]],)

    def right(self, task: Task, output: Any) -> list[list[bool]]:
        """Whether each function is right on each list, as `output` has them. Raises Refused for another shape."""
        lists, functions = task.meta["lists"], self.meant[: task.level]
        rows = [listed(row) for row in listed(output, len(lists))]
        if any(len(row) < len(functions) for row in rows):
            raise Refused(f"{len(functions)} values are asked for of each list")
        return [
            [
                isinstance(value, list) and _whole(value) and value == one(a)
                for one, value in zip(functions, row, strict=False)
            ]
            for a, row in zip(lists, rows, strict=True)
        ]

    def whole(self, task: Task, answer: str) -> list[bool]:
        """Which functions an answer has right on all lists; none where it is refused."""
        if self.judged(task, answer)[0] is None:
            return [False] * task.level
        return [all(marks) for marks in zip(*self.right(task, json.loads(answer)), strict=True)]

    def measure(self, task: Task, output: Any) -> float:
        marks = [mark for row in self.right(task, output) for mark in row]
        return sum(marks) / len(marks)

    def score(self, task: Task, value: float) -> float:
        return value

    def known(self, task: Task) -> list[tuple[Any, float]]:
        right = [[one(a) for one in self.meant] for a in task.meta["lists"]]
        return [(right, 1.0), ([[[-99]] * len(self.meant)] * len(right), 0.0)]


def _with(bugs: int, function: Function, places: Sequence[str], rng: random.Random) -> Function:
    for place in rng.sample(list(places), bugs):
        function = function.broken(place, rng)
    return function


def _whole(values: Sequence[Any]) -> bool:
    return all(type(value) is int for value in values)
