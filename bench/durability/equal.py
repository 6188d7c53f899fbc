"""A run that is killed at 20 random moments, and resumed each time, beside the same one left alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

from worker import Acknowledged, Bench, begun, decisions, unsound, warm_up

SHARED = """
task = "copy"
final_sealed = 60
gap_tasks = 8
gap_samples = 2
rival_tasks = 8
rival_answers = 2
"""
RECIPES = {
    "rejection_sampling": SHARED
    + """
recipe = "rejection_sampling"
level = 2
cycles = 12
tasks = 40
samples = 2
steps = 12
batch = 32
gold_per_level = 60
sealed = 60
learner.average = 1.0
base = {hidden = 32, layers = 1, heads = 2, train = {steps = 40, rows = 200}}
""",
    "grpo": SHARED
    + """
recipe = "grpo"
level = 3
cycles = 13
tasks = 300
steps = 20
prompts = 16
samples = 6
sealed = 100
learner = {muon_lr = 0.001, adam_lr = 0.002}
base = {hidden = 32, train = {steps = 90, rows = 300}}
""",
}


def measure(recipe: str, kills: int, seed: int = 0) -> dict[str, Any]:
    """Kill after up to 1.6 times what a mean cycle computes: some processes end a cycle or two, others none."""
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(Path(work), RECIPES[recipe])
        warm_up(bench)
        alone = bench.fresh()
        ended = bench.start(alone)
        assert ended.code == 0, ended.stderr
        expected, rng = decisions(alone), Random(seed)
        longest = 1.6 * ended.computed / len(expected["cycles"])
        run, told, killed, seconds = bench.fresh(), Acknowledged(), 0, 0.0
        while killed < kills:
            if not told.events and not begun(run):
                told = Acknowledged()
            once = bench.go_on(run, life=rng.uniform(0, longest))
            for said in once.said:
                told.add(said)
            seconds += once.seconds
            killed += once.killed
            if not once.killed:
                break
        last = bench.go_on(run)
        assert last.code == 0, last.stderr
        found = decisions(run)
        return {
            "recipe": recipe,
            "kills": killed,
            "cycles": len(expected["cycles"]),
            "promoted": sum(cycle["verdict"] == "promote" for cycle in expected["cycles"]),
            "champion": {"alone": expected["champion"], "killed": found["champion"]},
            "same_champion": found["champion"] == expected["champion"],
            "same_decisions": found == expected,
            "repeated": told.repeated,
            "unsound": unsound(run),
            "seconds": {"alone": round(ended.seconds, 1), "killed": round(seconds + last.seconds, 1)},
        }
