from math import exp

import numpy as np
import pytest
from grown import LEFT, chosen, evaluated, grown, shares

from autotroph.core.errors import AutotrophError
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.policies.dgm import DGM
from autotroph.evolve.policies.gepa import GEPA, undominated
from autotroph.evolve.policies.hgm import HGM, drawn
from autotroph.evolve.policies.hyperagents import HyperAgents
from autotroph.evolve.policies.islands import Islands
from autotroph.evolve.policies.plateau import Plateau
from autotroph.evolve.policies.registry import POLICIES, policy
from autotroph.evolve.policies.shinka import Shinka
from autotroph.evolve.protocols import Evaluate, Expand, Left

FINISHED = grown(2, (None, [0, 0]), (0, [1, 1]), (0, [1, 0]))
WHOLE = [name for name in POLICIES if name not in ("hgm", "gepa")]
"""Policies that evaluate a child on all tasks before the next one."""


def sigmoid(x):
    return 1 / (1 + exp(-x))


@pytest.mark.parametrize("name", WHOLE)
def test_the_newest_child_is_evaluated_before_the_next_is_made(name):
    archive = grown(2, (None, [0, 0]), (0, [1]), (0, [1]))
    assert {evaluated(choice) for choice in chosen(policy(name), archive, 20)} == {2}


@pytest.mark.parametrize("name", POLICIES)
def test_a_choice_is_a_function_of_archive_and_generator(name):
    def choose():
        return policy(name).choose(FINISHED, LEFT, np.random.default_rng(7))

    assert choose() == choose()


@pytest.mark.parametrize("name", POLICIES)
def test_while_everything_is_pending_the_root_is_expanded(name):
    archive = Archive(1)
    archive.add(Node("root"))
    archive.begin(0)
    choice = policy(name).choose(archive, LEFT, np.random.default_rng(0))
    assert isinstance(choice, Expand)
    assert choice.parents == (0,)


def test_baselines_choose_their_parents():
    assert shares(policy("random"), FINISHED) == pytest.approx([1 / 3] * 3, abs=0.04)
    assert shares(policy("best_of_n"), FINISHED, 50) == [1, 0, 0]
    assert shares(policy("hill_climb"), FINISHED, 50) == [0, 1, 0]


def test_hill_climbing_stays_where_a_child_is_no_better():
    assert shares(policy("hill_climb"), grown(1, (None, [1]), (0, [1])), 20) == [1, 0]


def test_dgm_weighs_by_score_and_children():
    weights = DGM().weigh(np.array([0.5, 0.7, 0.7]), np.array([0, 0, 3]))
    assert weights == pytest.approx([0.5, sigmoid(2), sigmoid(2) / 4])


def test_dgm_draws_by_its_weights():
    weights = np.array([sigmoid(-5) / 3, sigmoid(5), sigmoid(0)])
    assert shares(DGM(), FINISHED) == pytest.approx(weights / weights.sum(), abs=0.04)


def test_hyperagents_stands_scores_to_the_three_best():
    weights = HyperAgents().weigh(np.array([0.1, 0.5, 0.6, 0.7]), np.array([0, 0, 8, 4]))
    expected = [sigmoid(-5), sigmoid(-1), sigmoid(0) * exp(-1), sigmoid(1) * exp(-1 / 8)]
    assert weights == pytest.approx(expected)


def test_shinka_scales_by_the_median_distance():
    # median .4, distances .3 .1 0 .1 .5, MAD .1
    weights = Shinka().weigh(np.array([0.1, 0.3, 0.4, 0.5, 0.9]), np.array([0, 1, 0, 1, 0]))
    expected = [sigmoid(-30), sigmoid(-10) / 2, 0.5, sigmoid(10) / 2, sigmoid(50)]
    assert weights == pytest.approx(expected, rel=1e-6)


def test_shinka_leaves_out_all_but_the_elite():
    weights = Shinka(elite=2).weigh(np.array([0.1, 0.3, 0.4]), np.zeros(3))
    assert weights[0] == 0
    assert (weights[1:] > 0).all()


