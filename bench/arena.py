"""All search policies on all landscapes of the arena at equal evaluations, 40 seeds; and how long each takes to solve
the K-module.

    .venv/bin/python bench/arena.py [solve]

Writes bench/results/arena.json, docs/arena.png and the tables of docs/arena.md; some ten minutes on two cores.
With `solve`: bench/results/arena_solve.json, evaluations until a finished node had all modules right, at most CAP.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import Any

from plots import photograph

from autotroph.evolve.arena import Contest, contested, played, processes
from autotroph.evolve.policies.registry import POLICIES
from autotroph.report.arena import arena_chart, arena_markdown, summary
from autotroph.store.run import machine

ROOT = Path(__file__).parents[1]
RESULTS, PAGE = ROOT / "bench" / "results", ROOT / "docs" / "arena.md"
BEGIN, END = "<!-- bench/arena.py writes what follows -->\n", "<!-- and ends here -->\n"
PICTURE = "\n![True skill of the pick on each landscape, with 95% intervals](arena.png)\n"
SEEDS, CAP = 40, 20_000


def kept(found: dict[str, Any]) -> dict[str, Any]:
    """With trials as columns, which take less room."""
    for row in found["landscapes"].values():
        for side in row.values():
            trials = side.pop("trials")
            side["skills"] = [round(trial["skill"], 4) for trial in trials]
    return found


def fair() -> None:
    contest = Contest(seeds=SEEDS)
    with processes() as pool:
        found = kept(summary(contest, contested(contest, pool))) | {"machine": machine()}
    (RESULTS / "arena.json").write_text(json.dumps(found) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(before + BEGIN + PICTURE + arena_markdown(found) + "\n" + END + rest.partition(END)[2])
    photograph(arena_chart(found), ROOT / "docs" / "arena.png")


def solve() -> None:
    """A policy that has not solved it by CAP counts as CAP, which makes its median a lower bound where it is CAP."""
    with processes() as pool:
        jobs = {
            name: [pool.submit(played, name, "k_module", seed, CAP, True) for seed in range(SEEDS)] for name in POLICIES
        }
        solved = {name: [job.result().solved for job in own] for name, own in jobs.items()}
    found = {
        name: {"solved": sum(one is not None for one in own), "median": median(one or CAP for one in own), "each": own}
        for name, own in solved.items()
    }
    about = {"landscape": "k_module", "cap": CAP, "seeds": SEEDS, "policies": found, "machine": machine()}
    (RESULTS / "arena_solve.json").write_text(json.dumps(about) + "\n")


if __name__ == "__main__":
    solve() if sys.argv[1:] == ["solve"] else fair()
