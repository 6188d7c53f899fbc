"""Selection in whole runs: an empty one holds the round, and a curriculum goes on where it stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autotroph.loop import Loop, Recorder, run_loop
from autotroph.models import checkpoint
from autotroph.recipes import registry
from autotroph.select.chain import Chain
from autotroph.select.difficulty import DifficultyBand
from autotroph.store.run import Run
from autotroph.verify import verify

TINY: dict[str, Any] = {
    "level": 3,
    "steps": 2,
    "prompts": 4,
    "samples": 2,
    "tasks": 20,
    "sealed": 4,
    "final_sealed": 4,
    "gap_samples": 0,
    "rival_tasks": 0,
    "gate": {"off": True},
    "monitors": {"tasks": 0},
    "base": {"hidden": 16, "heads": 2, "layers": 1, "train": {"steps": 3, "rows": 20}},
}


def begun(folder: Path, name: str, **settings: Any) -> tuple[Run, Loop]:
    recipe = registry.find(name)
    config = recipe.configure({**TINY, **settings})
    return Run.create(folder, {"recipe": name, "config": config.model_dump(mode="json")}), recipe.build(config)


def test_a_round_of_which_nothing_is_selected_is_held_with_the_reason(tmp_path: Path) -> None:
    run, loop = begun(tmp_path / "run", "sec", cycles=2)
    nobody = Chain([DifficultyBand()])  # bare tasks have no rate
    with run:
        run_loop(run, replace(loop, stages=replace(loop.stages, selector=nobody)), Recorder())
        record = run.record()
    assert [cycle.decision.verdict for cycle in record.cycles] == ["hold", "hold"]
    assert {cycle.candidate for cycle in record.cycles} == {record.base} == {record.champion}
    for cycle in record.cycles:
        assert cycle.nothing is not None
        assert cycle.nothing.startswith("nothing was selected: ")
        assert cycle.nothing.endswith("unscored")
        assert cycle.decision.reason.startswith(cycle.nothing)
        assert cycle.metrics["too_easy"] == 0
    assert not verify(tmp_path / "run").faults


def test_a_bandit_goes_on_in_the_next_cycle_with_the_trainees_q(tmp_path: Path) -> None:
    run, loop = begun(tmp_path / "run", "sec", cycles=2)
    with run:
        run_loop(run, loop, Recorder())
        record = run.record()
        for cycle in record.cycles:
            kept = checkpoint.load_training(run.policies.path(cycle.candidate)) or {}
            shown = {name: value for name, value in cycle.metrics.items() if name.startswith("q_")}
            assert shown
            assert {f"q_{k.removeprefix('curriculum.')}": float(v) for k, v in kept.items()} == pytest.approx(shown)
