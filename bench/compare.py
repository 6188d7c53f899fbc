"""Eight algorithms on three tasks at equal compute, each task with bases of its own that have barely begun to learn it.

    .venv/bin/python bench/compare.py [TASK ...]

Writes bench/results/compare.json and the tables of docs/compare.md; about six minutes on two free cores.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from autotroph.comparison import Contest, compared
from autotroph.report.comparison import comparison_markdown, level_of

ROOT = Path(__file__).parents[1]
OUT, PAGE = ROOT / "bench" / "results" / "compare.json", ROOT / "docs" / "compare.md"
NAMES = [f"grpo:{one}" for one in ("grpo", "gspo", "rloo", "reinforce", "ppo", "nft", "weighted_sft", "dpo")]
SMALL: dict[str, Any] = {
    "steps": 4,
    "rate": 2.0,
    "updates": 2,
    "schedule": "constant",
    "sealed": 20,
    "final_sealed": 100,
    "base": {"hidden": 32, "layers": 2, "train": {"steps": 90, "rows": 150}},
}
SUMS: dict[str, Any] = SMALL | {"base": {"layers": 2, "train": {"steps": 150, "rows": 2000}}}
CONTESTS = [
    Contest(NAMES, "copy", 4, 6e9, settings=SMALL),
    Contest(NAMES, "reverse", 3, 6e9, settings=SMALL),
    Contest(NAMES, "addition", 2, 6e10, settings=SUMS),
]
BEGIN, END = "<!-- bench/compare.py writes what follows -->\n", "<!-- and ends here -->\n"


def section(found: dict[str, Any]) -> str:
    about = f"{found['flops']:.0e} flops of practice, {found['seeds']} seeds, {found['seconds']:.0f} s"
    return f"\n## {found['task']}{level_of(found)}\n\n{about}.\n\n{comparison_markdown(found)}"


def main(tasks: list[str]) -> None:
    """Run the contests of these tasks, all of them where none is named; the others' results stay."""
    kept = {found["task"]: found for found in json.loads(OUT.read_text())} if OUT.exists() else {}
    for contest in CONTESTS:
        if not tasks or contest.task in tasks:
            kept[contest.task] = compared(contest)
            found = [kept[one.task] for one in CONTESTS if one.task in kept]
            OUT.write_text(json.dumps(found, indent=1) + "\n")
            before, _, rest = PAGE.read_text().partition(BEGIN)
            PAGE.write_text(before + BEGIN + "".join(map(section, found)) + "\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    main(sys.argv[1:])