@pytest.mark.parametrize(("nodes", "expands"), [(32, True), (33, True), (34, False)])
def test_hgm_expands_by_evaluations_to_the_power_of_point_6(nodes, expands):
    # 343 evaluations ** .6 = 33.2 ... so 33 nodes beside the root may be there, and no more
    archive = grown(400, (None, [0] * 340), *[(0, [])] * nodes)
    for _ in range(3):
        archive.begin(0)
    assert 33 < 343**0.6 < 34
    assert HGM().expands(archive) is expands
    archive.expanding = 2
    assert HGM().expands(archive) is (nodes + 2 <= 33)


def test_hgm_expands_the_better_clade_and_evaluates_the_better_node():
    # node 1 fails where its child does not; node 2 is better than it, and its clade is itself
    archive = grown(200, (None, [0] * 60), (0, [0] * 4), (0, [1, 0, 0, 0]), (1, [1] * 4))
    parents = [choice.parents[0] for choice in chosen(HGM(cooling=0), archive) if isinstance(choice, Expand)]
    assert parents.count(3) > parents.count(1) > 2 * parents.count(2) > parents.count(0)
    archive.expanding = 100
    nodes = [evaluated(choice) for choice in chosen(HGM(cooling=0), archive)]
    assert nodes.count(3) > nodes.count(2) > 2 * nodes.count(1)


def test_hgm_does_not_leak_outcomes_of_descendants_into_a_nodes_own():
    archive = grown(50, (None, [0] * 5), (0, [1] * 40))
    before = [dict(own) for own in archive.outcomes], archive.column("trials").copy(), archive.table.copy()
    clades = archive.column("clade_trials").copy(), archive.column("clade_successes").copy()
    chosen(HGM(), archive, 50)
    assert archive.outcomes == before[0]
    assert archive.column("trials").tolist() == before[1].tolist() == [5, 40]
    assert np.array_equal(archive.table, before[2], equal_nan=True)
    assert clades[0].tolist() == archive.column("clade_trials").tolist() == [45, 40]
    assert clades[1].tolist() == archive.column("clade_successes").tolist() == [40, 40]


def test_hgm_draws_from_the_beta_posterior():
    rng = np.random.default_rng(0)
    first = [drawn(np.array([2.0, 0.0]), np.array([2.0, 0.0]), 1.0, rng) for _ in range(2000)]
    # P(Beta(3, 1) > Beta(1, 1)) = E Beta(3, 1) = 3/4
    assert np.mean(np.array(first) == 0) == pytest.approx(0.75, abs=0.03)


def test_hgm_sharpens_as_the_budget_is_spent():
    def better(sharper):
        rng = np.random.default_rng(0)
        return np.mean([drawn(np.array([3, 2]), np.array([5, 5]), sharper, rng) == 0 for _ in range(1000)])

    assert better(1.0) < better(4.0) < better(40.0)
    # all but one evaluation is spent of 400: with c = 400 the draws are the means 5/8 and 1/3
    archive = grown(400, (None, [1] * 4 + [0] * 2), (0, [0]))
    archive.expanding = 100
    assert {evaluated(choice) for choice in chosen(HGM(), archive, 30, Left(1, 400))} == {0}
    assert {evaluated(choice) for choice in chosen(HGM(), archive, 30, Left(400, 400))} == {0, 1}


def test_gepa_tries_a_minibatch_and_goes_on_only_where_it_is_better():
    root = (None, [1, 0, 1, 0, 1])
    assert evaluated(GEPA().choose(grown(5, root, (0, [1, 1])), LEFT, np.random.default_rng(0))) == 1
    assert evaluated(GEPA().choose(grown(5, root, (0, [1, 1, 1])), LEFT, np.random.default_rng(0))) == 1
    for dropped in ([1, 0, 1], [0, 1, 0], [1, 1, 0]):
        assert shares(GEPA(), grown(5, root, (0, dropped)), 20) == [1, 0]


def test_gepa_compares_on_the_childs_own_minibatch():
    # with a turn of 3 node 1 begins with tasks 3, 4, 0, where the root has 0 + 0 + 1
    root = (None, [1, 1, 1, 0, 0])
    assert evaluated(GEPA().choose(grown(5, root, (0, [1, 1, 0]), turn=3), LEFT, np.random.default_rng(0))) == 1
    assert shares(GEPA(), grown(5, root, (0, [1, 0, 0]), turn=3), 20) == [1, 0]


def test_gepa_waits_for_a_minibatch_that_is_pending():
    archive = grown(5, (None, [0] * 5), (0, [1, 1]))
    archive.begin(1)
    assert shares(GEPA(), archive, 20) == [1, 0]


