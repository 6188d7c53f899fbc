"""Functions over lists of integers, to be found, repaired or completed from examples.

Whoever answers is shown a few cases and judged on others. Any answer that does there what the function does is right,
however it is written.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_lowercase, digits
from typing import Any

from autotroph.core.task import Provenance, Task, split_of, stable_hash
from autotroph.tasks.code.examples import LENGTHS, Case, agrees, hidden_cases, inputs, told_apart
from autotroph.tasks.code.executed import Executed
from autotroph.tasks.code.expressions import Expressions
from autotroph.tasks.code.functions import Function, Operation, drawn
from autotroph.tasks.code.subset import evaluate, parse
from autotroph.tasks.family import ASCII, FULLWIDTH
from autotroph.tasks.procedural import Drawn
from autotroph.tasks.rephrase import rephrasing

HEAD = "def f(a):\n    return "


def written(shown: Sequence[Case]) -> str:
    """Cases as prompts have them: "[3,1]>[1,3];[2]>[2]="."""
    return ";".join(f"{a}>{value}" for (a,), value in shown).replace(" ", "") + "="


class OverLists(Executed, Drawn):
    """Level n: a function of n operations, told by n + 2 cases of three to six digits, judged on 16 of up to eight."""

    levels = range(1, 5)
    alphabet = digits + ascii_lowercase + "[](),:;<>=+-*/%| "

    @abstractmethod
    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> tuple[str, str]:
        """The prompt of a function, and an answer that is right."""

    def draw(self, level: int, rng: random.Random) -> Task:
        while True:
            function = drawn(level, rng)
            hidden = hidden_cases(function, rng)
            shown = hidden and told_apart(function, level + 2, hidden, rng)
            if hidden and shown:
                break
        prompt, answer = self.pose(function, shown, rng)
        key, meta = stable_hash(self.name, prompt), {"shown": shown, "cases": hidden}
        return Task(key, self.name, prompt, answer, level, split_of(key), Provenance("procedural"), meta)

    def generated(self, task: Task, n: int) -> list[tuple[Any, ...]]:
        return [(a,) for a in inputs(n, LENGTHS, random.Random(stable_hash(task.key, "generated")))]

    def interpreted(self, task: Task, answer: str, a: list[int]) -> Any:
        """The value of an answer for a list, without the jail; None where it has none, or is out of the subset."""
        return walked(answer, a)

    def recheck(self, task: Task, answer: str) -> float | None:
        """Walks the syntax trees of the answer and of the gold one, on what is shown and on 20 other lists."""
        if task.answer is None:
            return None
        lists = [given for (given,), _ in task.meta["shown"]] + [given for (given,) in self.generated(task, 20)]
        golds = ((a, self.interpreted(task, task.answer, a)) for a in lists)
        return float(all(gold is None or self.interpreted(task, answer, a) == gold for a, gold in golds))

    def wrong_answers(self, task: Task) -> list[str]:
        """What is out of the subset, and what gives a value that is shown whatever it is asked."""
        gold, seen = task.answer or "", task.meta["shown"][-1][1]
        outside = [f"{gold}\n", f"{gold};", f"f({gold})", f"{gold} if a else a", f"a.{gold}", gold.translate(FULLWIDTH)]
        return [miss for miss in ("", "a=", "x", str(seen), *outside) if miss != gold]

    def equivalent_answers(self, task: Task) -> list[str]:
        return [f"({task.answer})", f"[{task.answer}][0]"]

    def max_answer(self, level: int) -> int:
        return 2 + 24 * level


def walked(answer: str, a: list[int], f: str | None = None) -> Any:
    """The value of an expression for a list, None where it has none; `f`: what it calls by that name."""
    tree = parse(answer, () if f is None else ("f",))
    try:
        return None if tree is None else evaluate(tree, a, {} if f is None else {"f": lambda b: walked(f, b)})
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return None


class OneExpression(Expressions, OverLists):
    """The answer is an expression over `a`, in the subset of Python that `subset.parse` admits."""

    def function(self, task: Task, answer: str) -> str | None:
        return None if parse(answer) is None else f"lambda a: {answer}"


class ListFn(OneExpression):
    """Find a function: "[3,1,2]>[1,2,3];...=" -> "sorted(a)"."""

    name = "listfn"

    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> tuple[str, str]:
        return written(shown), function.source

    def rephrase(self, task: Task) -> Task | None:
        """The cases in reverse order."""
        shown = list(reversed(task.meta["shown"]))
        key = stable_hash(self.name, written(shown))
        twin = replace(task, key=key, prompt=written(shown), split=split_of(key), meta={**task.meta, "shown": shown})
        return None if twin.prompt == task.prompt else rephrasing(task, twin)


class Bugs(OneExpression):
    """Repair a function: "a[2:]|[3,1,2]>[1,2];...=" -> "a[1:]".

    The program that is given has one operation in the place of another, and fails at least one of the cases shown.
    """

    name = "bugs"

    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> tuple[str, str]:
        mutants = [other for other in function.neighbours() if not agrees(other, shown)]
        return f"{rng.choice(mutants).source}|{written(shown)}", function.source

    def retry(self, task: Task, answer: str) -> Task:
        """The same cases, with the answer that failed as the program to repair, where it is one."""
        if parse(answer) is None:
            return task
        return replace(task, prompt=f"{answer}|{task.prompt.rpartition('|')[2]}")

    def wrong_answers(self, task: Task) -> list[str]:
        return [task.prompt.partition("|")[0], *super().wrong_answers(task)]


class Partial(OneExpression):
    """Write the definition that a program lacks: "f(sorted(a))|[3,1,2]>[1,2];...=" -> "a[:2]", which is f of a.

    Level n: one operation of n + 1 is missing.
    """

    name = "partial"
    levels = range(1, 4)

    def draw(self, level: int, rng: random.Random) -> Task:
        return replace(super().draw(level + 1, rng), level=level)

    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> tuple[str, str]:
        hole, steps = rng.randrange(len(function.steps)), list(function.steps)
        missing, steps[hole] = steps[hole], Operation("f({})", steps[hole].compute)
        return f"{Function(tuple(steps)).source}|{written(shown)}", Function((missing,)).source

    def function(self, task: Task, answer: str) -> str | None:
        known = super().function(task, answer)
        return known and f"(lambda f: lambda a: {task.prompt.partition('|')[0]})({known})"

    def interpreted(self, task: Task, answer: str, a: list[int]) -> Any:
        return walked(task.prompt.partition("|")[0], a, answer)


class TestsAsPrompt(OverLists):
    """Write a function from its tests: "assert f([3, 1]) == [1, 3]\\n..." -> "def f(a):\\n    return sorted(a)".

    An answer is any Python that defines f.
    """

    name = "tests_as_prompt"
    alphabet = ASCII

    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> tuple[str, str]:
        tests = "".join(f"assert f({a}) == {value}\n" for (a,), value in shown)
        return tests, HEAD + function.source

    def program(self, task: Task, answer: str) -> str | None:
        return answer

    def interpreted(self, task: Task, answer: str, a: list[int]) -> Any:
        return walked(answer.removeprefix(HEAD), a)

    def recheck(self, task: Task, answer: str) -> float | None:
        """As for an expression, of a function that returns one; None for any other text."""
        return super().recheck(task, answer) if parse(answer.removeprefix(HEAD)) and answer.startswith(HEAD) else None

    def wrong_answers(self, task: Task) -> list[str]:
        """Functions that know what is shown by heart, and programs that would have a verdict say yes."""
        table = {str(a): value for (a,), value in task.meta["shown"]}
        yes = "class Yes(list):\n    __eq__ = lambda self, other: True\n    __len__ = lambda self: 3\n"
        return [
            "",
            "f = None",
            f"{HEAD}{table}.get(str(a))",
            f"{HEAD}{table}[str(a)]",
            f"{yes}{HEAD}Yes()",
            "import os\nos._exit(0)",
            "raise SystemExit",
            f"{HEAD}print('PASS')",
        ]

    def equivalent_answers(self, task: Task) -> list[str]:
        body = (task.answer or "").removeprefix(HEAD)
        return [
            f"f = lambda a: {body}",
            f"{task.answer}\n",
            f"def f(b):\n    a = list(b)\n    c = {body}\n    return c",
        ]

    def max_answer(self, level: int) -> int:
        return len(HEAD) + super().max_answer(level)
