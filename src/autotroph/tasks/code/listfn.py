"""Functions over lists of integers, to be found, repaired or completed from examples.

Whoever answers is shown a few cases and judged on others. Every answer that behaves as the function does there is
right, however it is written.
"""

from __future__ import annotations

import ast
import random
from abc import abstractmethod
from collections.abc import Sequence
from string import ascii_lowercase, digits

from autotroph.core.task import Provenance, Task, split_of, stable_hash
from autotroph.tasks.code.examples import Case, agrees, inputs, told_apart
from autotroph.tasks.code.executed import Executed
from autotroph.tasks.code.functions import Function, drawn
from autotroph.tasks.code.subset import evaluate, parse
from autotroph.tasks.family import FULLWIDTH
from autotroph.tasks.procedural import Drawn

Written = tuple[str, str]
"""A prompt and its gold answer."""


def written(shown: Sequence[Case]) -> str:
    """Examples as prompts have them: "[3,1]>[1,3];[2]>[2]="."""
    return ";".join(f"{a}>{value}" for a, value in shown).replace(" ", "") + "="


class OverLists(Executed, Drawn):
    """Level n: a function of n operations, told by n + 2 cases, judged on 16 others of up to eight digits each."""

    levels = range(1, 5)
    alphabet = digits + ascii_lowercase + "[](),:;<>=+-*/%| "

    @abstractmethod
    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> Written: ...

    def draw(self, level: int, rng: random.Random) -> Task:
        found = None
        while found is None:
            function = drawn(level, rng)
            found = told_apart(function, level + 2, rng)
        shown, hidden = found
        prompt, answer = self.pose(function, shown, rng)
        key, cases = stable_hash(self.name, prompt), {"shown": shown, "cases": hidden}
        return Task(key, self.name, prompt, answer, level, split_of(key), Provenance("procedural"), cases)

    def generated_inputs(self, task: Task, n: int) -> list[list[int]]:
        return inputs(n, range(9), random.Random(stable_hash(task.key, "generated")))

    def wrong_answers(self, task: Task) -> list[str]:
        """Texts out of the subset, and answers that fit what was shown and nothing else."""
        gold, seen = task.answer or "", task.meta["shown"][-1][1]
        misses = ["", gold[:-1], gold + gold[-1:], gold + "\n", gold.translate(FULLWIDTH), f"{gold} if a else 0", "print(a)"]
        return [miss for miss in (*misses, str(seen), "a.sort()", "__import__") if miss != gold]


class ListFn(OverLists):
    """The answer is an expression over `a`: "[3,1,2]>[1,2,3];...=" -> "sorted(a)"."""

    name = "listfn"

    def pose(self, function: Function, shown: Sequence[Case], rng: random.Random) -> Written:
        return written(shown), function.source

    def program(self, task: Task, answer: str) -> str | None:
        return None if parse(answer) is None else f"f = lambda a: {answer}"

    def equivalent_answers(self, task: Task) -> list[str]:
        return [f"({task.answer})", f"[{task.answer}][0]"]

    def recheck(self, task: Task, answer: str) -> float | None:
        """Walks the tree of the answer, and that of the gold one, on what was shown and on 200 other inputs."""
        tree, gold = parse(answer), parse(task.answer or "")
        if tree is None or gold is None:
            return 0.0 if gold else None
        every = [a for a, _ in task.meta["shown"]] + self.generated_inputs(task, 200)
        return float(all(_attempt(tree, a) in (_attempt(gold, a), _UNDEFINED) for a in every))

    def max_answer(self, level: int) -> int:
        return 2 + 24 * level
