"""The generation-verification gap: hand-derived values, coverage of its interval, refusal."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.evaluate.gap import highest, measure_gap, require, surest
from autotroph.refine.self_consistency import elect


def group(*answers: tuple[str, float | None], name: str = "q") -> Group:
    task = Task.of("toy", name, "1")
    return Group(
        task,
        tuple(
            Trace(task.key, "p", (0, 1), (False, True), (0.0, -1.0), text, "stop", rewards={"verified": score})
            for text, score in answers
        ),
    )


def test_gap_of_a_vote_by_hand() -> None:
    """Mean scores 2/3 and 1/3, votes pick 1 and 0: gaps +1/3 and -1/3, mean 0; the verifier's are +1/3 and +2/3."""
    right, wrong = ("a", 1.0), ("b", 0.0)
    groups = [group(right, right, wrong), group(wrong, wrong, right, name="r")]
    vote = measure_gap(groups, "vote", elect)
    assert (vote.mean, vote.picked, vote.best, vote.gap) == pytest.approx((0.5, 0.5, 1.0, 0.0))
    assert (vote.low, vote.high) == pytest.approx((-1 / 3, 1 / 3))
    verifier = measure_gap(groups, "verifier", highest)
    assert (verifier.picked, verifier.gap) == pytest.approx((1.0, 0.5))
    assert (verifier.low, verifier.high) == pytest.approx((1 / 3, 2 / 3))
    assert (verifier.tasks, verifier.samples, verifier.unscored) == (2, 3, 0)


def test_unscored_samples_take_no_part() -> None:
    found = measure_gap([group(("a", 1.0), ("b", None), ("c", 0.0)), group(("x", None), name="r")], "verifier", highest)
    assert (found.tasks, found.unscored, found.mean, found.gap) == (1, 1, 0.5, 0.5)
    voted = [group(("a", None), ("a", None), ("b", 1.0)), group(("b", 1.0), ("b", 1.0), name="r")]
    found = measure_gap(voted, "vote", elect)
    assert (found.tasks, found.unscored, found.gap) == (1, 1, 0.0)
    with pytest.raises(AutotrophError, match="none of 1 groups has a scored pick"):
        measure_gap([group(("x", None))], "verifier", highest)


def test_the_surest_trace_is_picked_whatever_it_scores() -> None:
    (first, second), nothing = group(("a", 1.0), ("b", 0.0)).traces, replace(group(("c", 1.0)).traces[0], error="late")
    sure = replace(second, logprobs=(0.0, -0.1))
    assert surest(Group(Task.of("toy", "q", "1"), (nothing, first, sure))) is sure
    assert surest(Group(Task.of("toy", "q", "1"), (nothing, first, second))) is first


def test_interval_covers_the_true_gap() -> None:
    """Three samples, each right with chance 1/2: the verifier's pick is right with 7/8, so the gap is 3/8."""
    rng, covered, runs = random.Random(1), 0, 400
    for _ in range(runs):
        groups = [group(*((str(i), float(rng.random() < 0.5)) for i in range(3))) for _ in range(80)]
        found = measure_gap(groups, "verifier", highest)
        covered += found.low <= 0.375 <= found.high
    assert 0.92 <= covered / runs <= 0.98


def test_require_refuses_only_what_is_surely_less() -> None:
    hopeless = measure_gap([group(("a", 0.0), ("b", 0.0))] * 20, "verifier", highest)
    with pytest.raises(AutotrophError, match=r"picks \+0\.000 better than chance.*below --require-gap 0\.05; choose"):
        require(hopeless, 0.05)
    require(hopeless, 0.0)
    unsure = measure_gap([group(("a", 0.0), ("b", 0.0))] * 19 + [group(("a", 1.0), ("b", 0.0))], "verifier", highest)
    assert unsure.gap < 0.05 < unsure.high
    require(unsure, 0.05)
