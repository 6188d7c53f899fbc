"""What the documentation shows runs."""

import re
from pathlib import Path

from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace

EXTENDING = Path(__file__).parents[2] / "docs" / "extending.md"


def test_every_example_of_extending_runs() -> None:
    shown: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", EXTENDING.read_text(), re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, shown)
    task = shown["Parity"]().generate(5, 1, seed=0)[0]
    assert task.answer == str(task.prompt.count("1") % 2)
    assert shown["verify"]("", "Yes", "yes") == 1.0
    traces = tuple(
        Trace("k", "p", (1, 2), (False, True), (0.0, 0.0), text, "stop", rewards={"r": reward})
        for text, reward in (("a", 0.0), ("b", 1.0))
    )
    signals = shown["BestOfGroup"]().signals([Group(Task.of("t", "p", None), traces)])
    assert [signal.trace.text for signal in signals] == ["b"]


def test_the_refiners_of_code_tasks_can_be_made() -> None:
    shown: dict = {}
    page = (EXTENDING.parent / "code_tasks.md").read_text()
    [block] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(block, shown)
    assert [refiner.name for refiner in shown["refiners"]] == ["best@8", "agreement@8", "repair@7"]
