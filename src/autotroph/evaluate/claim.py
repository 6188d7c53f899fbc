"""Claims of published systems, and what trials of both sides say of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.intervals import paired_interval

Verdict = Literal["holds", "fails", "inconclusive"]
SLACK = 1.05
"""Compute of the claiming side, as a multiple of the other one's, up to which they count as equal."""


@dataclass(frozen=True)
class Trial:
    """What one side came to with one seed.

    `compute`: what its practice cost, by counter of `core.budget.Meter`; `curve`: the measure after each cycle;
    `beside`: other figures, by name.
    """

    value: float
    compute: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    curve: tuple[float, ...] = ()
    beside: Mapping[str, float] = field(default_factory=dict)


Side = Callable[[int, Mapping[str, float]], Trial]
"""(seed, compute that it may cost, by counter; none: as it is set) to a trial. One seed is one base, for all sides."""


@dataclass(frozen=True)
class Claim:
    """What a published system says of itself, and how it is tried here.

    The claim holds where `ours - baseline` is surely above `margin`; with `within`, where it surely lies between
    -margin and margin. `control` is our side without its mechanism: of it the same must not hold. Sides are compared
    at equal `counter`: the others may go on until they have cost as much as ours did with that seed.
    """

    says: str
    """The sentence that the source claims."""
    reported: str
    """Its figure there."""
    measure: str
    """What the trials' values are, with the unit."""
    ours: Side
    baseline: Side
    control: Side
    against: str
    """What the baseline is, in a few words."""
    without: str
    """What the control lacks, in a few words."""
    margin: float = 0.0
    within: bool = False
    counter: str = "flops"
    seeds: int = 3
    first: int = 0
    """The first of the seeds: beyond those of an earlier trial, where what that found has decided anything of this."""
    note: str = ""
    """What was scaled down, or tried where it does not hold."""


@dataclass(frozen=True)
class Comparison:
    """Two sides, paired by seed: mean difference and its 95% t interval over the seeds.

    `compute`: most that the first side cost, as a multiple of the other one's with that seed; None: both cost nothing.
    """

    effect: float
    low: float
    high: float
    compute: float | None
    verdict: Verdict


def compare(claim: Claim, one: Sequence[Trial], other: Sequence[Trial]) -> Comparison:
    """Raises AutotrophError unless both sides have the same two seeds or more."""
    if len(one) < 2 or len(one) != len(other):
        raise AutotrophError(f"claim: {len(one)} and {len(other)} trials; give both sides the same two seeds or more")
    pairs = list(zip(one, other, strict=True))
    differences = [a.value - b.value for a, b in pairs]
    low, high = paired_interval(differences)
    cost = [tuple(trial.compute.get(claim.counter, 0.0) for trial in pair) for pair in pairs]
    ratios = [a / b if b else float("inf") for a, b in cost if a or b]
    return Comparison(fmean(differences), low, high, max(ratios, default=None), _verdict(claim, low, high))


def refuse_unequal(claim: Claim, comparison: Comparison) -> None:
    """Raises AutotrophError where our side had more compute than what it is compared with."""
    if (comparison.compute or 0.0) > SLACK:
        raise AutotrophError(
            f"claim: our side had {comparison.compute:.2f} times the {claim.counter} of the baseline; let that go on "
            "for more cycles"
        )


def _verdict(claim: Claim, low: float, high: float) -> Verdict:
    if claim.within:
        inside, outside = -claim.margin < low and high < claim.margin, low > claim.margin or high < -claim.margin
    else:
        inside, outside = low > claim.margin, high < claim.margin
    return "holds" if inside else "fails" if outside else "inconclusive"
