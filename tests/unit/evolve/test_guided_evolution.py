"""Evolution of thought: whose edit is fed forward, and what it is measured by."""

import numpy as np
import pytest
from grown import LEFT, chosen, grown

from autotroph.evolve.landscapes import KModule, replayed
from autotroph.evolve.policies.thought import Thought
from autotroph.evolve.protocols import Expand
from autotroph.recipes.guided_evolution import CLAIM, Advanced, Guided, unlike

# nodes 1 and 3 are better than what they were made from, node 2 is worse than the root, node 4 no better than node 1
ARCHIVE = grown(2, (None, [0.4, 0.4]), (0, [1, 0.4]), (0, [0, 0.4]), (2, [0.4, 0.5]), (1, [1, 0.4]))


def expanded(policy, archive=ARCHIVE):
    choices = [choice for choice in chosen(policy, archive, 300) if isinstance(choice, Expand)]
    assert len(choices) == 300
    return choices


def test_an_edit_is_taken_from_what_beat_its_parent():
    pairs = {choice.parents[1:] for choice in expanded(Thought())}
    assert pairs == {(1, 0), (3, 2)}


def test_of_the_elites_the_best_are_taken_but_never_the_one_that_is_edited():
    choices = expanded(Thought(elites=1))
    assert {choice.parents for choice in choices if choice.parents[0] == 1} == {(1, 3, 2)}
    assert {choice.parents[1] for choice in choices if choice.parents[0] != 1} == {1}


def test_without_knowing_what_helped_any_edit_is_taken():
    assert {choice.parents[1] for choice in expanded(Thought(edits="any"))} == {1, 2, 3, 4}


def test_only_the_best_live_and_are_edited():
    assert {choice.parents[0] for choice in expanded(Thought(population=2))} == {1, 4}


def test_without_an_elite_there_is_one_parent():
    assert Thought().choose(grown(1, (None, [0.5])), LEFT, np.random.default_rng(0)) == Expand((0,))


def test_an_edit_is_made_once_more():
    made = replayed(np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0]), np.array([0, 0, 1, 1]))
    assert made.tolist() == [1, 1, 0, 0]
    assert replayed(np.zeros(3, int), np.array([0, 1, 1]), np.array([1, 1, 0])).tolist() == [0, 0, 1]


def test_the_best_that_are_unlike():
    genomes = np.array([[0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
    assert unlike(genomes, [0.5, 0.9, 0.8, 0.1], apart=0.25) == [1, 2, 3]
    assert unlike(genomes, [0.5, 0.9, 0.8, 0.1], apart=0.5) == [1, 3]
    assert unlike(genomes, [0.5, 0.9, 0.8, 0.1], count=1) == [1]


@pytest.mark.parametrize("fed", ["edit", "nothing"])
def test_a_child_by_replay_has_what_the_elite_has_otherwise_than_its_ancestor(fed):
    ground = KModule.drawn(np.random.default_rng(0), modules=8)
    game = Guided(ground, Thought(), 0, 1200, fed=fed)
    for _ in game.steps():
        pass
    replays = 0
    for number, node in enumerate(game.archive.nodes):
        if node.mutator == "edit":
            first, elite, ancestor = (game.genomes[parent] for parent in node.parents)
            assert (game.genomes[number] == replayed(first, elite, ancestor)).all()
            replays += 1
    assert (replays > 10) == (fed == "edit")


def test_sides_cost_the_same_and_a_seed_is_a_seed():
    sides = [Advanced("edit", evaluations=400), Advanced("nothing", evaluations=400)]
    trials = [side(1000, {}) for side in sides]
    assert trials[0].compute == trials[1].compute == {CLAIM.counter: 400.0}
    assert trials[0].value == sides[0](1000, {}).value != trials[1].value
    assert trials[0].beside.keys() == {"skill", "diversity"}
