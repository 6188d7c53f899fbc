"""Does the monitor of `srt` warn before accuracy is lost? Fresh seeds, looked at every five steps.

    python bench/foresight.py     about 3 minutes on two cores; writes bench/results/foresight.json

Accuracy is the mean chance of the right answer to the same dev tasks, about 500, in every cycle: computed, so that two
points are two points, and no draw of answers makes a peak. It counts as lost in the first cycle after its highest one
that is more than 2 points below it; the alarm is `kl_base` above .1 nats a token, as the recipe has it. The steps are
as many as in the claim, in three times as many cycles. The optimiser begins anew in each, which makes them gentler.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from autotroph.claims import alone
from autotroph.evaluate.claim import Trial
from autotroph.recipes.sides import Practised
from autotroph.recipes.srt import LONG, foresight
from autotroph.store.record import RunRecord

SEEDS = range(10, 15)


def figures(record: RunRecord) -> Mapping[str, float]:
    """What the claim tells of the alarm, and what it rests on, cycle by cycle."""
    seen = {
        f"{name} {cycle.cycle + 1}": cycle.metrics[name]
        for name in ("dev_accuracy", "kl_base")
        for cycle in record.cycles
    }
    return {**foresight(record), **seen}


def tried(seed: int) -> Trial:
    return Practised("srt", {**LONG, "steps": 5, "cycles": 21}, beside=figures)(seed, {})


def main() -> None:
    with ProcessPoolExecutor(2, get_context("spawn"), alone) as pool:
        trials = list(pool.map(tried, SEEDS))
    found = {str(seed): asdict(trial) for seed, trial in zip(SEEDS, trials, strict=True)}
    (Path(__file__).parent / "results" / "foresight.json").write_text(json.dumps(found, indent=1) + "\n")
    for seed, trial in zip(SEEDS, trials, strict=True):
        print(seed, {name: round(trial.beside[name], 1) for name in ("peak", "alarm", "kept", "lost", "lead")})


if __name__ == "__main__":
    main()
