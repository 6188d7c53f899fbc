"""HumanEval, MBPP and ARC from small files of our own in their formats."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.tasks.registry import task_family

EVEN = {
    "task_id": "Ours/0",
    "prompt": (
        'import math\n\n\ndef halves(numbers):\n    """Half of each.\n    >>> halves([4, 3])\n    [2.0, 1.5]\n    """\n'
    ),
    "canonical_solution": "    return [number / 2 for number in numbers]\n",
    "test": (
        "METADATA = {}\n\n\ndef check(candidate):\n    assert candidate([1]) == [0.5]\n"
        "    for n in range(3):\n        assert abs(candidate([n])[0] - n / 2) < 1e-6\n    assert candidate([]) == []\n"
    ),
    "entry_point": "halves",
}
LAST = {
    "text": "Write a function to give the last of a list.",
    "code": "def last(a):\r\n  return a[-1]",
    "task_id": 602,
    "test_setup_code": "",
    "test_list": ["assert last([1, 2]) == 2", "assert last(['x']) == 'x'", "assert last([[3], [4]]) == [4]"],
    "challenge_test_list": [],
}
ROOT = {
    "source_file": "ours.ipynb",
    "task_id": 11,
    "prompt": "Write a function to find the whole square root.",
    "code": "import math\ndef root(n):\n    return math.isqrt(n)",
    "test_imports": ["import math"],
    "test_list": ["assert root(9) == math.sqrt(9)", "assert root(10) == 3"],
}
FORGED = [
    "    raise SystemExit",
    "    import os\n    os._exit(0)",
    "    class Yes(list):\n        def __eq__(self, other):\n            return True\n    return Yes()",
    "    import sys\n    sys.modules['__main__'].check = lambda candidate: None\n    return []",
]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_humaneval(tmp_path: Path) -> None:
    family = task_family(f"humaneval:{write(tmp_path / 'rows.jsonl.gz', EVEN)}")
    family.validate()
    assert family.generate(1, 9, 0) == []
    [task] = family.generate(1, 9, 0, "sealed")
    assert task.prompt == EVEN["prompt"]
    whole = "```python\ndef halves(numbers):\n    return list(map(lambda n: n * 0.5, numbers))\n```"
    assert family.verify(task, whole) == 1
    assert family.verify(task, "    return [n / 2 for n in numbers if n > 1]") == 0
    visible = family.visible(task)
    assert family.verify(visible, "    return [2.0, 1.5]") == 1
    assert family.verify(task, "    return [2.0, 1.5]") == 0


@pytest.mark.parametrize("answer", FORGED)
def test_no_forged_pass(answer: str, tmp_path: Path) -> None:
    family = task_family(f"humaneval:{write(tmp_path / 'rows.jsonl', EVEN)}")
    [task] = family.generate(1, 1, 0, "sealed")
    assert family.verify(task, answer) == 0


def test_mbpp_in_both_formats(tmp_path: Path) -> None:
    write(tmp_path / "sanitized.jsonl", ROOT)
    write(tmp_path / "full.jsonl", LAST)
    family = task_family(f"mbpp:{tmp_path}")
    family.validate()
    [train], [sealed] = family.generate(1, 9, 0), family.generate(1, 9, 0, "sealed")
    assert train.prompt == "Write a function to give the last of a list.\nassert last([1, 2]) == 2\n"
    assert family.verify(train, "last = lambda a: a[len(a) - 1]") == 1
    assert family.verify(train, "def last(a): return 2") == 0
    assert family.verify(family.visible(train), "def last(a): return 2") == 1
    assert family.verify(sealed, "def root(n):\n    return int(math.sqrt(n))") == 1


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task_id": "x"}, "rows.jsonl, row 1: not a row of mbpp"),
        ({**LAST, "test_list": []}, "not a row of mbpp"),
        ({**LAST, "code": "def last(:"}, "not a row of mbpp"),
        ({**LAST, "test_list": ["assert first([1])"]}, "not a row of mbpp"),
    ],
)
def test_a_row_of_another_format_is_named(row: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(AutotrophError, match=message):
        task_family(f"mbpp:{write(tmp_path / 'rows.jsonl', row)}")


def test_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AutotrophError, match="no such folder"):
        task_family("humaneval:nowhere")
    with pytest.raises(AutotrophError, match=r"no \*\.jsonl"):
        task_family(f"humaneval:{tmp_path}")
    (tmp_path / "rows.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(AutotrophError, match="cannot be read"):
        task_family(f"humaneval:{tmp_path}")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    with pytest.raises(AutotrophError, match="parquet needs pyarrow"):
        task_family(f"mbpp:{tmp_path / 'rows.parquet'}")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(AutotrophError, match="dataset 'org/name': no such folder, and hub ids need huggingface_hub"):
        task_family("mbpp:org/name")


MIRROR = {
    "train": [{"input": [[1, 2]], "output": [[2, 1]]}, {"input": [[0, 3, 4]], "output": [[4, 3, 0]]}],
    "test": [{"input": [[5, 6], [7, 8]], "output": [[6, 5], [8, 7]]}],
}


@pytest.fixture
def arc(tmp_path: Path) -> Path:
    for folder in ("training", "evaluation"):
        (tmp_path / folder).mkdir()
    (tmp_path / "training" / "mirror.json").write_text(json.dumps(MIRROR))
    one = {"train": MIRROR["train"][:1], "test": MIRROR["test"] * 2}
    (tmp_path / "evaluation" / "less.json").write_text(json.dumps(one))
    return tmp_path


def test_arc_wants_the_grid(arc: Path) -> None:
    family = task_family(f"arc:{arc}")
    family.validate()
    tasks = [task for split in ("train", "dev") for task in family.generate(1, 9, 0, split)]
    assert [task.prompt for task in tasks] == ["in\n12\nout\n21\nin\n034\nout\n430\nin\n56\n78\nout\n"]
    assert family.verify(tasks[0], "65\n87") == 1
    assert family.verify(tasks[0], "65\n88") == family.verify(tasks[0], "65 87") == 0
    assert family.generate(1, 9, 0, "sealed")


def test_arc_programs_are_run_on_the_test_grids(arc: Path) -> None:
    family = task_family(f"arc_programs:{arc}")
    family.validate()
    [task] = family.generate(1, 9, 0) + family.generate(1, 9, 0, "dev")
    mirror = "def transform(grid):\n    return [row[::-1] for row in grid]"
    known = "def transform(grid):\n    return {2: [[2, 1]], 3: [[4, 3, 0]]}[len(grid[0])]"
    assert family.verify(task, mirror) == 1
    assert family.verify(family.visible(task), known) == 1
    assert family.verify(task, known) == 0


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"train": [], "test": []}', json.dumps({**MIRROR, "test": [{"input": [[10]]}]})]
)
def test_what_is_no_puzzle(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(AutotrophError, match=r"bad\.json: no ARC puzzle"):
        task_family(f"arc:{tmp_path}")
