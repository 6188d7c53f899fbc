import numpy as np
import pytest
from grown import grown

from autotroph.recipes import survival_game


def test_a_game_is_over_with_the_first_child_that_is_better():
    archive = grown(1, (None, [0.5]), (0, [0.4]), (0, [0.5]), (0, [0.6]), (0, [0.1]), (3, [0.6]), (3, [0.2]))
    failures, given_up = survival_game.games(archive)
    assert failures.tolist() == [2, 2]
    assert given_up.tolist() == [False, True]
    assert survival_game.figures(archive, 0) == {"failures": 2, "given_up": 0.5}
    assert survival_game.figures(grown(1, (None, [0.5])), 0) == {}


@pytest.mark.parametrize("kind", range(3))
def test_subjects_have_the_tails_that_they_are_said_to_have(kind):
    counts = survival_game.counts("limited", kind, 20000, np.random.default_rng(0))
    # k of at most .8: at least a share (x + 1)^-.8 Gamma(1.8) of the counts is above x; of autonomous ones far less
    assert (counts > 1000).mean() > 0.002
    assert (survival_game.counts("autonomous", kind, 20000, np.random.default_rng(0)) > 1000).mean() < 0.0005


def test_moments_tell_a_steady_subject_from_one_that_is_not():
    steady, wild = np.tile([1.0, 3.0], 50), np.r_[np.tile([1.0, 3.0], 50), np.tile([1.0, 9.0], 50)]
    assert survival_game.by_moments(steady) == "autonomous"
    assert survival_game.by_moments(wild) == "limited"
