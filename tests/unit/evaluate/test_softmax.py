"""Sharpening where everything is known: its laws hold exactly, and what samples find keeps to them."""

from __future__ import annotations

import numpy as np
import pytest

from autotroph.evaluate.softmax import (
    Softmax,
    best_of,
    found_by_best_of,
    objective,
    rl_sharpened,
    sft_sharpened,
    tilted,
)

TRIALS = 4000


def test_best_of_two_of_a_half() -> None:
    assert found_by_best_of(2, 0.5) == 0.75


@pytest.mark.parametrize(
    ("n", "best"),
    [(1, 0.3), (2, 0.3), (4, 0.3), (8, 0.3), (2, 0.1), (8, 0.1), (32, 0.1), (4, 0.05), (16, 0.05), (64, 0.05)],
)
def test_best_of_n_finds_the_likeliest_as_often_as_the_law_says(n: int, best: float) -> None:
    """Ten settings, each within three standard errors; the others of 40 answers share what the best one leaves."""
    base_Y = np.array([best, *[(1 - best) / 39] * 39])
    assert base_Y.argmax() == 0
    assert base_Y[1] < best
    found = float(np.mean(best_of(n, base_Y, TRIALS, np.random.default_rng([n, round(100 * best)])) == 0))
    law = found_by_best_of(n, best)
    assert abs(found - law) <= 3 * np.sqrt(law * (1 - law) / TRIALS)


def test_the_tilted_policy_is_the_optimum() -> None:
    base_Y = np.array([0.5, 0.3, 0.2])
    # beta = 1: base^2 / sum = (.25, .09, .04) / .38
    assert tilted(base_Y, 1.0) == pytest.approx(np.array([0.25, 0.09, 0.04]) / 0.38)
    best = objective(tilted(base_Y, 0.5), base_Y, 0.5)
    for other_Y in np.random.default_rng(0).dirichlet(np.ones(3), 200):
        assert objective(other_Y, base_Y, 0.5) < best


def test_the_gradient_is_that_of_the_likelihood() -> None:
    rng = np.random.default_rng(1)
    policy = Softmax.drawn(2, 3, 4, 1.0, rng)
    chosen_XN, weight_XN = np.array([[0, 2], [1, 1]]), np.array([[1.0, -2.0], [0.5, 3.0]])

    def value(theta_D: np.ndarray) -> float:
        logp_XY = np.log(Softmax(policy.features_XYD, theta_D).probabilities_XY)
        return float(np.mean(weight_XN * np.take_along_axis(logp_XY, chosen_XN, 1)))

    numeric = [(value(policy.theta_D + 1e-6 * unit) - value(policy.theta_D - 1e-6 * unit)) / 2e-6 for unit in np.eye(4)]
    assert policy.gradient_D(chosen_XN, weight_XN) == pytest.approx(numeric, abs=1e-6)


def test_draws_follow_the_policy() -> None:
    policy = Softmax.drawn(1, 4, 3, 2.0, np.random.default_rng(2))
    drawn_N = policy.drawn_XN(20000, np.random.default_rng(3))[0]
    shares_Y, expected_Y = np.bincount(drawn_N, minlength=4) / 20000, policy.probabilities_XY[0]
    assert np.all(np.abs(shares_Y - expected_Y) < 4 * np.sqrt(expected_Y * (1 - expected_Y) / 20000) + 1e-9)


def test_both_kinds_of_sharpening_move_mass_to_the_likeliest_and_a_shuffled_reward_does_not() -> None:
    rng = np.random.default_rng(4)
    base = Softmax.drawn(50, 50, 8, 0.5, rng)
    best_X1 = base.probabilities_XY.argmax(1)[:, None]

    def mass(policy: Softmax) -> float:
        return float(np.take_along_axis(policy.probabilities_XY, best_X1, 1).mean())

    assert mass(base) < 0.1
    assert mass(sft_sharpened(base, 16, 300, 1.0, rng)) > 0.3
    assert mass(rl_sharpened(base, 16, 4, 0.02, 10.0, rng)) > 0.3
    assert mass(rl_sharpened(base, 16, 4, 0.02, 10.0, rng, shuffled=True)) < 0.2
