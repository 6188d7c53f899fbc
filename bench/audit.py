"""The audit behind docs/verifiers.md: every built-in task and every reasoning-gym dataset that has gold answers.

    .venv/bin/python bench/audit.py

The figures go to bench/results/audit.json; tasks that an earlier call finished are kept. Probes are inert text.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.audit import Rate, audit
from autotroph.tasks.family import Family
from autotroph.tasks.reasoning_gym import ReasoningGym, dataset_names
from autotroph.tasks.registry import FAMILIES, task_family

OUT = Path(__file__).parent / "results" / "audit.json"
CONSTANTS = {
    "coin_flip": "0",
    "complex_arithmetic": "nan",
    "game_of_life_halting": "x",
    "puzzle24": "1*2*3*4",
}
"""Dataset -> one answer to all of its tasks, found by reading what the audit showed."""
TIMEOUT = 3.0
"""Seconds that a scorer of the library may take for one answer."""


def families() -> Iterator[Family]:
    yield from (task_family(name) for name in FAMILIES if "<" not in name)
    yield from (ReasoningGym(name, TIMEOUT) for name in dataset_names())


def compact(row: dict[str, Any]) -> dict[str, Any]:
    """Counts of each kind, (accepted, scored, unscored), and an example of each error."""
    kinds = {
        f"{kind['truth']}: {kind['kind']}": (kind["accepted"]["hits"], kind["accepted"]["n"], kind["unscored"])
        for kind in row["kinds"]
    }
    errors = {kind["kind"]: kind["examples"][0][1:] for kind in row["kinds"] if kind["examples"]}
    return row | {"kinds": kinds, "errors": errors}


def constant(family: ReasoningGym, level: int, answer: str, n: int = 100) -> dict[str, Any]:
    """How often one answer gets full score whatever was asked, beside how often it is the gold answer."""
    tasks = family.generate(level, n, seed=1)
    scores = [family.verify(task, answer) for task in tasks]
    full = Rate(sum(score == 1 for score in scores), sum(score is not None for score in scores))
    return {"answer": answer, "full_score": full.as_dict(), "gold": sum(task.answer == answer for task in tasks)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--built-in", type=int, default=200, help="tasks of each built-in family, at its middle level")
    parser.add_argument("--library", type=int, default=20, help="tasks of each dataset, at level 1")
    chosen = parser.parse_args()
    done: list[dict[str, Any]] = json.loads(OUT.read_text()) if OUT.is_file() else []
    for family in families():
        if family.name in [row["task"] for row in done]:
            continue
        library = isinstance(family, ReasoningGym)
        level = family.levels[0] if library else family.levels[min(len(family.levels), 16) // 2 - 1]
        begun = time.monotonic()
        try:
            row = compact(audit(family, level, chosen.library if library else chosen.built_in).as_dict())
        except AutotrophError as error:
            row = {"task": family.name, "level": level, "left_out": str(error)}
        if library:
            row["failures"] = dict(family.failures)
            if family.dataset in CONSTANTS:
                row["constant"] = constant(family, level, CONSTANTS[family.dataset])
            family.worker.close()
        row["seconds"] = round(time.monotonic() - begun, 1)
        done.append(row)
        OUT.write_text("[\n" + ",\n".join(json.dumps(row) for row in done) + "\n]\n")
        print(row["task"], row.get("false_positives"), row.get("left_out", ""), row["seconds"], flush=True)


if __name__ == "__main__":
    main()
