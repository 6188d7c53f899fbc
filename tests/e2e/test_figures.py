"""Monitors in running recipes: every figure is there, and a knob turns as declared, for good, and no other way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from conftest import PRACTICE, SMALL, finish, start

from autotroph.acquire.curated import Curated
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import SamplingParams, View
from autotroph.core.trace import Group
from autotroph.drills.faults import Noisy
from autotroph.evaluate.monitors import Monitors
from autotroph.evaluate.probes import Expected, GivenLabels, Sampled, dev_tasks
from autotroph.loop import Recorder
from autotroph.models.episode import rollout_for
from autotroph.recipes import registry
from autotroph.state import State
from autotroph.store.run import Run
from autotroph.tasks.registry import task_family

TURNING: dict[str, Any] = {
    "task": "copy",
    "level": 3,
    "cycles": 3,
    "tasks": 100,
    "steps": 5,
    "batch": 32,
    "gold_per_level": 50,
    "sealed": 40,
    "final_sealed": 40,
    "gap_samples": 0,
    "base": {"hidden": 32, "train": {"steps": 100, "rows": 500}},
    "monitors": {
        "entropy": {"low": 1e9, "response": "warmer"},
        "self_made_share": {"high": 0.0, "response": "more real"},
        "sampled_entropy": {"low": 1e9, "response": "hold"},
    },
}


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "turned"
    with start(folder, "rejection_sampling", **TURNING) as run:
        finish(run)
    return folder


def test_every_change_of_a_knob_is_in_the_ledger_with_its_old_and_new_value(turned: Path) -> None:
    with Run.open(turned, write=False) as run:
        cycles = run.record().cycles
        states = [event.data["state"]["knobs"] for event in run.ledger.events("cycle")]
    changes = [[(a.change.knob, a.change.old, a.change.new) for a in c.alarms if a.change] for c in cycles]
    assert changes[0] == [("temperature", 1.0, 1.25), ("real_floor", 0.05, pytest.approx(0.15))]
    assert changes[1][0] == ("temperature", 1.25, 1.5625)
    assert [state["temperature"] for state in states] == [1.25, 1.5625, 1.953125]
    assert [state["real_floor"] for state in states] == pytest.approx([0.15, 0.25, 0.35])


def test_a_turned_knob_is_what_the_next_cycle_runs_with(turned: Path) -> None:
    """Warmer tries are drawn from a flatter distribution."""
    cycles = Run.open(turned, write=False).record().cycles
    assert cycles[1].metrics["sampled_entropy"] > 1.2 * cycles[0].metrics["sampled_entropy"]
    assert cycles[2].metrics["sampled_entropy"] > 1.2 * cycles[1].metrics["sampled_entropy"]
    assert all(not cycle.decision.promoted for cycle in cycles), "another monitor holds"


def test_a_killed_run_goes_on_with_the_knobs_as_they_were(turned: Path, tmp_path: Path) -> None:
    class Interrupting(Recorder):
        def stage(self, cycle: int, name: str) -> None:
            if (cycle, name) == (2, "evaluate"):
                raise KeyboardInterrupt

    with start(tmp_path / "r", "rejection_sampling", **TURNING) as run, pytest.raises(KeyboardInterrupt):
        finish(run, Interrupting())
    with Run.open(tmp_path / "r") as run:
        assert State.restore(run).knobs["temperature"] == 1.5625
        finish(run)
        resumed = run.record()
    straight = Run.open(turned, write=False).record()
    assert [cycle.candidate for cycle in resumed.cycles] == [cycle.candidate for cycle in straight.cycles]
    assert [cycle.alarms for cycle in resumed.cycles] == [cycle.alarms for cycle in straight.cycles]


def test_a_knob_that_the_recipe_lacks_is_refused_when_it_is_built() -> None:
    recipe = registry.find("grpo")
    config = recipe.configure({**PRACTICE, "monitors": {"entropy": {"low": 0.1, "response": "warmer"}}})
    with pytest.raises(AutotrophError, match="turns temperature, which this recipe does not have; it has no knobs"):
        recipe.build(config)


NEEDS_ROWS = {"proxy_gap", "unique_correct", "label_noise", "self_made_share", "depth", "given_noise"}
UNFILTERED = {"rounds": 1, "members": 1, "filter": "none", "entropy": 0, "steps": 10, "gold_per_level": 300}
NEEDS_REWARDS, NEEDS_SKILL = {"zero_advantage"}, {"given_noise"}
"""A vote gives no rewards; a champion that has barely begun cannot tell a wrong label from a right one."""
NEEDS_A_JUDGE = {"judge_consistency", "judge_preference"}


@pytest.mark.parametrize(
    ("recipe", "settings", "missing"),
    [
        ("rejection_sampling", TURNING | {"cycles": 1, "monitors": {}}, NEEDS_A_JUDGE),
        ("rejection_sampling", TURNING | {"cycles": 1, "monitors": {}, "picker": "judge"}, set()),
        ("length_generalisation", SMALL | UNFILTERED, NEEDS_A_JUDGE | NEEDS_REWARDS | NEEDS_SKILL),
        ("grpo", PRACTICE | {"cycles": 1, "steps": 2}, NEEDS_A_JUDGE | NEEDS_ROWS - {"label_noise"}),
    ],
)
def test_every_figure_is_measured_in_every_recipe_that_has_it(
    recipe: str, settings: dict[str, Any], missing: set[str], tmp_path: Path
) -> None:
    with start(tmp_path / "r", recipe, **settings) as run:
        finish(run)
        [cycle] = run.record().cycles
    expected = {name for name, _ in Monitors().limits()} - missing
    assert expected <= set(cycle.metrics), expected - set(cycle.metrics)


def test_the_base_is_no_way_from_itself_and_the_sampler_agrees_with_the_trainer(turned: Path) -> None:
    probe = Sampled(task_family("copy"), [2, 3], 16)
    with Run.open(turned, write=False) as run:
        state = State.restore(run)
        base, trained = probe(state, state.base, []), probe(state, state.trainee, [])
    assert base["kl_base"] == pytest.approx(0, abs=1e-9)
    assert trained["kl_base"] > 1e-4
    assert base["sampler_drift"] < 0.02
    assert trained["sampler_drift"] < 0.02


def test_computed_accuracy_is_what_drawn_answers_come_to(turned: Path) -> None:
    family = task_family("copy")
    tasks, draws = dev_tasks(family, [3], 30, 0), 64
    with Run.open(turned, write=False) as run:
        state = State.restore(run)
        computed = Expected(family, [3], 30)(state, state.trainee, [])["dev_accuracy"]
        answered = rollout_for(family)(tasks, state.sampler(state.trainee), SamplingParams(max_tokens=4), draws, 0)
    right = [trace.text == group.task.answer for group in answered for trace in group.traces]
    assert len(right) == 30 * draws
    assert 0.1 < computed < 0.99
    assert fmean(right) == pytest.approx(computed, abs=4 * (0.25 / len(right)) ** 0.5)


def test_noise_of_gold_labels_is_told_from_the_champions_own_mistakes(turned: Path) -> None:
    family = task_family("copy")
    with Run.open(turned, write=False) as run:
        state = State.restore(run)
        rows = Curated(family, [2, 3], 100).propose(state)
        clean, noisy = (
            GivenLabels(family, 128)(state, state.base, Noisy(Given(rows), share).propose(state))["given_noise"]
            for share in (0.0, 0.4)
        )
    assert clean == pytest.approx(0, abs=0.15)
    assert noisy == pytest.approx(0.4, abs=0.15)


@dataclass(frozen=True)
class Given:
    groups: list[Group]

    def propose(self, view: View) -> list[Group]:
        return self.groups
