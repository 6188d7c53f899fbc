import numpy as np
import pytest

from autotroph.evolve.landscapes import LANDSCAPES, NK, DriftTree, KModule, NoisyPlateau, SkillMatrix, mixed

RNG = np.random.default_rng


@pytest.mark.parametrize("name", LANDSCAPES)
def test_skill_is_the_mean_outcome_over_all_tasks(name):
    place = LANDSCAPES[name](RNG(0))
    genome = place.root(RNG(1))
    for _ in range(10):
        genome = place.child([genome], RNG(2))
    repeats = 200 if place.noisy else 1
    rng = RNG(3)
    outcomes = [place.outcome(genome, task, rng) for task in range(place.tasks) for _ in range(repeats)]
    assert np.mean(outcomes) == pytest.approx(place.skill(genome), abs=0.03 if place.noisy else 1e-12)
    assert all(0 <= outcome <= 1 for outcome in outcomes)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_an_edit_leaves_its_parent_alone(name):
    place = LANDSCAPES[name](RNG(0))
    root = place.root(RNG(1))
    before = root.copy()
    for seed in range(20):
        place.child([root], RNG(seed))
        place.child([root, root], RNG(seed))
    assert np.array_equal(root, before)


def test_a_drifting_child_differs_by_what_it_inherits_and_by_what_is_its_own():
    tree = DriftTree(start=0.5)
    root = tree.root(RNG(0))
    rng = RNG(1)
    children = [tree.child([root], rng) for _ in range(4000)]
    broken = [child for child in children if np.isneginf(child[0])]
    assert len(broken) / len(children) == pytest.approx(0.05, abs=0.015)
    sound = np.array([child for child in children if not np.isneginf(child[0])])
    assert sound[:, 0].std() == pytest.approx(0.04, abs=0.003)
    assert (sound[:, 1] - sound[:, 0]).std() == pytest.approx(0.03, abs=0.003)


def test_what_is_broken_stays_broken():
    tree = DriftTree(failure=1.0)
    child = tree.child([tree.root(RNG(0))], RNG(1))
    assert tree.skill(DriftTree(failure=0.0).child([child], RNG(2))) == 0


def test_a_task_of_the_matrix_asks_for_two_skills():
    place = SkillMatrix(np.array([[0, 1], [1, 2]]), np.array([0.5, 0.5]), skills=3)
    # means .5 and 1: sigmoid(0) and sigmoid(2)
    assert place.chances(np.array([1.0, 0.0, 2.0])) == pytest.approx([0.5, 1 / (1 + np.exp(-2))])


def test_a_module_lures_away_from_its_key():
    place = KModule(np.array([[1, 0, 1], [0, 0, 0]]))
    worth = [
        place.outcome(np.array([*bits, 1, 1, 1]), 0, RNG(0)) for bits in ((1, 0, 1), (1, 0, 0), (1, 1, 0), (0, 1, 0))
    ]
    assert worth == pytest.approx([1, 0, 0.3, 0.6])
    assert place.skill(np.array([1, 0, 1, 0, 0, 0])) == 1


def test_no_module_is_solved_at_the_root():
    for seed in range(50):
        place = KModule.drawn(RNG(seed))
        assert place.values(place.root(RNG(seed))).max() < 1


def test_nk_looks_each_bit_up_with_its_neighbours():
    # bit 0 with bit 1, bit 1 with bit 0; the row is own + 2 * other
    place = NK(np.array([[0, 1], [1, 0]]), np.array([[0.0, 0.1, 0.2, 0.3], [0.4, 0.5, 0.6, 0.7]]), block=1)
    assert place.values(np.array([1, 0])).tolist() == [0.1, 0.6]
    assert place.skill(np.array([1, 1])) == pytest.approx(0.5)


def test_a_plateau_shows_nothing_before_a_step_is_done():
    place = NoisyPlateau()
    assert [place.skill(np.array([where])) for where in (0, 2, 3, 24, 90)] == pytest.approx([0.2, 0.2, 0.3, 1, 1])


def test_a_child_of_two_takes_from_both():
    made = mixed([np.zeros(200), np.ones(200)], RNG(0))
    assert 60 < made.sum() < 140
