"""The search: what is chosen rests on what is known, in an order that no clock decides."""

from __future__ import annotations

import time

import pytest
from evolve.aim import Aim, Climb, Step

from autotroph.core.errors import AutotrophError
from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.cognition import Cognition
from autotroph.evolve.evolution import Kept
from autotroph.evolve.policies.registry import policy
from autotroph.evolve.protocols import Edit
from autotroph.evolve.search import BARREN, Population, Search, Settings, Stage, Tried

SEED = Candidate.of(Aim.starter)


class Counting:
    """Scores a program by its number, without a jail; slow ones are slow."""

    def __init__(self, tasks: int = 1, slow: float = 0.0):
        self.tasks, self.slow, self.calls = tasks, slow, 0

    def evaluate(self, candidate: Candidate, task: int) -> Tried:
        self.calls += 1
        number = int(candidate.text("numbers_of_mine.py").split("=")[1])
        time.sleep(self.slow * (number % 3))
        return Tried(max(0.0, 1 - abs(number - 7) / 10), f"task {task}")


def begun(tasks: int = 1) -> Population:
    population = Population(Archive(tasks))
    population.add(SEED, Node(SEED.id))
    return population


def searched(settings: Settings, evaluator: Counting, mutator: object = None, seed: int = 0) -> tuple[Population, int]:
    population = begun(evaluator.tasks)
    return population, Search(population, Climb(), mutator or Step(), evaluator, settings, seed).run()


def test_it_climbs_to_the_best_and_spends_what_it_was_given() -> None:
    evaluator = Counting()
    population, picked = searched(Settings(80, ahead=1, z=0.0), evaluator)
    assert population.candidate(picked).text("numbers_of_mine.py") == "X = 7\n"
    assert evaluator.calls == population.archive.evaluations <= 80


@pytest.mark.parametrize("ahead", [1, 4])
def test_time_decides_nothing(ahead: int) -> None:
    runs = [searched(Settings(30, ahead=ahead, z=0.0), Counting(2, slow), seed=3)[0] for slow in (0.0, 0.004)]
    assert runs[0].archive.nodes == runs[1].archive.nodes
    assert runs[0].archive.outcomes == runs[1].archive.outcomes
    assert runs[0].refused == runs[1].refused
    assert runs[0].refused["step: it is in the archive already"] > 0


@pytest.mark.parametrize("cognition", [None, Cognition(nearest=5, priors="seven")])
def test_a_mutator_is_told_what_the_search_has_learnt(cognition: Cognition | None) -> None:
    told = []

    class Told(Step):
        def edit(self, parents, around) -> Edit:
            told.append(around.briefing)
            return super().edit(parents, around)

    searched(Settings(20, ahead=1, cognition=cognition), Counting(), Told())
    if cognition is None:
        assert {one.lessons for one in told} == {()}
        return
    assert told[0].lessons == ()
    assert told[0].priors == "seven"
    [lesson] = told[-1].lessons
    assert (lesson.edit, lesson.tried) == ("step", 5)
    assert 0 < lesson.helped < 5
    assert all(one.note in ("by 1", "by -1") and abs(one.gain) == pytest.approx(0.1) for one in told[-1].experiments)


def test_a_mutator_that_makes_nothing_ends_the_search() -> None:
    class Idle(Step):
        def edit(self, parents, around) -> Edit:
            raise NoEdit("nothing comes to mind")

    population, picked = searched(Settings(1000, ahead=2), Counting(), Idle())
    assert picked == 0
    assert BARREN <= population.refused["step: nothing comes to mind"] <= BARREN + 2


def test_a_candidate_that_fails_its_first_tasks_is_tried_no_further() -> None:
    population, _ = searched(Settings(60, ahead=1, z=0.0, stage=Stage(2, 0.35)), Counting(5))
    tried = [len(outcomes) for outcomes in population.archive.outcomes]
    means = population.archive.means
    assert all(n == 2 for n, mean in zip(tried, means, strict=True) if mean < 0.35)
    assert any(n == 5 for n, mean in zip(tried, means, strict=True) if mean >= 0.35)


def test_an_evaluator_that_breaks_ends_the_search_with_its_error() -> None:
    class Broken(Counting):
        def evaluate(self, candidate: Candidate, task: int) -> Tried:
            raise AutotrophError("no jail")

    with pytest.raises(AutotrophError, match="no jail"):
        searched(Settings(10), Broken())


def test_a_page_brings_back_what_was_known() -> None:
    first = Kept(Archive(2), ["a", "b"], ("main.py",))
    first.add(SEED, Node(SEED.id))
    Search(first, Climb(), Step(), Counting(2), Settings(20, ahead=3), 1).run()
    again = Kept(Archive(2), ["a", "b"], ("main.py",))
    again.read(first.page())
    for one, other in (
        (first.archive.nodes, again.archive.nodes),
        (first.archive.outcomes, again.archive.outcomes),
        (first.feedback, again.feedback),
        (first.refused, again.refused),
        (first.archive.begun.tolist(), again.archive.begun.tolist()),
        (first.candidates, again.candidates),
    ):
        assert one == other
    assert again.page().count("\n") == 2
    with pytest.raises(AutotrophError, match="other tasks"):
        Kept(Archive(2), ["a", "c"], ()).read(first.page())


def test_children_of_one_node_know_what_was_said_of_it() -> None:
    seen: list[dict[int, str]] = []

    class Reading(Step):
        def edit(self, parents, around) -> Edit:
            seen.append(dict(parents[0].feedback))
            return super().edit(parents, around)

    searched(Settings(6, ahead=1), Counting(2), Reading())
    assert seen[0] == {0: "task 0", 1: "task 1"}


def test_a_mutator_that_takes_two_is_given_two_and_what_they_come_from() -> None:
    seen: list[tuple[int, Candidate | None]] = []

    class Pairs(Step):
        parents = 2

        def edit(self, parents, around) -> Edit:
            seen.append((len(parents), around.ancestor))
            assert len({parent.candidate.id for parent in parents}) == len(parents)
            return super().edit(parents, around)

    population = begun()
    Search(population, policy("random"), Pairs(), Counting(), Settings(20, ahead=1), 0).run()
    assert seen[0] == (1, None)  # the seed is alone
    assert {n for n, _ in seen[3:]} == {2}
    assert SEED in [ancestor for _, ancestor in seen]
