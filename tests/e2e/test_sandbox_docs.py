"""The example of docs/sandbox.md runs, and its table names every wall."""

import re
from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import bubblewrap
from autotroph.sandbox.walls import WALLS

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def test_the_example_runs() -> None:
    try:
        bubblewrap.prove()
    except AutotrophError as error:
        pytest.skip(str(error))
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(example, {})


def test_every_wall_is_described() -> None:
    assert [wall for wall in WALLS if f"| {wall} |" not in TEXT] == []