def test_gepa_draws_by_the_tasks_that_are_led():
    # the third is dominated by the first though it leads a task together with it
    led = GEPA().led(np.array([[0.9, 0.5, 0.2], [0.1, 0.4, 0.8], [0.9, 0.3, 0.1], [0.0, 0.0, 0.0]]))
    assert led.tolist() == [2, 1, 0, 0]


def test_gepa_keeps_a_leader_whose_tasks_others_lead_but_none_dominates_it():
    table = np.array([[1.0, 0.0, 0.9], [0.0, 1.0, 0.9], [1.0, 1.0, 0.0]])
    assert GEPA().led(table).tolist() == [2, 2, 2]


def test_gepa_keeps_equal_leaders_all():
    assert GEPA().led(np.array([[1.0, 0.0], [1.0, 0.0], [0.5, 0.0]])).tolist() == [2, 2, 0]


def test_domination():
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5], [0.4, 0.5], [1.0, 0.1]])
    assert undominated(rows).tolist() == [True, False, True, False, True]


def test_islands_take_turns_and_keep_to_their_own():
    archive = grown(1, (None, [0]), (0, [1]), (0, [1]), (0, [1]), tags=[0, 0, 1, 2])
    choices = chosen(Islands(islands=3), archive)
    assert {choice.tag for choice in choices if isinstance(choice, Expand)} == {0}
    assert {choice.parents[0] for choice in choices if isinstance(choice, Expand)} == {0, 1}


def test_islands_draw_in_their_proportions():
    # one cell: its elite is node 1; fitness 0, .4, .2 of sum .6
    archive = grown(1, (None, [0]), (0, [0.4]), (0, [0.2]))
    expected = [0.2 / 3, 0.2 / 3 + 0.7 + 0.1 * 2 / 3, 0.2 / 3 + 0.1 / 3]
    assert shares(Islands(islands=1), archive) == pytest.approx(expected, abs=0.04)


def test_islands_elites_are_the_best_of_their_cells():
    archive = grown(2, (None, [0, 0]), (0, [1, 0.2]), (0, [0.8, 0]), (0, [0, 0.5]))
    assert Islands().elites(archive, np.arange(4)).tolist() == [1, 3]


def test_islands_lend_their_best_to_their_neighbours():
    own = [(0, [number / 10]) for number in range(8)]
    archive = grown(1, (None, [0]), *own, tags=[0, *[0, 1, 2, 3] * 2])
    lending = Islands(islands=4, interval=2, rate=0.5)
    assert lending.members(archive, 1).tolist() == [0, 2, 5, 6, 7]
    assert Islands(islands=4, interval=3).members(archive, 1).tolist() == [0, 2, 6]


def test_plateau_switches_where_nothing_gets_better_and_back():
    rising, flat = [(0, [1] * 4)], [(0, [1, 0, 0, 0])] * 3
    plateau = Plateau(policy("hill_climb"), policy("best_of_n"), patience=3)
    root = (None, [0] * 4)
    assert shares(plateau, grown(4, root, *flat[:2], *rising), 5) == [0, 0, 0, 1]
    assert shares(plateau, grown(4, root, *rising, *flat), 5) == [1, 0, 0, 0, 0]
    assert shares(plateau, grown(5, (None, [0] * 5), (0, [1] * 4 + [0]), *[(0, [0] * 5)] * 3, (0, [1] * 5)), 5)[-1] == 1


def test_registry_gives_settings_and_refuses_others():
    assert policy("dgm", sharpness=2.0) == DGM(sharpness=2.0)
    assert POLICIES["hgm"].defaults == {"growth": 0.6, "cooling": 1.0, "pooled": True}
    assert all(policy(name).name == name for name in POLICIES)
    with pytest.raises(AutotrophError, match="no search policy 'greedy'; there are random, best_of_n"):
        policy("greedy")
    with pytest.raises(AutotrophError, match="'dgm' has no setting 'top'; it has sharpness, middle"):
        policy("dgm", top=1)
    with pytest.raises(TypeError):
        POLICIES["mine"] = POLICIES["dgm"]


def test_evaluate_is_never_of_a_node_that_is_closed():
    archive = grown(5, (None, [0] * 5), (0, [0]))
    archive.close(1)
    for name in POLICIES:
        assert not any(isinstance(choice, Evaluate) for choice in chosen(policy(name), archive, 5))
