"""Families by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.tasks.registry import task_family, task_names


def test_every_plain_name_builds_the_family_of_that_name() -> None:
    plain = [name for name in task_names() if "<" not in name]
    assert {"addition", "maze_walk", "listfn", "countdown", "kuhn"} <= set(plain)
    assert [task_family(name).name for name in plain] == plain


def test_names_with_an_argument(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text('{"prompt": "1+1?", "answer": "2", "split": "sealed"}\n')
    assert task_family(f"jsonl:{path}").name == f"jsonl:{path}"
    assert task_family("reasoning_gym:leg_counting", timeout=3.0).name == "reasoning_gym:leg_counting"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("adition", "did you mean 'addition'"),
        ("jsonl", "did you mean 'jsonl:<path>'"),
        ("reasoning_gym:", "did you mean 'reasoning_gym:<dataset>'"),
        ("qqq", "choose from addition, "),
        ("", "choose from addition, "),
        ("reasoning_gym:leg_countin", "did you mean 'leg_counting'"),
    ],
)
def test_an_unknown_name_gets_a_hint(name: str, hint: str) -> None:
    with pytest.raises(AutotrophError, match="unknown") as error:
        task_family(name)
    assert hint in str(error.value)
    assert "\n" not in str(error.value)
