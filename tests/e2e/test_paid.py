"""Runs that are cut off anywhere: what they have paid for is not paid again, and they end as if nothing had been."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import finish, start

from autotroph.cli.main import invoke
from autotroph.core.errors import BudgetExceeded
from autotroph.loop import Recorder
from autotroph.models.engine import Engine
from autotroph.optimize.learner import Learner
from autotroph.oversight.approvals import set_budget
from autotroph.recipes import registry
from autotroph.store.garbage import collect
from autotroph.store.run import Run

BASE = {"hidden": 16, "train": {"steps": 12, "rows": 60, "batch": 8}}
SMALL = {"sealed": 20, "final_sealed": 20, "gap_tasks": 8, "rival_tasks": 16, "monitors": {"tasks": 8}, "base": BASE}
RUNS: dict[str, dict[str, Any]] = {
    "length_generalisation": {
        "taught": 1, "target": 3, "rounds": 2, "per_round": 30, "gold_per_level": 40, "steps": 4, "batch": 8,
        "reach": 0, "entropy": 0,
    },
    "grpo": {
        "task": "copy", "level": 3, "cycles": 2, "steps": 4, "prompts": 8, "samples": 4, "tasks": 40,
        "base": {"hidden": 32, "train": {"steps": 90, "rows": 300}},
    },
    "rejection_sampling": {
        "task": "maze_walk", "level": 2, "cycles": 2, "steps": 4, "tasks": 20, "gold_per_level": 40, "batch": 8,
    },
    "distill": {"task": "addition", "level": 2, "cycles": 2, "steps": 4, "tasks": 20, "gold_per_level": 40, "batch": 8},
}  # fmt: skip
CUT_OFF = ["length_generalisation", "grpo"]


def settings_of(recipe: str) -> dict[str, Any]:
    return SMALL | RUNS[recipe]


Straight = Callable[[str], tuple[Any, "Done"]]


@dataclass
class Done:
    """What the models of a process have been asked for, call by call, and the training steps."""

    calls: list[Any] = field(default_factory=list)
    steps: int = 0


@contextmanager
def watched(calls: float = float("inf"), steps: float = float("inf")) -> Iterator[Done]:
    """Notes all work, and pulls the plug when more than so much of it is asked for."""
    done, sample, step = Done(), Engine.sample, Learner.step

    def sampling(self: Engine, prompts: Sequence[Sequence[int]], params: Any, seeds: Sequence[int]) -> Any:
        if len(done.calls) >= calls:
            raise KeyboardInterrupt
        found = sample(self, prompts, params, seeds)
        done.calls.append((self.policy.id, tuple(map(tuple, prompts)), params, tuple(seeds)))
        return found

    def stepping(self: Learner, signals: Any) -> Any:
        if self.meter.journal is not None:
            if done.steps >= steps:
                raise KeyboardInterrupt
            done.steps += 1
        return step(self, signals)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "sample", sampling)
        patch.setattr(Learner, "step", stepping)
        yield done


def ending(run: Run) -> tuple[Any, ...]:
    """What has to be equal: champion, decisions, accuracy and the meter but for the time; and what was lost."""
    record, end = run.record(), run.ledger.last("end")
    assert end is not None
    meter = dict(end.data["meter"])
    lost = meter.pop("lost")
    meter.pop("seconds")
    decisions = [cycle.decision for cycle in record.cycles]
    return (record.champion, decisions, [c.candidate for c in record.cycles], record.champion_accuracy, meter), lost


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Any, Done]]:
    """An uninterrupted run of a recipe, made once: its end, and all that it has asked for."""

    @cache
    def made(recipe: str) -> tuple[Any, Done]:
        with start(tmp_path_factory.mktemp("runs") / recipe, recipe, **settings_of(recipe)) as run:
            with watched() as done:
                finish(run)
            end, lost = ending(run)
        assert lost == {}
        return end, done

    return made


@pytest.mark.parametrize("recipe", CUT_OFF)
def test_no_completion_is_sampled_twice(recipe: str, straight: Straight, tmp_path: Path) -> None:
    """Cut off again and again: the calls of all sessions together are those of the uninterrupted run."""
    end, whole = straight(recipe)
    calls, sessions = [], 0
    with start(tmp_path / "r", recipe, **settings_of(recipe)):
        pass
    while True:
        sessions += 1
        with Run.open(tmp_path / "r") as run, watched(calls=5) as done:
            try:
                finish(run)
            except KeyboardInterrupt:
                calls += done.calls
                continue
            calls += done.calls
            assert ending(run)[0] == end
        break
    assert sessions > 3
    assert calls == whole.calls


@pytest.mark.parametrize("recipe", CUT_OFF)
def test_training_that_was_cut_off_is_done_again_and_counts_as_lost(
    recipe: str, straight: Straight, tmp_path: Path
) -> None:
    """The plug is pulled before the last training step of all."""
    end, whole = straight(recipe)
    with (
        start(tmp_path / "r", recipe, **settings_of(recipe)) as run,
        watched(steps=whole.steps - 1) as first,
        pytest.raises(KeyboardInterrupt),
    ):
        finish(run)
    with Run.open(tmp_path / "r") as run, watched() as second:
        finish(run)
        ended, lost = ending(run)
    assert ended == end
    assert first.calls + second.calls == whole.calls
    assert first.steps == whole.steps - 1
    assert 1 < second.steps < whole.steps, "the second cycle's steps, and those alone"
    assert set(lost) == {"trained_tokens", "flops"}
    assert 0 < lost["trained_tokens"] < end[-1]["trained_tokens"]


class AtTheGate(Recorder):
    """Pulls the plug once the second candidate is stored."""

    def stage(self, cycle: int, name: str) -> None:
        if (cycle, name) == (1, "evaluate"):
            raise KeyboardInterrupt


@pytest.mark.parametrize("recipe", CUT_OFF)
def test_a_stored_candidate_is_neither_trained_again_nor_garbage(
    recipe: str, straight: Straight, tmp_path: Path
) -> None:
    end, whole = straight(recipe)
    with (
        start(tmp_path / "r", recipe, **settings_of(recipe)) as run,
        watched() as first,
        pytest.raises(KeyboardInterrupt),
    ):
        finish(run, AtTheGate())
    assert list(collect(tmp_path / "r", remove=True)) == []
    with Run.open(tmp_path / "r") as run, watched() as second:
        finish(run)
        assert ending(run) == (end, {})
    assert (first.steps, second.steps) == (whole.steps, 0)
    assert first.calls + second.calls == whole.calls


@pytest.mark.parametrize(
    ("recipe", "name"), [("length_generalisation", "tokens"), ("grpo", "verifier_calls"), ("grpo", "flops")]
)
def test_a_cap_stops_between_two_units_and_can_be_raised(
    recipe: str, straight: Straight, tmp_path: Path, name: str
) -> None:
    """Nowhere beyond the cap, and never far from it; with a higher one the run ends as if there had been none."""
    end, whole = straight(recipe)
    total = end[-1][name]
    caps = [0.2, 0.5, 0.9]
    settings = {**settings_of(recipe), "budget": {name: type(total)(caps[0] * total)}}
    rows: list[Any] = []
    with start(tmp_path / "r", recipe, **settings):
        pass
    for share in (*caps[1:], 2.0):
        with Run.open(tmp_path / "r") as run, watched() as done:
            with pytest.raises(BudgetExceeded, match=name):
                finish(run)
            rows += rows_of(done)
            cap, spent = getattr(run.budget, name), run.journal.paid()[name]
            assert 0.7 * cap <= spent <= cap
            set_budget(run, f"{name}={type(total)(share * total)}", by="a person", reason="to go on")
    with Run.open(tmp_path / "r") as run, watched() as done:
        finish(run)
        assert_alike(ending(run)[0], end)
    assert sorted(rows + rows_of(done)) == sorted(rows_of(whole))


def rows_of(done: Done) -> list[Any]:
    return [
        (policy, prompt, seed)
        for policy, prompts, _, seeds in done.calls
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]


def assert_alike(found: Any, wanted: Any) -> None:
    """Equal but for the floating-point operations: a prompt whose rows were cut apart has passed the model twice, and
    rows that are sampled in other company idle for other times."""
    assert found[:-1] == wanted[:-1]
    assert {**found[-1], "flops": 0} == {**wanted[-1], "flops": 0}
    assert found[-1]["flops"] >= 0.99 * wanted[-1]["flops"]


@pytest.mark.parametrize("recipe", RUNS)
def test_what_a_run_takes_is_what_was_expected(recipe: str, straight: Straight) -> None:
    """The range holds it, and is narrow enough to say something: at most a factor of 100 where it has a lower end.

    Training on policy may teach nothing at all, so that it has no lower bound.
    """
    found = registry.find(recipe)
    expected = found.build(found.configure(settings_of(recipe))).estimate()
    meter = straight(recipe)[0][-1]
    for name, one in expected.ranges().items():
        if name == "seconds":
            assert 0 < one.low < one.high
            continue
        assert one.low <= meter[name] <= one.high, name
        assert one.high <= 100 * one.low or (recipe, name) == ("grpo", "trained_tokens")


def test_a_run_that_is_surely_beyond_a_cap_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--task", "copy", "--sealed", "20", "--budget-verifier-calls", "30", "--out", str(tmp_path / "r")]
    assert invoke(["run", "grpo", *flags]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("expected, the base aside: ")
    assert "verifier_calls, and the cap is 30; raise --budget-verifier-calls, or ask for fewer cycles" in said[-1]
    assert not (tmp_path / "r").exists()
    assert invoke(["run", "grpo", *flags[:-4], "--estimate", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["verifier_calls"]["low"] > 30
    assert set(shown) == {"tokens", "trained_tokens", "verifier_calls", "flops", "seconds"}
