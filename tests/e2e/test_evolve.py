"""Programs that are searched for, through the same loop, gate and ledger as weights."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from evolve.aim import Climb, Step

from autotroph import verify
from autotroph.core.errors import AutotrophError
from autotroph.loop import Loop, Recorder, run_loop
from autotroph.recipes.evolved import EvolveConfig, evolve
from autotroph.store.run import Run

AIM = f"{Path(__file__).parents[1] / 'unit/evolve/aim.py'}:"
QUICK = {"cycles": 3, "evaluations": 30, "baselines": False, "ahead": 3}


def loop_of(problem: str = f"{AIM}Aim", **settings: object) -> tuple[EvolveConfig, Loop]:
    config = EvolveConfig.model_validate({**QUICK, "problem": problem, **settings})
    return config, evolve(config, Climb(), Step())


def start(folder: Path, config: EvolveConfig) -> Run:
    return Run.create(folder, {"recipe": "test", "config": config.model_dump(mode="json")})


def happened(folder: Path) -> list[object]:
    """What a run decided and made, its times aside."""
    with Run(folder, write=False) as run:
        record = run.record()
        return [(c.candidate, c.decision.verdict, c.metrics["nodes"], c.metrics["evaluations"]) for c in record.cycles]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    config, loop = loop_of()
    with start(folder, config) as run:
        run_loop(run, loop, Recorder())
    return folder


def test_a_program_is_found_promoted_and_verified(whole: Path) -> None:
    with Run(whole, write=False) as run:
        record = run.record()
        assert record.base_accuracy[1][0] == pytest.approx(0.3)
        assert record.champion_accuracy[1][0] == 1.0
        assert record.cycles[0].decision.verdict == "promote"
        assert record.cycles[-1].decision.reason == "the candidate is the champion"
        champion = run.policies.path(record.champion)
        assert (champion / "numbers_of_mine.py").read_text() == "X = 7\n"
        last = record.cycles[-1].metrics
        assert last["nodes"] == last["evaluations"] == 10  # -1 to 8, each tried once, however often it was made again
    found = verify.verify(whole)
    assert found.faults == []
    assert found.decisions == 3


def test_what_is_better_by_chance_alone_is_not_promoted(tmp_path: Path) -> None:
    """All tasks ask the same, so one step up is a tenth on each of 30: proven; no step is not."""
    config, loop = loop_of(f"{AIM}Noisy", sealed=30, tasks=2, cycles=2)
    with start(tmp_path / "run", config) as run:
        run_loop(run, loop, Recorder())
        verdicts = [cycle.decision.verdict for cycle in run.record().cycles]
    assert verdicts == ["promote", "hold"]
    assert verify.verify(tmp_path / "run").faults == []


def test_a_seed_program_that_fails_its_own_evaluation_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "main.py").write_text("def solve(asked):\n    return 1 / 0\n")
    config, loop = loop_of(program=str(tmp_path / "seed"))
    with (
        start(tmp_path / "run", config) as run,
        pytest.raises(AutotrophError, match=r"seed program fails .*ZeroDivisionError"),
    ):
        run_loop(run, loop, Recorder())


@pytest.mark.parametrize(
    ("settings", "why"), [({"level": 3}, "no level 3"), ({"problem": "addition"}, "programs do not answer")]
)
def test_bad_settings(settings: dict[str, object], why: str) -> None:
    with pytest.raises(AutotrophError, match=why):
        loop_of(**settings)


def test_a_resumed_run_has_the_settings_that_it_was_begun_with() -> None:
    given = {"llm": {"name": "m", "forms": "diff"}, "mutators": "syntax=2,merge", "frozen": "eval.py,*.md"}
    config = EvolveConfig.model_validate(given)
    assert config.llm.forms == ("diff",)
    assert config.mutators == {"syntax": 2.0, "merge": 1.0}
    assert config.frozen == ("eval.py", "*.md")
    assert EvolveConfig.model_validate(config.model_dump(mode="json")) == config


GO_ON = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "unit")!r})
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_evolve import loop_of, start
from autotroph.loop import Recorder, run_loop
from autotroph.store.run import Run
folder = Path(sys.argv[1])
config, loop = loop_of()
with (Run.open(folder) if folder.exists() else start(folder, config)) as run:
    run_loop(run, loop, Recorder())
"""


def test_a_killed_run_is_the_uninterrupted_one(whole: Path, tmp_path: Path) -> None:
    folder, killed = tmp_path / "run", 0
    for delay in (1.2, 1.5, 1.8, None):
        process = subprocess.Popen([sys.executable, "-c", GO_ON, str(folder)])
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        time.sleep(0.05)
    assert process.returncode == 0
    assert killed > 0
    assert happened(folder) == happened(whole)
    with Run(folder, write=False) as one, Run(whole, write=False) as other:
        assert one.record().spent["verifier_calls"] == other.record().spent["verifier_calls"]
