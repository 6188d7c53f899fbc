"""A sealed task cannot reach training: every way in that we could think of."""

import gc
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import SMALL, start

from autotroph.acquire.curated import Bare, gold_groups
from autotroph.core.budget import Meter
from autotroph.core.errors import SealedLeak
from autotroph.core.task import Task, split_of
from autotroph.core.trace import Group
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.loop import Loop, Recorder, run_loop
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.pretrain import PretrainConfig, pretrained
from autotroph.recipes import length_generalisation as recipe
from autotroph.select.decontaminate import Decontaminate
from autotroph.tasks.registry import task_family

FAMILY = task_family("addition")
SEALED = FAMILY.generate(3, 20, seed=1, split="sealed")


def run_with(tmp_path: Path, **stages) -> None:
    loop: Loop = recipe.build(recipe.Config(**SMALL))
    with start(tmp_path / "r", "length_generalisation", **SMALL) as run:
        run_loop(run, replace(loop, stages=replace(loop.stages, **stages)), Recorder())


class Leaking:
    """A source, or a selector, that brings sealed tasks in."""

    def propose(self, view):
        return [Group(task) for task in SEALED]

    def select(self, groups, view):
        return [*groups, *self.propose(view)]


def test_a_source_that_proposes_sealed_tasks_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(SealedLeak, match="acquire"):
        run_with(tmp_path, source=Leaking())


def test_a_selector_that_brings_them_in_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(SealedLeak, match="optimize"):
        run_with(tmp_path, selector=Leaking())


def test_a_base_cannot_be_taught_on_them() -> None:
    tokenizer = TextTokenizer.characters(FAMILY.alphabet)
    shape = ModelConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, head_dim=4)
    with pytest.raises(SealedLeak, match="pretrain"):
        pretrained(
            lambda t: gold_groups(SEALED, FAMILY, t),
            tokenizer,
            shape,
            PretrainConfig(steps=1),
            LearnerConfig(),
            seed=0,
            members=1,
            identity="leak",
        )


def test_no_seed_draws_a_sealed_prompt_into_training() -> None:
    sealed = {task.prompt for seed in range(20) for task in FAMILY.generate(1, 50, seed, "sealed")}
    train = {task.prompt for seed in range(20) for task in FAMILY.generate(1, 50, seed, "train")}
    assert sealed
    assert train
    assert not sealed & train


def test_a_sealed_prompt_under_a_forged_split_is_recognised() -> None:
    """A row that claims to be of the train split but asks a sealed question."""
    suite = SealedSuite(FAMILY, [3], 20, seed=1)
    forged = [Group(replace(task, split="train", key="forged")) for task in SEALED]
    honest = [Group(task) for task in FAMILY.generate(3, 20, seed=1)]
    kept = Decontaminate(suite.fingerprints(n=13), threshold=1).select([*forged, *honest], view=None)
    assert kept == honest


def test_the_split_follows_from_the_content_and_cannot_be_chosen_by_a_key() -> None:
    for task in SEALED:
        twin = Task.of(task.family, task.prompt, task.answer, task.level)
        assert twin.split == split_of(twin.key) == "sealed"


def test_nothing_that_the_stages_are_given_leads_to_a_sealed_task(tmp_path: Path) -> None:
    """Walks every object reachable from the view that a source gets, in the middle of a run."""
    seen: list[object] = []

    class Walking(Bare):
        def propose(self, view):
            queue, known = [view], set()
            while queue:
                thing = queue.pop()
                if id(thing) in known or isinstance(thing, type) or type(thing).__name__ == "module":
                    continue
                known.add(id(thing))
                seen.append(thing)
                queue += [r for r in gc.get_referents(thing) if not callable(r) or hasattr(r, "__dict__")][:10_000]
                if len(known) > 200_000:
                    break
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_with(tmp_path, source=Walking(FAMILY, [3], 5))
    tasks = [thing for thing in seen if isinstance(thing, Task)]
    assert any(isinstance(thing, Meter) for thing in seen), "the walk did not even leave the view"
    assert [task for task in tasks if task.split == "sealed"] == []
