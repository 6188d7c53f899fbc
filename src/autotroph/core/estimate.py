"""What work is going to cost, before it is done: a range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from operator import add

from autotroph.core.budget import Budget
from autotroph.core.errors import AutotrophError


@dataclass(frozen=True, slots=True)
class Range:
    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Range | float) -> Range:
        by = other if isinstance(other, Range) else Range(other, other)
        return Range(self.low * by.low, self.high * by.high)


@dataclass(frozen=True, slots=True)
class Work:
    """`tokens` are sampled; `prompt_tokens` pass a model without being sampled or learnt."""

    tokens: Range = Range()
    prompt_tokens: Range = Range()
    trained_tokens: Range = Range()
    verifier_calls: Range = Range()

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __mul__(self, by: Range | float) -> Work:
        return Work(*(getattr(self, f.name) * by for f in fields(self)))

    def sampling_flops(self, parameters: int) -> Range:
        return (self.tokens + self.prompt_tokens) * (2.0 * parameters)

    def training_flops(self, parameters: int) -> Range:
        return self.trained_tokens * (6.0 * parameters)


def columns(parts: Sequence[Work]) -> list[list[Range]]:
    """Field by field, the ranges of all parts."""
    return [[getattr(part, f.name) for part in parts] for f in fields(Work)]


def total(parts: Iterable[Work]) -> Work:
    return reduce(add, parts, Work())


@dataclass(frozen=True, slots=True)
class Estimate:
    """Of a whole run, counted as its meter does. `seconds` is None where this machine's pace is not known."""

    tokens: Range
    trained_tokens: Range
    verifier_calls: Range
    flops: Range
    seconds: Range | None = None

    def ranges(self) -> dict[str, Range]:
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: one for name, one in found.items() if one is not None}

    def refuse(self, budget: Budget) -> None:
        """Raises AutotrophError where the least that the run can take is beyond a cap."""
        for name, found in self.ranges().items():
            cap = getattr(budget, name, None)
            if cap is not None and found.low > cap:
                raise AutotrophError(
                    f"budget: the run takes at least {found.low:.3g} {name}, and the cap is {cap:.6g}; raise "
                    f"--budget-{name.replace('_', '-')}, or ask for fewer cycles"
                )
