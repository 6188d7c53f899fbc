import numpy as np
from grown import LEFT, chosen, evaluated, grown

from autotroph.evolve.landscapes import BrokenProgram
from autotroph.evolve.policies.best_of_n import BestOfN
from autotroph.evolve.policies.evoscale import EvoScale
from autotroph.evolve.protocols import Expand
from autotroph.recipes.evoscale import Sampled

RNG = np.random.default_rng
FIRST = [(None, [0.9]), (0, [0.1]), (0, [0.4]), (0, [0.3])]


def conditioned(policy, archive, draws=60):
    choices = [choice for choice in chosen(policy, archive, draws) if isinstance(choice, Expand)]
    return {choice.parents for choice in choices}


def test_the_first_iteration_edits_the_root():
    for size in (1, 2, 3):
        assert conditioned(EvoScale(3, 2), grown(1, *FIRST[:size])) == {(0,)}


def test_the_best_of_an_iteration_condition_the_next_one_in_any_order():
    assert conditioned(EvoScale(3, 2), grown(1, *FIRST)) == {(2, 3), (3, 2)}
    assert conditioned(EvoScale(3, 1), grown(1, *FIRST, (2, [0.8]))) == {(2,)}


def test_nothing_older_than_the_last_iteration_is_kept():
    second = [(2, [0.2]), (2, [0.0]), (3, [0.1])]
    assert conditioned(EvoScale(3, 2), grown(1, *FIRST, *second)) == {(4, 6), (6, 4)}


def test_without_selection_any_of_the_iteration_condition():
    assert conditioned(EvoScale(3, 1, selects=False), grown(1, *FIRST)) == {(1,), (2,), (3,)}


def test_a_sample_is_scored_before_the_next_and_pending_ones_are_counted():
    assert evaluated(EvoScale(3, 2).choose(grown(1, *FIRST, (2, [])), LEFT, RNG(0))) == 4
    archive = grown(1, *FIRST[:3])
    archive.expanding = 1
    assert conditioned(EvoScale(3, 1), archive) == {(2,)}


def test_a_sample_has_one_edit_or_more():
    ground = BrokenProgram.drawn(RNG(0), more=0.5)
    root = ground.root(RNG(1))
    edits = np.array([(ground.child([root], RNG(seed)) != root).sum() for seed in range(400)])
    # 1 / (1 - 1/2) = 2, but for places that are drawn twice
    assert 1.75 < edits.mean() < 2.1
    assert edits.max() > 4


def test_selection_is_what_helps():
    ours, plain, blind = (
        np.mean([Sampled(policy)(1000 + seed, {}).value for seed in range(4)])
        for policy in (EvoScale(), BestOfN(), EvoScale(selects=False))
    )
    assert ours > plain
    assert ours > blind + 5
