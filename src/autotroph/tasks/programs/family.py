"""What every problem for programs shares: how a program answers, and how its answer becomes a score.

A program is a folder with a `main.py` whose function `entry` is called on `arguments(task)` in the jail. What it
returns is plain data; written as JSON it is the answer, and `measure` judges it here, from the raw output alone.
Whatever else a program says of itself is not looked at.
"""

from __future__ import annotations

import json
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

from autotroph.core.task import Split, Task
from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import Calls, Limits, Outcome
from autotroph.tasks.family import ASCII, Family

MAIN = "main.py"
LONGEST = 1 << 20
"""Characters of an answer beyond which it is none."""


class Refused(ValueError):
    """An answer that breaks a rule of its problem; the text says which."""


class ProgramFamily(Family):
    """A problem. Its levels are sizes; its score is in [0, 1], a monotone function of `value`, which people read.

    `exact`: its tasks are themselves the goal, known to everybody and judged without noise, such as one open problem of
    mathematics. Then the sealed task is the same instance under another key, for there is nothing to learn by heart,
    and whatever is better is better.
    """

    entry: str = "solve"
    goal: str
    """What a program has to do, in words for whoever writes one."""
    starter: Mapping[str, str]
    """Files of a program that answers every task, if poorly."""
    exact: bool = False
    static: bool = False
    alphabet: str = ASCII
    limits: Limits = Limits()

    @abstractmethod
    def arguments(self, task: Task) -> tuple[Any, ...]:
        """What `entry` is called with: plain data, fresh for every call."""

    @abstractmethod
    def measure(self, task: Task, output: Any) -> float:
        """The value of what a program has returned, recomputed from it. Raises Refused, naming the rule that it breaks,
        and may raise TypeError, ValueError, LookupError, OverflowError on data of another shape: they count as that."""

    @abstractmethod
    def score(self, task: Task, value: float) -> float:
        """A value as a score in [0, 1], higher for what is better."""

    def ask(self, jail: Jail, program: Directory, task: Task) -> tuple[str, str]:
        """What a program answers, run in a child of the jail, and what went wrong where it gives nothing.

        The answer is JSON of what it returned, "" where that is nothing of the kind.
        """
        return _answer(jail.call(program, MAIN, Calls(self.entry, [self.arguments(task)]), self.limits))

    def judged(self, task: Task, answer: str) -> tuple[float | None, str]:
        """Value of an answer, and why it has none. Never raises on any text."""
        if len(answer) > LONGEST:
            return None, f"the output is longer than {LONGEST} characters"
        try:
            value = float(self.measure(task, json.loads(answer)))
        except Refused as error:
            return None, str(error)
        except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
            return None, f"not of the form that is asked for: {type(error).__name__}: {error}"
        return (value, "") if math.isfinite(value) else (None, "its value is not finite")

    def verify(self, task: Task, answer: str) -> float | None:
        """The score in [0, 1]; 0 for an answer that is refused."""
        value, _ = self.judged(task, answer)
        return 0.0 if value is None else min(1.0, max(0.0, self.score(task, value)))

    def value(self, task: Task, answer: str) -> float | None:
        """What people read: the sum of radii, the excess of bins; None for an answer that is refused."""
        return self.judged(task, answer)[0]

    def max_answer(self, level: int) -> int:
        return LONGEST

    def gold_program(self) -> Mapping[str, str]:
        """Files of a program that is known to do well: `validate` runs it. The starter, unless a family has a better
        one."""
        return self.starter

    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        found: dict[str, Task] = {}
        for task in self.candidates(level, seed):
            if task.split == split:
                found.setdefault(task.key, task)
            if len(found) == n:
                break
        return list(found.values())

    @abstractmethod
    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        """Tasks of any split, of which `generate` takes those that it wants; endless unless there are only so many."""

    def posed_again(self, level: int, prompt: str, meta: Mapping[str, Any] | None = None) -> Iterator[Task]:
        """The one instance of an exact problem under ten keys, so that each split has one."""
        for number in range(40):
            yield Task.of(self.name, f"{prompt} ({number})", None, level, meta=meta)

    def wrong_answers(self, task: Task) -> list[str]:
        """Outputs that no rule of any problem lets pass."""
        return ["", "null", "[]", "{}", "NaN", "[NaN]", "1e999", '"1.0"', "true", "[[]]", "not JSON"]


def numbers(values: Any, length: int | None = None) -> list[float]:
    """A list of finite real numbers, of that length. Raises Refused for anything else: booleans, NaN and texts, too."""
    if not isinstance(values, list):
        raise Refused(f"a list of numbers is asked for, and this is {type(values).__name__}")
    if length is not None and len(values) != length:
        raise Refused(f"{length} numbers are asked for, and these are {len(values)}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused(f"{value!r} is no finite number")
    return [float(value) for value in values]


def _answer(outcome: Outcome) -> tuple[str, str]:
    said = outcome.stderr.strip().splitlines()[-1:] or [outcome.status]
    match outcome.answers:
        case (answer, *_) if answer.error is None:
            try:
                return json.dumps(answer.value), ""
            except (TypeError, ValueError) as error:
                return "", f"what it returned is not plain data: {error}"
        case (answer, *_):
            return "", f"{answer.error}: {answer.message}"
    return "", f"{outcome.status}: {said[0]}"
