"""Drills on small runs: every plant is caught by what should catch it, and the run that is drilled stays as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import finish, start

from autotroph.cli.main import invoke
from autotroph.drills.drill import Drills, Outcome
from autotroph.drills.plants import PLANTS
from autotroph.store.run import Run

RUN: dict[str, Any] = {
    "task": "copy",
    "level": 3,
    "cycles": 1,
    "tasks": 150,
    "steps": 10,
    "batch": 32,
    "gold_per_level": 100,
    "sealed": 60,
    "final_sealed": 60,
    "gap_samples": 0,
    "base": {"hidden": 32, "train": {"steps": 100, "rows": 500}},
    "monitors": {"proxy_gap": {"high": 0.05}, "sampled_entropy": {"low": 0.03}},
}
CATCHERS = {
    "label_noise": "monitor given_noise",
    "reward_hack": "monitor proxy_gap",
    "leak": "wall",
    "collapse": "monitor sampled_entropy",
    "autophagy": "monitor self_made_share",
    "saturation": "monitor saturation",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "rejection_sampling"
    with start(folder, "rejection_sampling", **RUN) as opened:
        finish(opened)
    return folder


@pytest.fixture(scope="module")
def drills(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Drills:
    return Drills(run, tmp_path_factory.mktemp("drills"), cycles=2, seed=11)


def content(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("plant", CATCHERS)
def test_a_planted_failure_is_caught_and_the_run_stays_untouched(drills: Drills, run: Path, plant: str) -> None:
    before = content(run)
    found = drills.drill(plant)
    assert CATCHERS[plant] in found.caught_by
    assert found.cycle is not None
    assert found.cost <= 2
    assert content(run) == before
    Run.open(run, write=False).ledger.check()


def test_the_unplanted_copy_is_silent_and_its_ledger_whole(drills: Drills) -> None:
    assert [step.alarms for step in drills.clean] == [frozenset(), frozenset()]
    with Run.open(drills.work / "clean", write=False) as copy:
        copy.ledger.check()
        assert len(list(copy.ledger.events("cycle"))) == RUN["cycles"] + 2


def test_a_leak_is_refused_for_the_task_and_not_for_the_split_that_it_claims(drills: Drills) -> None:
    [step] = drills.steps("leak")
    assert step.refused_by == "wall"
    assert "is one that the gate is about to ask" in step.reason


def test_a_failure_that_nobody_looks_at_costs_accuracy(drills: Drills) -> None:
    """A verdict of the gate alone would keep the champion; without it the noise is in the policy."""
    lost = drills.unattended("label_noise")
    assert len(lost) == 2
    assert lost[-1] > 2


def test_a_biased_judge_is_found_in_a_run_that_has_one(tmp_path: Path) -> None:
    with start(tmp_path / "judged", "rejection_sampling", **RUN, picker="judge", temperature=1.5) as opened:
        finish(opened)
        [cycle] = opened.record().cycles
    assert cycle.metrics["judge_consistency"] == 1.0
    assert cycle.rejected["not preferred"] > 0
    drilled = Drills(tmp_path / "judged", tmp_path, cycles=1)
    assert "monitor judge_consistency" in drilled.drill("judge_bias").caught_by
    assert "run with --picker verifier" in (drilled.refusal(PLANTS["reward_hack"]) or "")


def test_the_command_prints_a_table_and_json(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["drill", str(run), "--all", "--cycles", "1", "--seed", "11"]) == 0
    shown = capsys.readouterr().out
    assert all(plant in shown for plant in PLANTS)
    assert "judge_bias: it has no judge; run with --picker judge" in shown
    assert invoke(["drill", str(run), "--plant", "leak", "--cycles", "1", "--json"]) == 0
    [found] = [Outcome(**outcome) for outcome in json.loads(capsys.readouterr().out)]
    assert (found.plant, found.caught_by, found.cycle) == ("leak", ["wall"], 1)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["{run}", "--plant", "rot"], "give --plant label_noise|"),
        (["{run}"], "or --all"),
        (["{run}", "--plant", "judge_bias"], "run with --picker judge"),
        (["nowhere", "--plant", "leak"], "no run in nowhere"),
        (["{empty}", "--plant", "leak"], "it has no base yet; `autotroph resume"),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(
    run: Path, tmp_path: Path, arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with start(tmp_path / "empty", "rejection_sampling", **RUN):
        pass
    given = [part.format(run=run, empty=tmp_path / "empty") for part in arguments]
    assert invoke(["drill", *given]) == 2
    error = capsys.readouterr().err
    assert hint in error
    assert error.count("\n") == 1


def test_a_plant_without_a_place_in_the_recipe_says_so(tmp_path: Path, run: Path) -> None:
    with start(tmp_path / "grpo", "grpo", task="copy", level=3, cycles=1, steps=1, gap_samples=0, base=BRIEF) as opened:
        finish(opened)
    refusal = Drills(tmp_path / "grpo", tmp_path).refusal(PLANTS["label_noise"])
    others = "rejection_sampling or length_generalisation or distill"
    assert refusal == f"recipe 'grpo' has nothing to plant it in; take a run of {others}"


BRIEF = {"hidden": 32, "layers": 1, "train": {"steps": 20, "rows": 50}}


def test_a_copy_with_a_broken_ledger_is_refused(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "broken")
    import apsw

    apsw.Connection(str(tmp_path / "broken" / "ledger.sqlite")).execute("UPDATE event SET data = '{}' WHERE seq = 1")
    assert invoke(["drill", str(tmp_path / "broken"), "--plant", "leak"]) == 2
