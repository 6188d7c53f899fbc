import math

import numpy as np
import pytest

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.survival import exponent, level_of, log_survival


@pytest.mark.parametrize("k", [0.5, 1.4, 3.0])
def test_the_exponent_of_a_pareto_tail_is_found(k):
    # P(floor(U^(-1/k)) > x) = (x + 1)^-k: quantiles, so that nothing is drawn
    counts = np.floor(((np.arange(20000) + 0.5) / 20000) ** (-1 / k)) - 1
    assert exponent(counts) == pytest.approx(k, rel=0.1)


def test_an_exponential_tail_has_an_exponent_beyond_all_powers():
    chance = 0.1
    counts = np.floor(np.log((np.arange(5000) + 0.5) / 5000) / math.log(1 - chance))
    assert exponent(counts) > 10


@pytest.mark.parametrize("patience", [10, 1000])
def test_who_gives_up_says_that_the_tail_goes_on(patience):
    counts = np.floor(((np.arange(20000) + 0.5) / 20000) ** (-1 / 0.7)) - 1
    given_up = counts >= patience
    found = np.minimum(counts, patience)
    assert exponent(found, given_up) == pytest.approx(0.7, rel=0.15)
    assert exponent(found) > exponent(found, given_up)


def test_survival_by_hand():
    assert np.exp(log_survival(np.array([0.0, 2.0]), 1.0, 2.0)) == pytest.approx([1, 1 / 2])
    assert np.exp(log_survival(np.array([2.0]), 0.5, 1.0)) == pytest.approx([1 / 4])
    assert np.exp(log_survival(np.array([2.0]), 0.0, 2.0)) == pytest.approx([1 / math.e])


def test_levels():
    assert [level_of(k) for k in (0.9, 1, 1.1, 2, 2.1, math.inf)] == [
        "limited", "limited", "capable", "capable", "autonomous", "autonomous",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "given_up", "reason"),
    [
        ([1] * 9, None, "give 10 or more"),
        ([1] * 10, [False], "as many marks"),
        ([1] * 9 + [-1], None, "negative"),
        ([1] * 9 + [math.nan], None, "no number"),
        ([1] * 10, [True] * 10, "no subject has succeeded"),
    ],
)
def test_refusals(counts, given_up, reason):
    with pytest.raises(AutotrophError, match=reason):
        exponent(np.array(counts), None if given_up is None else np.array(given_up))
