"""Arithmetic in several steps, each of which can be checked: for critics, process rewards and self-correction."""

from __future__ import annotations

import operator
import random
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from autotroph.core.task import Provenance, Task, stable_hash
from autotroph.tasks.procedural import Procedural

SIGNS: Mapping[str, Callable[[int, int], int]] = MappingProxyType(
    {"+": operator.add, "-": operator.sub, "*": operator.mul}
)
STEP = re.compile(r"([0-9])([-+*])([0-9])=([0-9])")


class Steps(Procedural):
    """Level n: n operations on one digit, left to right, of each result the last digit: "7+5*3=" -> "7+5=2,2*3=6".

    All is modulo 10 (4 - 7 is 7). Only the last result counts; `checked` says of every step whether it is right. The
    concepts of a task are its operations with their operand ("+5", "*3"): 30 of them.
    """

    levels = range(1, 13)
    alphabet = "0123456789+-*=,"
    concepts = tuple(f"{sign}{digit}" for sign in SIGNS for digit in range(10))

    def __init__(self, without: Sequence[str] = ()) -> None:
        """`without`: concepts that no problem is made of; whoever is taught by the others has weaknesses."""
        self.drawn = [concept for concept in self.concepts if concept not in without]
        self.name = f"steps without {' '.join(without)}" if without else "steps"

    def draw(self, level: int, rng: random.Random) -> Task:
        """A problem has one key, and so one split, whatever else may be drawn."""
        return Task.of("steps", *self.problem(level, rng), level)

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        return self.composed(rng.randrange(10), rng.choices(self.drawn, k=level))

    def composed(self, first: int, concepts: Sequence[str]) -> tuple[str, str]:
        """Prompt and gold answer of a digit and what is done to it."""
        steps, value = [], first
        for sign, digit in concepts:
            result = SIGNS[sign](value, int(digit)) % 10
            steps.append(f"{value}{sign}{digit}={result}")
            value = result
        return f"{first}{''.join(concepts)}=", ",".join(steps)

    def synthesised(self, level: int, concepts: Sequence[str], rng: random.Random) -> Task:
        """A task of a level made of these concepts alone."""
        prompt, answer = self.composed(rng.randrange(10), rng.choices(concepts, k=level))
        return Task.of("steps", prompt, answer, level, provenance=Provenance("synthesis from concepts"))

    def concepts_of(self, task: Task) -> list[str]:
        """What is done to the first digit, in order."""
        return re.findall(r"[-+*][0-9]", task.prompt)

    def parse(self, prompt: str) -> Task | None:
        """The task of a prompt that somebody has proposed; None where it is none."""
        if not re.fullmatch(r"[0-9]([-+*][0-9]){1,12}=", prompt):
            return None
        concepts = re.findall(r"[-+*][0-9]", prompt)
        _, answer = self.composed(int(prompt[0]), concepts)
        return Task.of("steps", prompt, answer, len(concepts), provenance=Provenance("proposal"))

    def checked(self, task: Task, answer: str) -> list[bool]:
        """Of every step of an answer: whether it is the one that is due after what was said before, and is right.

        A step goes on from the result before it as it was stated, so that one error makes one wrong step.
        """
        due, value, found = self.concepts_of(task), task.prompt[0], []
        for i, step in enumerate(answer.split(",")):
            parts = STEP.fullmatch(step)
            asked = i < len(due) and parts is not None and parts[1] == value and parts[2] + parts[3] == due[i]
            if parts is None:
                return [*found, *[False] * (len(answer.split(",")) - i)]
            found.append(asked and SIGNS[parts[2]](int(parts[1]), int(parts[3])) % 10 == int(parts[4]))
            value = parts[4]
        return found

    def verify(self, task: Task, answer: str) -> float | None:
        """1 where what follows the last "=" of the answer is the last result; a digit alone is no step."""
        if task.answer is None:
            return None
        return float(answer.rpartition("=")[1:] == task.answer.rpartition("=")[1:])

    def equivalent_answers(self, task: Task) -> list[str]:
        """The last result behind its sign alone, and the last step alone."""
        return [(task.answer or "")[-2:], (task.answer or "").rpartition(",")[2]]

    def recheck(self, task: Task, answer: str) -> float | None:
        """Computes from the prompt with whole numbers, of which the last digit is taken in the end."""
        value = int(task.prompt[0])
        for sign, digit in zip(task.prompt[1:-1:2], task.prompt[2:-1:2], strict=True):
            value = value + int(digit) if sign == "+" else value - int(digit) if sign == "-" else value * int(digit)
        return float("=" in answer and answer[answer.rfind("=") + 1 :] == str(value % 10))

    def max_answer(self, level: int) -> int:
        return 6 * level - 1


class Confused(Steps):
    """The same problems, with answers that mistake some concepts: in so large a `share` of their steps the result is a
    wrong digit, always the same one for the same digit and concept. What comes after goes on from it.

    For bases with weaknesses (arXiv:2506.08989); no family of its own, since its answers are wrong.
    """

    def __init__(self, mistaken: Sequence[str], share: float) -> None:
        super().__init__()
        self.mistaken, self.share = tuple(mistaken), share
        self.name = f"steps that mistake {share:g} of {' '.join(mistaken)}"

    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        first, concepts = rng.randrange(10), rng.choices(self.concepts, k=level)
        steps, value = [], first
        for sign, digit in concepts:
            result = SIGNS[sign](value, int(digit)) % 10
            if sign + digit in self.mistaken and rng.random() < self.share:
                result = (result + 1 + int(stable_hash(str(value), sign, digit), 16) % 9) % 10
            steps.append(f"{value}{sign}{digit}={result}")
            value = result
        return f"{first}{''.join(sign + digit for sign, digit in concepts)}=", ",".join(steps)
