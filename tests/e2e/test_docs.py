"""What the documentation shows runs."""

import re
from pathlib import Path

import pytest

from autotroph.cli.main import invoke
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace

EXTENDING = Path(__file__).parents[2] / "docs" / "extending.md"


def test_every_example_of_extending_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks, each in the place where the text says that it is, are a task, an algorithm, a reward and a recipe."""
    blocks = re.findall(r"```python\n(.*?)```", EXTENDING.read_text(), re.DOTALL)
    task, verify, algorithm, reward, recipe = blocks
    shown: dict = {}
    exec(verify, shown)
    assert shown["verify"]("", "Yes", "yes") == 1.0
    exec(algorithm, shown)
    traces = tuple(
        Trace("k", "p", (1, 2), (False, True), (0.0, 0.0), text, "stop", rewards={"r": reward})
        for text, reward in (("a", 0.0), ("b", 1.0))
    )
    group = Group(Task.of("t", "p", None), traces)
    assert [signal.trace.text for signal in shown["BestOfGroup"]().signals([group])] == ["b"]
    exec(reward, shown)
    assert shown["Brevity"](4).score(group).traces[0].rewards["brevity"] == 0.75
    monkeypatch.chdir(tmp_path)
    Path("parity.py").write_text(task)
    title, _, rest = recipe.partition("\n\n\n")
    Path("best_and_brief.py").write_text(f"{title}\n\n{algorithm}\n{reward}\n{rest}")
    tiny = "--cycles 1 --steps 2 --sealed 6 --final-sealed 6 --gap-samples 0 --rival-tasks 0 --monitors-tasks 0"
    small = "--base-hidden 16 --base-layers 1 --base-train-steps 20 --base-train-rows 8"
    arguments = f"run best_and_brief.py --task parity.py:Parity --level 4 --out run {tiny} {small}"
    assert invoke(arguments.split()) == 0
    assert invoke(["verify", "run"]) == 0
    assert invoke(["resume", "run"]) == 0


def test_the_refiners_of_code_tasks_can_be_made() -> None:
    shown: dict = {}
    page = (EXTENDING.parent / "code_tasks.md").read_text()
    [block] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(block, shown)
    assert [refiner.name for refiner in shown["refiners"]] == ["best@8", "agreement@8", "repair@7"]
