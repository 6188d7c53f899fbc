"""Generated families: formats, determinism, splits, verifiers; and that validate() catches what is broken."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Split, Task
from autotroph.tasks.addition import Addition
from autotroph.tasks.maze import MazePath, MazeWalk
from autotroph.tasks.multiplication import Multiplication
from autotroph.tasks.procedural import Procedural
from autotroph.tasks.registry import task_family
from autotroph.tasks.strings import Copy, Reverse

FAMILIES = ["addition", "addition_forward", "multiplication", "copy", "reverse", "maze", "maze_walk"]


@pytest.mark.parametrize("name", FAMILIES)
def test_family_proves_itself(name: str) -> None:
    family = task_family(name)
    assert family.name == name
    family.validate()


@pytest.mark.parametrize("name", FAMILIES)
def test_splits_are_disjoint_over_seeds(name: str) -> None:
    family = task_family(name)
    keys: dict[Split, set[str]] = {
        split: {task.key for seed in range(4) for task in family.generate(3, 50, seed, split)}
        for split in ("train", "dev", "sealed")
    }
    assert all(len(found) > 20 for found in keys.values())
    assert not keys["train"] & keys["dev"]
    assert not keys["train"] & keys["sealed"]
    assert not keys["dev"] & keys["sealed"]


@pytest.mark.parametrize("name", FAMILIES)
def test_same_seed_same_tasks_other_seed_others(name: str) -> None:
    family = task_family(name)
    assert family.generate(4, 20, 7) == task_family(name).generate(4, 20, 7)
    assert family.generate(4, 20, 7) != family.generate(4, 20, 8)
    assert family.generate(4, 20, 7)[:5] == family.generate(4, 5, 7)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(
    "answer", ["", " ", "\n", "٣", "５", "²", "\0", "\ud800", "=", "((", "-1", "1e5", "7" * 10**6, "=" * 10**6]
)
def test_no_string_makes_a_verifier_raise(name: str, answer: str) -> None:
    family = task_family(name)
    [task] = family.generate(2, 1, 0)
    assert family.verify(task, answer) == 0


def test_levels_outside_the_range_name_the_way_out() -> None:
    with pytest.raises(AutotrophError) as low:
        Addition().generate(0, 1, 0)
    assert str(low.value) == "task 'addition': level 0 is below the minimum 1; use --level >= 1"
    with pytest.raises(AutotrophError) as high:
        MazePath().generate(13, 1, 0)
    assert str(high.value) == "task 'maze': level 13 is above the maximum 12; use --level <= 12"


def test_an_exhausted_level_gives_all_it_has() -> None:
    splits: tuple[Split, ...] = ("train", "dev", "sealed")
    tasks = [task for split in splits for task in Addition().generate(1, 1000, 0, split)]
    assert sorted(task.prompt for task in tasks) == sorted(f"{a}+{b}=" for a in range(10) for b in range(10))


def test_generation_is_fast() -> None:
    """At its best of three: the machine may be busy."""
    seconds = []
    for seed in range(3):
        started = time.process_time()
        assert len(Addition().generate(8, 5000, seed)) == 5000
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.3


def answer_to(family: Procedural, prompt: str, level: int) -> str | None:
    """The gold answer that the family gives to a prompt, found by drawing until it comes up."""
    rng = random.Random(0)
    for _ in range(200_000):
        question, answer = family.problem(level, rng)
        if question == prompt:
            return answer
    return None


@pytest.mark.parametrize(
    ("family", "level", "prompt", "answer"),
    [
        (Addition(), 2, "21+43=", "640"),  # 12 + 34 = 46
        (Addition(), 2, "99+10=", "001"),  # 99 + 01 = 100
        (Addition("forward"), 2, "99+01=", "100"),
        (Addition("forward"), 2, "12+34=", "046"),
        (Multiplication(), 1, "3*4=", "21=21"),
        (Multiplication(), 2, "21*43=", "840+0630(8040)=8040"),  # 12 * 4 = 48, 48 + 360 = 408
        (Copy(), 3, "abc>", "abc"),
        (Reverse(), 3, "abc<", "cba"),
    ],
)
def test_formats(family: Procedural, level: int, prompt: str, answer: str) -> None:
    assert answer_to(family, prompt, level) == answer


@pytest.mark.parametrize("level", [1, 2, 5, 12])
def test_multiplication_steps_add_up_and_reach_the_bound(level: int) -> None:
    family = Multiplication()
    for task in family.generate(level, 20, 0):
        a, b = (int(number[::-1]) for number in task.prompt.rstrip("=").split("*"))
        assert task.answer is not None
        steps, _, product = task.answer.rpartition("=")
        partials = [int(step.partition("(")[0][::-1]) for step in steps.split("+")]
        assert sum(partials) == a * b == int(product[::-1])
        assert len(task.answer) == family.max_answer(level)


def test_multiplication_scores_the_product_alone() -> None:
    family = Multiplication()
    task = Task.of("multiplication", "21*43=", "840+0630(8040)=8040", 2)
    assert family.verify(task, "8040") == family.verify(task, "nonsense=8040") == 1
    assert family.verify(task, "840+0630(8040)=8041") == family.verify(task, "8040=") == 0


def test_a_task_without_gold_answer_is_unscored() -> None:
    for family in (Addition(), Multiplication(), Copy()):
        assert family.verify(Task.of(family.name, "?", None), "1") is None


MAZE = Task.of("maze", "ab,cb,dc,be:a>d=", "abcd", 3)


@pytest.mark.parametrize(
    ("answer", "score"),
    [("abcd", 1), ("dcba", 0), ("abc", 0), ("bcd", 0), ("acd", 0), ("ababcd", 0), ("abed", 0), ("abcdc", 0)],
)
def test_maze_wants_a_shortest_walk_along_edges(answer: str, score: int) -> None:
    assert MazePath().verify(MAZE, answer) == score


def test_maze_accepts_any_shortest_path() -> None:
    ring = Task.of("maze", "ab,bc,ad,dc:a>c=", "abc", 2)
    assert MazePath().verify(ring, "abc") == MazePath().verify(ring, "adc") == 1


def test_maze_walk_turn_by_turn() -> None:
    family = MazeWalk()
    task = replace(MAZE, family="maze_walk", answer="bcd")
    walk = family.start(task)
    first, second, third = (walk.step(action) for action in "bcd")
    assert (first.observation, first.done, first.score) == ("(ace)", False, None)
    assert (second.observation, second.done) == ("(bd)", False)
    assert (third.observation, third.done, third.score) == ("", True, 1.0)
    assert walk.step("a") == third
    assert family.expert(task) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("actions", "score"),
    [
        ("bcd", 1),
        ("babcd", 1),  # a detour within the six turns
        ("bababcd", 0),  # seven turns
        ("babab", 0),  # not there yet
        ("bababa", 0),  # turns run out
        ("cd", 0),  # not a neighbour
        ("bcdc", 0),  # goes on after the end
    ],
)
def test_maze_walk_replays_the_actions(actions: str, score: int) -> None:
    assert MazeWalk().verify(replace(MAZE, family="maze_walk"), actions) == score


@pytest.mark.parametrize("level", [1, 6, 12])
def test_the_expert_solves_every_maze(level: int) -> None:
    family = MazeWalk()
    for task in family.generate(level, 20, 0):
        actions = family.expert(task)
        assert len(actions) == level
        assert [turn.score for turn in map(family.start(task).step, actions)][-1] == 1


class Sound(Copy):
    """A family without fault; each class below breaks it in one way."""

    levels = range(2, 5)


class RejectsGold(Sound):
    def verify(self, task: Task, answer: str) -> float | None:
        return 0.0


class AcceptsPrefix(Sound):
    def verify(self, task: Task, answer: str) -> float | None:
        return float((task.answer or "").startswith(answer))


class AcceptsExtension(Sound):
    def verify(self, task: Task, answer: str) -> float | None:
        return float(answer.startswith(task.answer or ""))


class IgnoresLastLetter(Sound):
    def verify(self, task: Task, answer: str) -> float | None:
        gold = task.answer or ""
        return float(len(answer) == len(gold) and answer[:-1] == gold[:-1])


class Strips(Sound):
    def verify(self, task: Task, answer: str) -> float | None:
        return super().verify(task, answer.strip())


class ReadsAnyDigit(Addition):
    def verify(self, task: Task, answer: str) -> float | None:
        return float(
            answer.isdecimal() and len(answer) == len(task.answer or "") and int(answer) == int(task.answer or 0)
        )


class IgnoresLevel(Sound):
    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        return super().problem(6, rng)

    def max_answer(self, level: int) -> int:
        return 6


class IgnoresSeed(Sound):
    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        return super().generate(level, n, random.getrandbits(64), split)


class IgnoresSplit(Sound):
    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        return [replace(task, split=split) for task in super().generate(level, n, seed)]


class MislabelsSplit(Sound):
    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        return super().generate(level, n, seed, "train")


class TwoAnswers(Sound):
    def problem(self, level: int, rng: random.Random) -> tuple[str, str]:
        return "a" * level + rng.choice("abcdefghij") + ">", rng.choice("ab") * level


class NoTasks(Sound):
    def generate(self, level: int, n: int, seed: int, split: Split = "train") -> list[Task]:
        return []


class SmallAlphabet(Sound):
    alphabet = "abcdefghi>"


class SmallBound(Sound):
    def max_answer(self, level: int) -> int:
        return level - 1


def test_the_sound_family_is_sound() -> None:
    Sound().validate()


@pytest.mark.parametrize(
    ("family", "complaint"),
    [
        (RejectsGold, r"the gold answer .* scores 0.0, not 1"),
        (AcceptsPrefix, r"the wrong answer '' .* scores 1.0, not 0"),
        (AcceptsExtension, r"the wrong answer .* scores 1.0, not 0"),
        (IgnoresLastLetter, r"the wrong answer .* scores 1.0, not 0"),
        (Strips, r"the wrong answer '\w+ ' .* scores 1.0, not 0"),
        (ReadsAnyDigit, r"the wrong answer '[０-９]+' .* scores 1.0, not 0"),
        (IgnoresLevel, r"level 3 does not differ from level 2"),
        (IgnoresSeed, r"level 2 gives other tasks when asked again"),
        (IgnoresSplit, r"is in more than one split"),
        (MislabelsSplit, r"is in more than one split"),
        (TwoAnswers, r"are two problems with one key"),
        (NoTasks, r"level 2 has no training task"),
        (SmallAlphabet, r"uses \['j'\], which its alphabet lacks"),
        (SmallBound, r"is longer than max_answer 1"),
    ],
)
def test_validate_catches_a_broken_family(family: type[Procedural], complaint: str) -> None:
    with pytest.raises(AutotrophError, match=complaint):
        family().validate()
