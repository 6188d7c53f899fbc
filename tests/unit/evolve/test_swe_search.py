from math import exp, log, sqrt

import numpy as np
import pytest
from grown import LEFT, evaluated, grown, shares

from autotroph.evolve.landscapes import BrokenProgram
from autotroph.evolve.policies.latest import Latest
from autotroph.evolve.policies.uct import UCT, visits_and_depths
from autotroph.recipes.swe_search import Searched

RNG = np.random.default_rng


def test_the_published_formula_by_hand():
    policy = UCT(exploration=0.5, bonus=0.2, decay=0.8, penalty=0.1)
    found = policy.uct(np.array([0.3, 0.6]), np.array([2.0, 1.0]), np.array([5.0, 2.0]), np.array([1.0, 3.0]))
    assert found == pytest.approx(
        [
            0.3 + 0.5 * sqrt(log(5) / 2) + 0.2 - 0.1,
            0.6 + 0.5 * sqrt(log(2)) + 0.2 * exp(-1.6) - 0.1 * sqrt(3),
        ]
    )


def test_visits_are_backed_up_along_first_parents():
    archive = grown(1, (None, [0]), (0, [0]), (1, [0]), (1, [0]), (0, [0]))
    visits, depths = visits_and_depths(archive)
    assert visits.tolist() == [5, 3, 1, 1, 1]
    assert depths.tolist() == [0, 1, 2, 2, 1]


def test_a_new_state_is_evaluated_before_the_next_edit():
    assert evaluated(UCT().choose(grown(2, (None, [0, 0]), (0, [1])), LEFT, RNG(0))) == 1


def test_the_best_state_is_edited_until_its_edits_have_come_to_nothing():
    lead = [(None, [0.5]), (0, [0.61]), (0, [0.6])]
    policy = UCT(exploration=0.1, bonus=0, penalty=0)
    assert shares(policy, grown(1, *lead), 5) == [0, 1, 0]
    # by hand: .61 + .1 sqrt(ln 13 / 11) = .658 against .6 + .1 sqrt(ln 13 / 1) = .760
    assert shares(policy, grown(1, *lead, *[(1, [0.1])] * 10), 5)[2] == 1
    assert shares(UCT(0, 0, penalty=0), grown(1, *lead, *[(1, [0.1])] * 10), 5)[1] == 1


def test_late_depth_costs():
    chain = grown(1, (None, [0.5]), (0, [0.5]), (1, [0.5]))
    assert shares(UCT(0, 0, penalty=0.1), chain, 5) == [1, 0, 0]


def test_without_estimates_outcomes_decide_nothing():
    archive = grown(1, (None, [0]), (0, [1]), (0, [0]))
    assert shares(UCT(0, 0, penalty=0, estimates=False), archive) == pytest.approx([1 / 3] * 3, abs=0.05)


def test_a_linear_agent_begins_again_after_its_steps():
    archives = [grown(1, *[(None, [0])] * 1, *[(0, [0])] * n) for n in range(7)]
    parents = [Latest(steps=3).choose(archive, LEFT, RNG(0)).parents[0] for archive in archives]
    assert parents == [0, 1, 2, 0, 4, 5, 0]
    assert [Latest().choose(archive, LEFT, RNG(0)).parents[0] for archive in archives] == list(range(7))


def test_bugs_let_only_some_tests_pass():
    ground = BrokenProgram(np.zeros((2, 2), int), np.array([[0.5, 0.4], [0.3, 0.2]]), np.zeros((2, 2), bool))
    assert ground.values(np.array([0, 0, 0, 0])).tolist() == [1, 1]
    assert ground.values(np.array([3, 0, 1, 2])) == pytest.approx([0.5, 0.06])
    assert ground.skill(np.array([3, 0, 1, 2])) == pytest.approx(0.28)


def test_a_broken_program_has_its_bugs_where_it_may_and_an_edit_changes_one_place():
    ground = BrokenProgram.drawn(RNG(0), functions=4, places=5, bugs=6, kinds=[1, 3])
    root = ground.root(RNG(1))
    off = root.reshape(4, 5) != ground.right
    assert off.sum() == 6
    assert not off[:, [0, 2, 4]].any()
    for seed in range(30):
        assert (ground.child([root], RNG(seed)) != root).sum() == 1


def test_a_side_spends_its_budget_and_the_mechanism_is_what_helps():
    sides = [Searched(UCT(), 600), Searched(UCT(estimates=False), 600)]
    trials = [[side(1000 + seed, {}) for seed in range(3)] for side in sides]
    assert all(trial.compute == {"verifier_calls": 600.0} for own in trials for trial in own)
    assert sum(trial.value for trial in trials[0]) > sum(trial.value for trial in trials[1]) + 30
    assert Searched(UCT(), 600)(1000, {}).value == trials[0][0].value
