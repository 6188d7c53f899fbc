import numpy as np
import pytest
from grown import grown

from autotroph.core.errors import AutotrophError
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.price import Descent, clades, descent, islands, price
from autotroph.recipes.gard import figures

TRAITS, GROUPS = np.array([1.0, 2.0, 3.0, 6.0]), np.array([0, 0, 7, 7])


def test_the_terms_by_hand():
    # w = (1, 3, 2, 2), mean 2; means 1.5 and 4.5 of the traits, 2 and 2 of the fitness
    # within: ((-1)(-.5) + (1)(.5) + 0 + 0) / 4 / 2 = 1/8; transmitted: (1 * 1 + 2 * -1) / 4 / 2 = -1/8
    terms = price(TRAITS, GROUPS, np.array([1.0, 3, 2, 2]), np.array([1.0, 0, -1, 0]))
    assert (terms.between, terms.within, terms.transmitted) == pytest.approx((0, 1 / 8, -1 / 8))


def test_selection_of_a_group_is_between():
    # W = (0, 2), mean 1, Z = (1.5, 4.5): (1 * 1.5 + 1 * 1.5) / 2 = 1.5; within the second (1)(-1.5), (-1)(1.5) / 4
    terms = price(TRAITS, GROUPS, np.array([0.0, 0, 3, 1]), np.zeros(4))
    assert (terms.between, terms.within) == pytest.approx((1.5, -0.75))


def test_groups_of_different_sizes_count_by_their_size():
    trait, fitness = np.array([0.0, 0, 3, 9]), np.array([1.0, 0, 2, 5])
    terms = price(trait, np.array([0, 0, 0, 1]), fitness, np.zeros(4))
    # mean after: (3 * 2 + 9 * 5) / 8, before 3
    assert terms.total == pytest.approx(51 / 8 - 3)
    assert terms.between == pytest.approx((3 * (1 - 2) * (1 - 3) + (5 - 2) * (9 - 3)) / 4 / 2)


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_is_the_change_for_any_groups_and_any_parents(seed):
    rng = np.random.default_rng(seed)
    lineage = Descent(rng.random(20), rng.random(90), rng.integers(20, size=90))
    terms = price(lineage.trait_A, rng.integers(4, size=20), lineage.fitness_A, lineage.passed_A)
    assert abs(terms.total - lineage.change) < 1e-12
    dealt = price(lineage.trait_A, np.zeros(20), rng.permutation(lineage.fitness_A), lineage.passed_A)
    assert abs(dealt.total - lineage.change) > 1e-6


# the root, two children of it, a grandchild that comes later, and its child
ARCHIVE = grown(2, (None, [0, 0]), (0, [1, 0]), (0, [0, 0]), (1, [1, 1]), (3, [1, 0]), tags=(0, 1, 2, 1, 1))


def test_whoever_stays_descends_from_itself_and_a_later_one_from_the_nearest_that_was_there():
    lineage, ancestors = descent(ARCHIVE, 3)
    assert ancestors.tolist() == [0, 1, 2]
    assert lineage.ancestor_D.tolist() == [0, 1, 2, 1, 1]
    assert lineage.fitness_A.tolist() == [1, 3, 1]
    assert lineage.passed_A == pytest.approx([0, (0 + 0.5 + 0) / 3, 0])
    assert lineage.change == pytest.approx(2 / 5 - 0.5 / 3)


def test_a_node_that_is_not_evaluated_counts_for_nothing():
    archive = grown(2, (None, [0, 0]), (0, [1]), (1, [1, 1]))
    lineage, ancestors = descent(archive, 2)
    assert ancestors.tolist() == [0]
    assert lineage.ancestor_D.tolist() == [0, 0]


def test_groups_are_islands_or_clades():
    nodes = np.arange(5)
    assert islands(ARCHIVE, nodes).tolist() == [0, 1, 2, 1, 1]
    assert clades(ARCHIVE, nodes).tolist() == [0, 1, 2, 1, 1]
    assert clades(ARCHIVE, np.array([4])).tolist() == [1]


def test_the_figures_of_a_cycle_add_up_to_the_change():
    found = figures("clades", ARCHIVE, 3)
    assert found["between"] + found["within"] + found["transmitted"] == pytest.approx(found["change"])
    assert figures("islands", ARCHIVE, 0)["transmitted"] == pytest.approx(40)


def test_refusals():
    with pytest.raises(AutotrophError, match="nobody has a descendant"):
        price(TRAITS, GROUPS, np.zeros(4), np.zeros(4))
    bare = Archive(1)
    bare.add(Node("root"))
    with pytest.raises(AutotrophError, match="evaluate the root first"):
        descent(bare, 1)
