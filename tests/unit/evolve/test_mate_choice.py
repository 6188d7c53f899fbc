import numpy as np
import pytest
from grown import LEFT, chosen, grown

from autotroph.evolve.policies.mate_choice import MateChoice, packed, unpacked
from autotroph.evolve.protocols import Expand

RNG = np.random.default_rng(0)
# ideals: node 1 wants a mate that solves the second task alone, node 2 one that solves the first alone
ARCHIVE = grown(2, (None, [0, 0]), (0, [1, 0]), (0, [0, 1]), (0, [1, 1]), tags=(0, 0b10, 0b01, 0b11))


@pytest.mark.parametrize("bits", [[0, 0, 0], [1, 0, 1], [0, 1, 1]])
def test_an_ideal_is_kept_in_a_tag(bits):
    assert unpacked(packed(np.array(bits)), 3).tolist() == bits


@pytest.mark.parametrize(("first", "mate"), [(1, 2), (2, 1), (3, 3), (0, 0)])
def test_a_mate_is_the_nearest_to_the_ideal(first, mate):
    assert MateChoice().mate(ARCHIVE, first, np.array([3, 2, 1, 0]), RNG) == mate


def test_without_preference_the_first_suitor_is_taken():
    assert MateChoice(mates="random").mate(ARCHIVE, 1, np.array([3, 2]), RNG) == 3


def test_an_ideal_is_inherited_bit_by_bit():
    policy = MateChoice(mutation=0)
    found = {policy.inherited(ARCHIVE, (1, 3), np.random.default_rng(seed)) for seed in range(40)}
    assert found == {0b10, 0b11}
    assert MateChoice(mutation=2).inherited(ARCHIVE, (3, 3), RNG) == 0


def test_founders_come_from_the_root_and_later_children_have_two_parents():
    assert all(choice.parents == (0,) for choice in chosen(MateChoice(), ARCHIVE, 10) if isinstance(choice, Expand))
    choices = chosen(MateChoice(population=3, tournament=30), ARCHIVE, 20)
    assert {choice.parents[0] for choice in choices if isinstance(choice, Expand)} == {3}
    assert all(choice.parents[1] in (1, 2, 3) for choice in choices if isinstance(choice, Expand))


def test_choices_follow_from_the_archive_and_the_generator():
    policy = MateChoice(population=3)
    one, two = (policy.choose(ARCHIVE, LEFT, np.random.default_rng(3)) for _ in range(2))
    assert one == two
