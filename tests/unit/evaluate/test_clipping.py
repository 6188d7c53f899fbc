"""What clipping does to a policy that is rewarded by chance, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from autotroph.evaluate.clipping import Drift, advantages, gradient

EVEN = np.zeros(1)
BOTH = np.array([[True, False]])


def test_advantages_are_normalised_and_a_group_of_equals_has_none() -> None:
    found = advantages(np.array([[1.0, 0.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]]))
    assert found.tolist() == [[1, -1, 1, -1], [0, 0, 0, 0]]


def test_the_gradient_on_policy_is_the_mean_of_advantage_times_score() -> None:
    # p = 1/2, ratio 1: score +1/2 of the majority's sample, -1/2 of the other one; (1/2 + 1/2) / 2.
    assert gradient(EVEN, EVEN, BOTH, np.array([[1.0, -1.0]]), 0.2) == pytest.approx([0.5])


def test_what_has_grown_or_shrunk_beyond_the_clip_no_longer_counts() -> None:
    # p from 1/2 to 2/3: ratio 4/3 of the majority's sample, which has grown, 2/3 of the other one, which has shrunk.
    now = np.log(np.array([2.0]))
    gained, lost = np.array([[1.0, -1.0]]), np.array([[-1.0, 1.0]])
    assert gradient(now, EVEN, BOTH, gained, 0.2) == pytest.approx([0.0])
    # Unclipped: (4/3 * 1/3 + (-2/3) * (-2/3)) / 2 = 4/9. Clipping takes nothing from what pulls back.
    assert gradient(now, EVEN, BOTH, gained, float("inf")) == pytest.approx([4 / 9])
    assert gradient(now, EVEN, BOTH, lost, 0.2) == pytest.approx([-4 / 9])


def test_chance_moves_log_odds_to_the_prior_with_clipping_and_not_without() -> None:
    few = {"policies": 400, "prior": 0.8}
    clipped, unclipped = Drift(**few)(0, {}), Drift(**few, clip=float("inf"))(0, {})
    assert clipped.value > 0 > unclipped.value
    assert clipped.beside["grown"] > 0.5 > unclipped.beside["grown"]


def test_one_update_a_batch_has_no_drift_that_could_be_seen() -> None:
    found = Drift(updates=1, batches=40, policies=4000, rate=0.1)(0, {})
    # Each batch moves the logit by rate * mean of 16 terms of size <= 1: standard error under .004 over 4,000 policies.
    assert abs(found.value) < 0.012
