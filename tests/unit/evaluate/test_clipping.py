"""What clipping does to a policy that is rewarded by chance, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from autotroph.evaluate.clipping import Drift, advantages, gradient, sampled

EVEN = np.zeros(1)
FOR = np.array([[1.0, 0.0, 0.0, 1.0]])
"""A rewarded answer of the majority, and one of the minority that is not."""
AGAINST = np.array([[0.0, 1.0, 1.0, 0.0]])


def test_advantages_are_normalised_and_a_group_of_equals_has_none() -> None:
    # One of four rewarded: mean 1/4, standard deviation sqrt(3)/4.
    found = advantages(np.array([[1.0, 1, 1, 1], [1, 0, 0, 3], [3, 0, 1, 0], [0, 1, 0, 0]]))
    assert found[0].tolist() == [1, -1, 1, -1]
    assert found[1, [0, 3]] == pytest.approx([3**0.5, -(3**-0.5)])
    assert found[2].tolist() == found[3].tolist() == [0, 0, 0, 0]


def test_the_gradient_on_policy_is_the_mean_of_advantage_times_score() -> None:
    # p = 1/2, ratio 1: score +1/2 of the majority's answer, -1/2 of the other one; (1/2 + 1/2) / 2.
    assert gradient(EVEN, EVEN, FOR, advantages(FOR), 0.2) == pytest.approx([0.5])
    assert gradient(EVEN, EVEN, 8 * FOR, advantages(8 * FOR), 0.2) == pytest.approx([0.5])


def test_what_has_grown_or_shrunk_beyond_the_clip_no_longer_counts() -> None:
    # p from 1/2 to 2/3: ratio 4/3 of the majority's answer, which has grown, 2/3 of the other one, which has shrunk.
    now, unbound = np.log(np.array([2.0])), float("inf")
    assert gradient(now, EVEN, FOR, advantages(FOR), 0.2) == pytest.approx([0.0])
    # Unclipped: (4/3 * 1/3 + (-2/3) * (-2/3)) / 2 = 4/9. Clipping takes nothing from what pulls back.
    assert gradient(now, EVEN, FOR, advantages(FOR), unbound) == pytest.approx([4 / 9])
    assert gradient(now, EVEN, AGAINST, advantages(AGAINST), 0.2) == pytest.approx([-4 / 9])


def test_groups_are_drawn_from_the_policy_and_rewarded_by_halves() -> None:
    count_R4 = sampled(np.full(4000, np.log(3.0)), 16, np.random.default_rng(0))
    assert (count_R4.sum(axis=1) == 16).all()
    # p = 3/4, so 6, 6, 2 and 2 of 16; standard errors under .04 over 4,000 groups.
    assert count_R4.mean(axis=0) == pytest.approx([6, 6, 2, 2], abs=0.16)


def test_chance_moves_log_odds_to_the_prior_with_clipping_and_not_without() -> None:
    clipped = Drift(policies=1000, prior=0.8)(0, {})
    unclipped = Drift(policies=1000, prior=0.8, clip=float("inf"))(0, {})
    assert clipped.value > 0 > unclipped.value
    assert clipped.beside["grown"] > 0.5 > unclipped.beside["grown"]


def test_one_update_a_batch_has_no_drift_that_could_be_seen() -> None:
    found = Drift(updates=1, batches=40, policies=4000, rate=0.1)(0, {})
    # Each batch moves the logit by rate * mean of 16 terms of size <= 1: standard error under .004 over 4,000 policies.
    assert abs(found.value) < 0.012
