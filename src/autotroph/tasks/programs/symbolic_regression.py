"""Finding a formula from its values; it is judged on points that the program never sees."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autotroph.core.task import Task, stable_hash
from autotroph.tasks.programs.family import ProgramFamily, Refused

SHOWN, HIDDEN = 40, 60
"""Points."""
REACH = 2.0
LONGEST = 1000
"""Characters of a formula."""
STRANGE = re.compile(r"[^a-z0-9+\-*/(). ]|[0-9][a-df-z]|^ ")

FUNCTIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "sin": np.sin,
    "cos": np.cos,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
}
OPERATORS: Mapping[type[ast.AST], Callable[..., np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}
SHAPES = ("{0}+{1}", "{0}-{1}", "{0}*{1}", "{0}/({1}*{1}+1)", "sin({0})", "cos({0})", "exp(-{0}*{0})", "{0}*{0}")

STARTER = """def solve(points, values):
    \"\"\"The mean, whatever the point.\"\"\"
    return repr(sum(values) / len(values))
"""


class SymbolicRegression(ProgramFamily):
    """Level n: a formula of n operations over x0, or over x0 and x1 from level 3 on; 40 of its points are shown.

    A value is the root mean square error at 60 other points, divided by the standard deviation there; lower is better,
    0 is as good as can be. A score is 1 / (1 + value). A formula that is not defined at one of the points is refused.
    """

    name = "symbolic_regression"
    levels = range(1, 7)
    goal = (
        "Write solve(points, values), which returns a formula as text. `points` is a list of points [x0] or [x0, x1], "
        "`values` has the value of an unknown formula at each. Yours may use x0, x1, numbers, + - * / ** and sin, cos, "
        f"exp, log, sqrt, abs, and at most {LONGEST} characters. It is judged at other points, with coordinates in "
        f"[-{REACH}, {REACH}] as well, at all of which it must be defined."
    )
    starter: Mapping[str, str] = {"main.py": STARTER}

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        rng = random.Random(stable_hash(self.name, str(level), str(seed)))
        while True:
            number = rng.getrandbits(64)
            target = drawn(level, variables(level), rng)
            values = evaluated(target, points(variables(level), SHOWN + HIDDEN, number))
            if values is not None and min(values[:SHOWN].std(), values[SHOWN:].std()) > 0.1:
                prompt = f"A formula of {level} operations, number {number}"
                yield Task.of(self.name, prompt, None, level, meta={"target": target, "number": number})

    def arguments(self, task: Task) -> tuple[Any, ...]:
        shown, values = self.data(task)
        return shown[:SHOWN].tolist(), values[:SHOWN].tolist()

    def data(self, task: Task) -> tuple[np.ndarray, np.ndarray]:
        """All points [P, V] and their values [P], those that are shown first."""
        found = points(variables(task.level), SHOWN + HIDDEN, task.meta["number"])
        values = evaluated(task.meta["target"], found)
        assert values is not None
        return found, values

    def measure(self, task: Task, output: Any) -> float:
        if not isinstance(output, str):
            raise Refused(f"a text is asked for, and this is {type(output).__name__}")
        given, values = self.data(task)
        found = evaluated(output, given[SHOWN:])
        if found is None:
            raise Refused("no formula of the language, or not defined everywhere")
        with np.errstate(over="ignore"):
            error = np.sqrt(np.mean((found - values[SHOWN:]) ** 2))
        return float(error / values[SHOWN:].std())

    def score(self, task: Task, value: float) -> float:
        return 1 / (1 + value)

    def wrong_answers(self, task: Task) -> list[str]:
        """ "1.0" is a formula."""
        return [wrong for wrong in super().wrong_answers(task) if wrong != '"1.0"'] + ['"x9"', '"log(-1)"', '"1/0"']

    def known(self, task: Task) -> list[tuple[Any, float]]:
        return [(task.meta["target"], 0.0), (f"({task.meta['target']})*1.0", 0.0)]


def variables(level: int) -> int:
    return 1 if level < 3 else 2


def points(dimensions: int, n: int, number: int) -> np.ndarray:
    """Points [n, dimensions], uniform."""
    return np.random.default_rng(number).uniform(-REACH, REACH, (n, dimensions))


def drawn(operations: int, dimensions: int, rng: random.Random) -> str:
    """A formula of so many operations, of SHAPES; what it is made of are variables and numbers of one digit."""
    if operations == 0:
        names = [f"x{i}" for i in range(dimensions)]
        return rng.choice([*names, *names, str(rng.randint(1, 5))])
    shape = rng.choice(SHAPES)
    left = rng.randrange(operations) if "{1}" in shape else operations - 1
    parts = (drawn(part, dimensions, rng) for part in (left, operations - 1 - left))
    return shape.format(*(part if part.isalnum() else f"({part})" for part in parts))


def evaluated(text: str, at: np.ndarray) -> np.ndarray | None:
    """The values [P] of a formula at points [P, V]; None where it is none, or is not finite at one of them."""
    if len(text) > LONGEST or STRANGE.search(text):
        return None
    try:
        tree = ast.parse(text, mode="eval")
        with np.errstate(all="ignore"):
            values = np.broadcast_to(_value(tree.body, at), len(at))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError, OverflowError):
        return None
    return values if np.isfinite(values).all() else None


def _value(node: ast.AST, at: np.ndarray) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return np.float64(value)
        case ast.Name(id=name) if name in (names := [f"x{i}" for i in range(at.shape[1])]):
            return at[:, names.index(name)]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left, at), _value(right, at))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(operand, at))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_value(argument, at))
    raise ValueError(f"{type(node).__name__} is not of the language")
