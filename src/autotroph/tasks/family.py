"""What every task family shares: its range of levels, exact-match scoring, and the proof of itself."""

from __future__ import annotations

import difflib
import string
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import get_args

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Split, Task

ASCII = "\t\n" + "".join(char for char in string.printable if char.isprintable())
FULLWIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def did_you_mean(name: str, known: Mapping[str, str]) -> str:
    """What to show for an unknown name: the values of the keys most like it, or of all where none is."""
    near = difflib.get_close_matches(name, known)
    if near:
        return f"did you mean {' or '.join(repr(known[match]) for match in near)}?"
    return f"choose from {', '.join(known.values())}"


class Family(ABC):
    """The part of the TaskFamily protocol that does not depend on where the tasks come from."""

    name: str
    levels: range
    alphabet: str
    static: bool = False

    @abstractmethod
    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]: ...

    @abstractmethod
    def max_answer(self, level: int) -> int: ...

    def verify(self, task: Task, answer: str) -> float | None:
        """1 for the gold answer, character by character, else 0; None for a task without one."""
        return None if task.answer is None else float(answer == task.answer)

    def verify_all(self, pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
        """What `verify` says of each pair."""
        return [self.verify(task, answer) for task, answer in pairs]

    def wrong_answers(self, task: Task) -> list[str]:
        """Near misses of the gold answer, each of which has to score 0."""
        gold = task.answer or ""
        other = next((c for c in self.alphabet if c != gold[-1:]), "")
        misses = [
            "",
            gold[:-1],
            gold + gold[-1:],
            gold[:-1] + other,
            gold + " ",
            gold + "\n",
            gold.translate(FULLWIDTH),
        ]
        return [miss for miss in misses if miss != gold]

    def equivalent_answers(self, task: Task) -> list[str]:
        """Other answers than gold that have to score 1; for the audit."""
        return []

    def recheck(self, task: Task, answer: str) -> float | None:
        """1 or 0 from a second verifier, which reads the prompt and neither the gold answer nor `verify`'s code.

        Audits call it, and monitors that may only warn, so that nothing in a run can learn to please it. None: there is
        no second one.
        """
        return None

    def demand(self, holds: bool, message: str) -> None:
        """Raises AutotrophError with the family's name unless the condition holds."""
        if not holds:
            raise AutotrophError(f"task '{self.name}': {message}")

    def check_level(self, level: int) -> None:
        lowest, highest = self.levels[0], self.levels[-1]
        self.demand(level >= lowest, f"level {level} is below the minimum {lowest}; use --level >= {lowest}")
        self.demand(level <= highest, f"level {level} is above the maximum {highest}; use --level <= {highest}")

    def validate(self, samples: int = 8) -> None:
        """Proves on samples of every level and split: same seed, same tasks; no task in two splits; no key for two
        problems; gold answers score 1, near misses 0; answers keep to `max_answer` and texts to `alphabet`."""
        known: dict[str, Task] = {}
        for level in self.levels:
            for split in get_args(Split):
                tasks = self.generate(level, samples, 0, split)
                again = self.generate(level, samples, 0, split)
                self.demand(tasks == again, f"level {level} gives other tasks when asked again with the same seed")
                for task in tasks + self.generate(level, samples, 1, split):
                    twin = known.setdefault(task.key, task)
                    self.demand(task.split == twin.split == split, f"{task.prompt!r} is in more than one split")
                    same = (task.prompt, task.answer) == (twin.prompt, twin.answer)
                    self.demand(same, f"{task.prompt!r} and {twin.prompt!r} are two problems with one key")
                    self.validate_task(task)

    def validate_task(self, task: Task) -> None:
        if task.answer is not None:
            misses = self.wrong_answers(task)
            score, *scores = self.verify_all([(task, answer) for answer in (task.answer, *misses)])
            self.demand(score == 1, f"the gold answer {task.answer!r} to {task.prompt!r} scores {score}, not 1")
            limit = self.max_answer(task.level)
            self.demand(len(task.answer) <= limit, f"the gold answer {task.answer!r} is longer than max_answer {limit}")
            for miss, score in zip(misses, scores, strict=True):
                self.demand(score == 0, f"the wrong answer {miss!r} to {task.prompt!r} scores {score}, not 0")
        strange = set(task.prompt + (task.answer or "")) - set(self.alphabet)
        self.demand(not strange, f"{task.prompt!r} uses {sorted(strange)}, which its alphabet lacks")
