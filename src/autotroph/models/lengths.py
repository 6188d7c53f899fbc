"""How many tokens tasks of a family take, as far as their gold answers tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from autotroph.core.estimate import Range, Work, columns, total
from autotroph.core.protocols import Source, TaskFamily, Tokenizer
from autotroph.core.task import Task
from autotroph.core.trace import Trace
from autotroph.models.episode import gold_for, is_played

SHOWN = 16
"""Tasks of a level that are looked at."""


@dataclass(frozen=True, slots=True)
class Length:
    """Tokens of a level's tasks. `turns`: the most; `others`: what an environment says in one of them, at most."""

    prompt: Range
    answer: Range
    turns: int
    others: float


class Lengths:
    """Of a run that was taught a family's levels up to `taught` and is measured on `levels`, with so many members.

    At least, answers are half as long as the shortest gold ones; at most, as long as they are allowed to be.
    """

    def __init__(
        self, family: TaskFamily, tokenizer: Tokenizer, levels: Sequence[int], taught: int = 0, members: int = 1
    ):
        self.family, self.levels, self.taught, self.members = family, levels, taught, members
        self._tokenizer, self._of = tokenizer, cache(self._looked_at)

    def tasks(self, n: int, levels: Sequence[int]) -> list[Task]:
        """As many train tasks as a source that spreads `n` over the levels finds."""
        return [task for level in levels for task in self.family.generate(level, -(-n // len(levels)), 0)]

    def sampled(self, tasks: Sequence[Task], samples: int, longest: int) -> Work:
        """So many answers to each task, of at most `longest` tokens; a prompt passes the model once, or for each."""
        return total(
            self._sampled(self._of(level), n, samples, longest)
            for level, n in Counter(task.level for task in tasks).items()
        )

    def _sampled(self, of: Length, tasks: int, samples: int, longest: int) -> Work:
        each, rows = Range(of.answer.low, longest), tasks * samples
        if is_played(self.family):
            each = Range(1, of.turns * (self.family.max_action + 1))
        history = of.prompt.high + each.high + of.turns * of.others
        return Work(tokens=each * rows, prompt_tokens=Range(tasks * of.prompt.low, rows * of.turns * history * PADDING))

    def somewhere(self, tasks: Range, samples: int, levels: Sequence[int]) -> Work:
        """The same for tasks of any of these levels."""
        longest = self.family.max_answer(max(levels)) + 1
        each = [self._sampled(self._of(level), 1, samples, longest) for level in levels]
        return Work(*(Range(min(r.low for r in found), max(r.high for r in found)) * tasks for found in columns(each)))

    def row(self) -> Range:
        """Tokens of one row of training: one that shares its prompt has only its answer's."""
        found = [self._of(level) for level in self.levels]
        longest = max(of.prompt.high + of.answer.high + of.turns * of.others for of in found)
        return Range(min(of.answer.low for of in found), longest)

    def shown(self) -> list[Trace]:
        """Some gold traces of the levels that have such."""
        tasks = [task for level in self.levels for task in self.family.generate(level, SHOWN, 0) if task.answer]
        return [gold_for(task, self.family, self._tokenizer) for task in tasks]

    def _looked_at(self, level: int) -> Length:
        shown = [task for task in self.family.generate(level, SHOWN, 0) if task.answer is not None]
        prompts = [len(self._tokenizer.prompt(task.prompt)) for task in shown] or [1]
        traces = [gold_for(task, self.family, self._tokenizer) for task in shown]
        answers = [sum(trace.sampled) for trace in traces] or [1]
        turns, longest, others = 1, self.family.max_answer(level) + 1, 0.0
        if is_played(self.family):
            turns = self.family.max_turns(level)
            longest = turns * (self.family.max_action + 1)
            observed = [len(t.ids) - prompt - sum(t.sampled) for t, prompt in zip(traces, prompts, strict=True)]
            others = max(n / max(1, len(self.family.expert(task)) - 1) for n, task in zip(observed, shown, strict=True))
        return Length(Range(min(prompts), max(prompts)), Range(max(1, min(answers) / 2), longest), turns, others)


class Estimated(Source, Protocol):
    """A source that says what a cycle of it is going to cost."""

    def estimate(self, lengths: Lengths) -> Work: ...


PADDING = 1.1
"""Prompts that pass the model together are filled up to the longest, which is at most so much longer."""
