"""What every problem for programs shares: how a program answers, and how its answer becomes a score.

A program is a folder with a `main.py` whose function `entry` is called on `arguments(task)` in the jail. What it
returns is plain data; written as JSON it is the answer, and `measure` judges it here, from the raw output alone.
Whatever else a program says of itself is not looked at.
"""

from __future__ import annotations

import itertools
import json
import math
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from autotroph.core.task import Split, Task
from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail
from autotroph.sandbox.outcome import Calls, Limits, Outcome
from autotroph.tasks.code.executed import jail
from autotroph.tasks.family import ASCII, Family

MAIN = "main.py"
LONGEST = 1 << 20
"""Characters of an answer beyond which it is none."""


class Refused(ValueError):
    """An answer that breaks a rule of its problem; the text says which."""


@dataclass(frozen=True, slots=True)
class Record:
    """The best value that we know of, and who has found it. For people: no score depends on it."""

    value: float
    source: str


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
    records: Mapping[int, Record] = {}
    """Of each level, where one is known."""
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
        """At most n different tasks, in the order in which they come. Raises AutotrophError for a level outside
        `levels`."""
        self.check_level(level)
        wanted = (task for task in self.candidates(level, seed) if task.split == split)
        found: dict[str, Task] = {}
        while len(found) < n and (task := next(wanted, None)) is not None:
            found.setdefault(task.key, task)
        return list(found.values())

    @abstractmethod
    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        """Tasks of any split, of which `generate` takes those that it wants; endless unless there are only so many."""

    def posed_again(
        self, level: int, prompt: str, meta: Mapping[str, Any] | None = None, answer: str | None = None
    ) -> Iterator[Task]:
        """The one instance of an exact problem under so many keys that each split has one. `answer`: one whose score is
        1, where it is known."""
        seen: set[Split] = set()
        for number in itertools.count():
            task = Task.of(self.name, f"{prompt} ({number})", answer, level, meta=meta)
            seen.add(task.split)
            yield task
            if len(seen) == len(get_args(Split)):
                return

    def wrong_answers(self, task: Task) -> list[str]:
        """Outputs that are worth nothing, whatever the problem."""
        return ["", "null", "[]", "{}", "NaN", "[NaN]", "1e999", '"1.0"', "true", "[[]]", "not JSON"]

    def known(self, task: Task) -> list[tuple[Any, float]]:
        """Outputs and the values that they must have, derived without `measure`: `validate` tries them."""
        return []

    def validate(self, samples: int = 8) -> None:
        """Family.validate, and on a task of every level: what is worth nothing scores 0; `known` outputs have their
        values; arguments are plain, and the same each time; the starter and the gold program give something that is not
        refused, in the jail. Raises AutotrophError also where there is no jail."""
        super().validate(samples)
        for level in self.levels:
            for split in get_args(Split):
                self.demand(bool(self.generate(level, 1, 0, split)), f"level {level} has no {split} task")
            self.validate_values(self.generate(level, 1, 0)[0])

    def validate_values(self, task: Task) -> None:
        for wrong in self.wrong_answers(task):
            self.demand(self.verify(task, wrong) == 0, f"{wrong!r} scores {self.verify(task, wrong)}, not 0")
        for output, value in self.known(task):
            found, reason = self.judged(task, json.dumps(output))
            close = found is not None and math.isclose(found, value, rel_tol=1e-12, abs_tol=1e-12)
            self.demand(close, f"the value of {json.dumps(output)[:80]} is {found} ({reason}), not {value}")
        given = self.arguments(task)
        self.demand(given == self.arguments(task), f"the arguments of {task.prompt!r} change")
        for files in (self.starter, self.gold_program()):
            directory = Directory({name: text.encode() for name, text in files.items()})
            answer, reason = self.ask(jail(), directory, task)
            worth, refusal = self.judged(task, answer)
            self.demand(worth is not None, f"its own program gives nothing at {task.prompt!r}: {reason or refusal}")


def numbers(values: Any, length: int | None = None) -> list[float]:
    """A list of finite real numbers, of that length. Raises Refused for anything else: booleans, NaN and texts, too."""
    for value in listed(values, length):
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise Refused(f"{value!r:.80} is no finite number")
    return [float(value) for value in values]


def integers(values: Any, length: int | None = None, below: int | None = None) -> list[int]:
    """A list of integers of at least 0, of that length, each less than `below`. Raises Refused for anything else:
    booleans and 1.0, too."""
    for value in listed(values, length):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (below is not None and value >= below):
            raise Refused(f"{value!r:.80} is no integer of 0 to {'...' if below is None else below - 1}")
    return list(values)


def listed(values: Any, length: int | None = None) -> list[Any]:
    """A list of that length, whatever is in it. Raises Refused for anything else."""
    if not isinstance(values, list):
        raise Refused(f"a list is asked for, and this is {type(values).__name__}")
    if length is not None and len(values) != length:
        raise Refused(f"{length} values are asked for, and these are {len(values)}")
    return values


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
