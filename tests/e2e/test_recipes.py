"""Every recipe runs: one cycle of the smallest kind, to its end; its page is the one that is committed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from autotroph.core.config import merged
from autotroph.loop import Recorder, run_loop
from autotroph.recipes import registry
from autotroph.report.claims import claims_page, recipe_page
from autotroph.store.run import Run
from autotroph.verify import verify

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench" / "results" / "claims"
TINY: dict[str, Any] = {
    "cycles": 1, "rounds": 1, "steps": 2, "tasks": 16, "samples": 2, "prompts": 4, "batch": 8, "gold_per_level": 16,
    "per_round": 16, "sealed": 6, "final_sealed": 6, "gap_samples": 0, "rival_tasks": 0, "monitors": {"tasks": 0},
    "base": {"hidden": 16, "layers": 1, "heads": 2, "train": {"steps": 20, "rows": 60}},
    "evaluations": 24, "baselines": False, "folder": "mine", "eval": "python3 evaluate.py {seed}",
}  # fmt: skip
"""Whatever of this a recipe has."""


@pytest.mark.parametrize("name", registry.names())
def test_a_recipe_runs_to_its_end_and_is_sound(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    Path("mine/evaluate.py").write_text("from main import f\nimport sys\nprint(f(int(sys.argv[1])))\n")
    Path("mine/main.py").write_text("def f(n):\n    return n + 1\n")
    recipe = registry.find(name)
    settings = {field: value for field, value in TINY.items() if field in recipe.config.model_fields}
    config = recipe.configure(merged({}, settings))
    start = {"recipe": name, "config": config.model_dump(mode="json")}
    with Run.create(tmp_path / "run", start) as run:
        run_loop(run, recipe.build(config), Recorder())
        assert run.record().finished
    assert verify(tmp_path / "run").faults == []


@pytest.mark.parametrize("name", registry.names())
def test_the_page_of_a_recipe_is_the_committed_one(name: str) -> None:
    tried = RESULTS / f"{name}.json"
    found = json.loads(tried.read_text()) if tried.is_file() else None
    assert (ROOT / "docs" / "recipes" / f"{name}.md").read_text() == recipe_page(name, registry.find(name).text, found)


def test_the_page_of_claims_is_the_committed_one() -> None:
    found = [json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))]
    assert (ROOT / "docs" / "claims.md").read_text() == claims_page(found)
