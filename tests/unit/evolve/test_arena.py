import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from autotroph.cli.main import invoke
from autotroph.core.errors import AutotrophError
from autotroph.evolve.arena import Contest, Game, Trial, contested, landscape, played
from autotroph.evolve.landscapes import DriftTree
from autotroph.evolve.policies.registry import POLICIES, policy
from autotroph.evolve.protocols import Evaluate, Expand

SMALL = Contest(("random", "hgm"), ("drift_tree",), 60, 2)


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("place", ["drift_tree", "k_module"])
def test_every_policy_spends_exactly_its_evaluations_and_no_task_twice(name, place):
    game = Game(landscape(place, 0), policy(name), 0, 150)
    assert len(list(game.steps())) == game.archive.evaluations == 150
    assert sum(map(len, game.archive.outcomes)) == 150


def test_a_trial_can_be_repeated_and_depends_on_its_seed():
    assert played("hgm", "drift_tree", 1, 200) == played("hgm", "drift_tree", 1, 200)
    assert played("hgm", "drift_tree", 1, 200) != played("hgm", "drift_tree", 2, 200)


def test_policies_meet_the_same_landscape_and_root():
    games = [Game(landscape("nk", 5), policy(name), 5, 1) for name in ("random", "gepa")]
    assert np.array_equal(games[0].landscape.worth, games[1].landscape.worth)
    assert np.array_equal(games[0].genomes[0], games[1].genomes[0])


def test_what_is_scored_is_the_true_skill_of_the_pick():
    game = Game(landscape("drift_tree", 0), policy("random"), 0, 300)
    list(game.steps())
    trial = played("random", "drift_tree", 0, 300)
    skills = [genome[1] for genome in game.genomes]
    assert trial == Trial(skills[game.archive.best(1.0)], max(skills), 15, None)


def test_solved_counts_evaluations_up_to_the_first_finished_node_of_skill_1():
    whole = played("hill_climb", "k_module", 2, 400)
    assert whole.solved is not None
    assert whole.solved % 5 == 0
    assert played("hill_climb", "k_module", 2, whole.solved, stop=True).solved == whole.solved
    assert played("hill_climb", "k_module", 2, whole.solved - 1, stop=True).solved is None


class Endless:
    name = "endless"

    def choose(self, archive, left, rng):
        return Expand((0,))


class Again:
    name = "again"

    def choose(self, archive, left, rng):
        return Evaluate(0)


def test_a_policy_that_breaks_its_promise_is_named():
    with pytest.raises(RuntimeError, match="'endless': 1000 children and no evaluation"):
        list(Game(DriftTree(), Endless(), 0, 10).steps())
    with pytest.raises(RuntimeError, match="'again': node 0 has no task left"):
        list(Game(DriftTree(tasks=3), Again(), 0, 10).steps())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"policies": ("greedy",)}, "no search policy 'greedy'"),
        ({"policies": ()}, "no search policy"),
        ({"landscapes": ("alps",)}, "no landscape 'alps'"),
        ({"evaluations": 0}, "0 evaluations"),
        ({"seeds": 1}, "1 seeds"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, message):
    with pytest.raises(AutotrophError, match=message):
        replace(SMALL, **change).check()


def test_trials_are_those_of_each_seed():
    with ThreadPoolExecutor(1) as pool:
        found = contested(SMALL, pool)
    assert found["drift_tree"]["hgm"] == [played("hgm", "drift_tree", seed, 60) for seed in range(2)]


def test_the_command_prints_json_and_refuses_a_strange_name(capsys, monkeypatch):
    monkeypatch.setattr(
        "autotroph.evolve.arena.contested", lambda contest, pool: {"nk": {"random": [Trial(0.5, 0.6, 7, None)] * 2}}
    )
    assert invoke(["arena", "random", "--on", "nk", "--seeds", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["landscapes"]["nk"]["random"]["skill"] == {"mean": 0.5, "interval": [0.5, 0.5]}
    monkeypatch.undo()
    assert invoke(["arena", "greedy"]) == 2
    assert "no search policy 'greedy'" in capsys.readouterr().err
