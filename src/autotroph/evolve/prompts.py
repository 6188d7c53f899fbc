"""Prompts at work: a folder whose `prompt.txt` stands before each question, and a model that answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cached_property
from threading import Lock
from typing import Any

from autotroph.core.protocols import Sampler, SamplingParams, TaskFamily
from autotroph.core.task import Split, Task
from autotroph.sandbox.directory import Directory
from autotroph.sandbox.jail import Jail
from autotroph.tasks.programs.family import ProgramFamily, Refused

PROMPT = "prompt.txt"


class Prompted(ProgramFamily):
    """The questions of a family, answered by one model, greedily, behind a candidate's prompt; nothing is run in the
    jail. Scores and splits are those of the family.

    `sampler` is asked for once, before the first answer. `prompt`: what a search begins with.
    """

    def __init__(self, questions: TaskFamily, sampler: Callable[[], Sampler], prompt: str) -> None:
        self.questions, self._make, self._lock = questions, sampler, Lock()
        self.name, self.levels, self.alphabet = questions.name, questions.levels, questions.alphabet
        self.static, self.starter = questions.static, {PROMPT: prompt}
        self.goal = f"A text in {PROMPT} that stands before a question and makes a model answer it right."

    @cached_property
    def _sampler(self) -> Sampler:
        return self._make()

    def ask(self, jail: Jail, program: Directory, task: Task) -> tuple[str, str]:
        """What the model says, as JSON."""
        if PROMPT not in program.files:
            return "", f"there is no {PROMPT}"
        text = program.files[PROMPT].decode(errors="replace") + task.prompt
        with self._lock:
            tokenizer = self._sampler.tokenizer
            params = SamplingParams(temperature=0.0, max_tokens=self.questions.max_answer(task.level) + 1)
            [said] = self._sampler.sample([tokenizer.prompt(text)], params, [0])
        return json.dumps(tokenizer.decode(said.ids)), ""

    def measure(self, task: Task, output: Any) -> float:
        score = self.questions.verify(task, output) if isinstance(output, str) else None
        if score is None:
            raise Refused("an answer that cannot be scored")
        return score

    def score(self, task: Task, value: float) -> float:
        return value

    def arguments(self, task: Task) -> tuple[Any, ...]:
        return (task.prompt,)

    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        return self.questions.generate(level, n, seed, split)

    def candidates(self, level: int, seed: int) -> Iterator[Task]:
        yield from self.questions.generate(level, 1000, seed)
