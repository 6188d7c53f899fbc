"""A cognition base: what is remembered for an edit, what is learnt from it, and how that weighs."""

from dataclasses import replace

import numpy as np
import pytest
from evolve.mutate.programs import PROGRAMS, around
from grown import grown

from autotroph.evolve.candidate import Candidate
from autotroph.evolve.cognition import Briefing, Cognition, Experiment, Lesson, analyzed, taught
from autotroph.evolve.landscapes import ClearSkills
from autotroph.evolve.mutate.crossover import Crossover
from autotroph.evolve.mutate.syntax import WEIGHTS, Syntax
from autotroph.evolve.mutate.taught import Taught, apart
from autotroph.evolve.policies.hill_climb import HillClimb
from autotroph.evolve.protocols import Parent
from autotroph.recipes.asi_evolve import CLAIM, Designed, Evolved

ARCHIVE = grown(2, (None, [0.2, 0.2]), (0, [0.6, 0.2]), (1, [0.6, 0.1]), (0, [0.2]), (1, []))
for number, edit in enumerate(["", "grow", "cut", "grow", "cut"]):
    ARCHIVE.nodes[number] = replace(ARCHIVE.nodes[number], mutator=edit, note=f"{edit} {number}")


def known(archive, node, nearest=40):
    return [(one.note, pytest.approx(one.gain)) for one in Cognition(nearest).experiments(archive, node)]


def test_an_experiment_compares_child_and_parent_on_the_tasks_of_both():
    assert known(ARCHIVE, 0) == [("grow 3", 0.0), ("grow 1", 0.2), ("cut 2", -0.05)]


def test_experiments_on_the_likest_parents_come_first_and_the_others_are_forgotten():
    assert [note for note, _ in known(ARCHIVE, 2)] == ["cut 2", "grow 3", "grow 1"]
    assert [note for note, _ in known(ARCHIVE, 2, nearest=1)] == ["cut 2"]


def test_a_node_of_which_nothing_is_known_is_like_none_and_an_archive_of_one_teaches_nothing():
    assert [note for note, _ in known(ARCHIVE, 4)] == ["grow 3", "cut 2", "grow 1"]
    assert Cognition().briefing(grown(1, (None, [0.5])), 0) == Briefing()


def test_lessons_count_what_helped():
    found = analyzed([Experiment("a", "", 0.25, 0.5), Experiment("a", "", 0.5, 0.25), Experiment("b", "", 0.5, 0.5)])
    assert found == (Lesson("a", 2, 1, 0.0), Lesson("b", 1, 0, 0.0))


def test_a_kind_weighs_times_the_chance_that_it_helps():
    lessons = [Lesson("a", 6, 5, 0.1), Lesson("b", 6, 1, 0.0)]
    # over all (6 + 1) / (12 + 2) = 1/2; a (5 + 1) / 8, b (1 + 1) / 8, c is like all
    assert taught([1.0, 1.0, 2.0], ["a", "b", "c"], lessons) == [0.75, 0.25, 1.0]
    assert taught([3.0, 1.0], ["a", "b"], []) == [1.5, 0.5]


def test_syntax_is_taken_apart_by_its_kinds():
    parts = apart([(Syntax(), 3.0), (Crossover(), 1.0)])
    assert sum(weight for _, weight in parts) == pytest.approx(4.0)
    assert {one.name for one, _ in parts} == {"crossover", *(f"syntax-{kind}" for kind in WEIGHTS)}
    number = next(weight for one, weight in parts if one.name == "syntax-number")
    assert number == pytest.approx(3 * WEIGHTS["number"] / sum(WEIGHTS.values()))


def test_what_has_helped_is_drawn_more_often():
    mutator = Taught(apart([(Syntax(more=0.0), 1.0)]))
    lessons = tuple(Lesson(f"syntax-{kind}", 98, 97 if kind == "delete" else 1, 0.0) for kind in WEIGHTS)
    parent = Parent(Candidate.of({"main.py": PROGRAMS[0]}))

    def drawn(briefing):
        edits = [mutator.edit([parent], around(seed, briefing=briefing)) for seed in range(60)]
        return sum(edit.mutator == "syntax-delete" for edit in edits)

    assert drawn(Briefing()) < 20 < 40 < drawn(Briefing(lessons))


def test_an_edit_by_kind_raises_or_lowers_that_skill():
    ground = ClearSkills.drawn(np.random.default_rng(0))
    rng, zero = np.random.default_rng(1), np.zeros(8)
    for kind in ground.kinds:
        way, skill = kind.split()
        made = ground.edited(zero, kind, rng)
        assert np.sign(made[int(skill)]) == (1 if way == "raise" else -1)
        assert sorted(np.abs(made))[:6] == [0] * 6
        assert made.min() == pytest.approx(min(-abs(made[int(skill)]) / 3, made[int(skill)]))
    assert not zero.any()
    assert ground.outcome(zero, 3, rng) == ground.chances(zero)[3]


def test_weights_follow_lessons_unless_nothing_is_known():
    ground = ClearSkills.drawn(np.random.default_rng(0))
    games = {knows: Designed(ground, HillClimb(), 1, 400, knows=knows) for knows in ("lessons", "dealt", "nothing")}
    for game in games.values():
        for _ in game.steps():
            pass
    assert set(games["nothing"].weights(0)) == {1.0}
    game = games["lessons"]
    helped = {one.edit: one.helped / one.tried for one in game.cognition.briefing(game.archive, 0).lessons}
    weights = dict(zip(ground.kinds, game.weights(0), strict=True))
    assert weights[max(helped, key=helped.__getitem__)] > weights[min(helped, key=helped.__getitem__)]
    assert games["dealt"].weights(0) != games["dealt"].weights(0)


def test_sides_cost_the_same_and_a_seed_is_a_seed():
    sides = [Evolved("lessons", 400), Evolved("nothing", 400)]
    trials = [side(1000, {}) for side in sides]
    assert trials[0].compute == trials[1].compute == {CLAIM.counter: 400.0}
    assert trials[0].value == sides[0](1000, {}).value != trials[1].value
