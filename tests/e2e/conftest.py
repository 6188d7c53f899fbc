"""Small runs of the real loop, on a base that is trained once for the whole session."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from overseen import halfway

from autotroph.core.folders import cache_root
from autotroph.loop import Recorder, run_loop
from autotroph.recipes import registry
from autotroph.store.run import Run


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One cache of bases for all tests of this worker; compiled kernels are those of the machine."""
    kernels, cache = cache_root() / "kernels", tmp_path_factory.mktemp("cache")
    kernels.mkdir(parents=True, exist_ok=True)
    (cache / "kernels").symlink_to(kernels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AUTOTROPH_CACHE", str(cache))
        yield


def start(folder: Path, recipe: str, **settings: Any) -> Run:
    found = registry.find(recipe)
    config = found.configure(settings)
    return Run.create(folder, {"recipe": recipe, "config": config.model_dump(mode="json")})


def finish(run: Run, watch: Any = None) -> Any:
    """Drive a run to its end from wherever it stands."""
    recipe = registry.find(run.start["recipe"])
    return run_loop(run, recipe.build(recipe.configure(run.start["config"])), watch or Recorder())


@pytest.fixture(scope="session")
def half(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A tiny run with one cycle committed, and what the next one proposes; to be copied."""
    folder = tmp_path_factory.mktemp("runs") / "half"
    return folder, halfway(folder)


SMALL: dict[str, Any] = {
    "task": "addition",
    "taught": 2,
    "target": 4,
    "rounds": 2,
    "ahead": 1,
    "per_round": 200,
    "votes": 1,
    "reach": 0.0,
    "mastery": 0.0,
    "gold_per_level": 3000,
    "steps": 150,
    "sealed": 60,
    "final_sealed": 100,
    "base": {"train": {"steps": 60, "rows": 2000}},
}
"""A base that has barely begun to learn two digits, and two rounds in which it goes on."""


def heeds_ctrl_c() -> None:
    """In a child before it becomes another program: tests that run in the background have Ctrl-C ignored for them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


PRACTICE: dict[str, Any] = {
    "task": "copy",
    "level": 3,
    "cycles": 3,
    "steps": 40,
    "prompts": 32,
    "sealed": 150,
    "final_sealed": 150,
    "base": {"hidden": 32, "train": {"steps": 90, "rows": 500}},
    "learner": {"muon_lr": 0.001, "adam_lr": 0.002},
}
"""A base that copies most words of three characters, and three cycles of GRPO, slow enough to keep shorter ones."""
