"""Practice on listfn: sealed pass@1 before and after rejection sampling, beside the same with a reward that is chance.

    .venv/bin/python bench/listfn.py [verifier | chance] [SEED ...]

Adds to bench/results/listfn.json; about four minutes a seed and arm on one core. docs/code_tasks.md has the figures.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from autotroph.acquire.curated import Curated
from autotroph.acquire.interaction import Interaction
from autotroph.acquire.replay import Mixed, Replay
from autotroph.core.protocols import Refiner, Sampler, SamplingParams
from autotroph.core.task import Task, stable_hash
from autotroph.evaluate.audit import Rate
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.gate import PairedGate
from autotroph.loop import Loop, Recorder, run_loop
from autotroph.optimize.pretrain import PretrainConfig
from autotroph.recipes import rejection_sampling
from autotroph.recipes.bases import BaseConfig
from autotroph.refine.agreement import Agreement
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.greedy import Greedy
from autotroph.refine.repair import Repair
from autotroph.refine.self_consistency import SelfConsistency
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.guard import Guard
from autotroph.store.run import Run
from autotroph.tasks.code.listfn import ListFn

OUT = Path(__file__).parent / "results" / "listfn.json"
ARMS = ("verifier", "chance")
TASKS, REFINED, SAMPLES = 500, 200, 8
WARM = SamplingParams(max_tokens=ListFn().max_answer(1) + 1)


def config(seed: int, arm: str) -> rejection_sampling.Config:
    """A base of a few seconds that then learns from its own answers; one gold row a cycle, the least there can be.

    Without a verifier no gate stands in the way: what chance teaches is to be seen.
    """
    return rejection_sampling.Config(
        seed=seed,
        task="listfn",
        cycles=3,
        tasks=3000,
        samples=4,
        steps=120,
        gold_per_level=1,
        guard=Guard(real_floor=0),
        gate=PairedGate(off=arm == "chance"),
        gap_samples=0,
        rival_tasks=0,
        sealed=600,
        final_sealed=TASKS,
        base=BaseConfig(rope_theta=10000.0, train=PretrainConfig(steps=200, rows=1500)),
    )


def by_chance(task: Task, answer: str) -> float:
    """Accepts three of ten texts, whatever they say: as many as the verifier accepts of a base."""
    return float(int(stable_hash("chance", task.key, answer)[:8], 16) % 10 < 3)


def built(chosen: rejection_sampling.Config, arm: str) -> Loop:
    loop = rejection_sampling.build(chosen)
    loop = replace(loop, stages=replace(loop.stages, other_refiners=()))
    if arm == "verifier":
        return loop
    family = chosen.family()
    levels = chosen.levels(family)
    tries = Interaction(family, levels, chosen.tasks, Verifiable(by_chance), chosen.samples, chosen.temperature)
    source = Mixed([Curated(family, levels, chosen.gold_per_level), Replay(), tries])
    return replace(loop, stages=replace(loop.stages, source=source))


def measured(seed: int, arm: str) -> dict[str, Any]:
    chosen, begun = config(seed, arm), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        start = {"recipe": "rejection_sampling", "config": chosen.model_dump(mode="json")}
        with Run.create(Path(folder) / "run", start) as run:
            state = run_loop(run, built(chosen, arm), Recorder())
            seconds = time.monotonic() - begun
            policies = {"base": run.base_policy(), "champion": state.champion}
            scores = {name: shown(state.sampler(policy), seed, arm) for name, policy in policies.items()}
            verdicts = [record.decision.verdict for record in run.record().cycles]
    return {"seed": seed, "arm": arm, "seconds": round(seconds), "verdicts": verdicts, **scores}


def shown(sampler: Sampler, seed: int, arm: str) -> dict[str, Any]:
    """Share of sealed tasks right: greedy, by one sample (mean of three), and refined where practice had a verifier."""
    family = ListFn()
    suite = SealedSuite(family, [1], TASKS, seed=1000 + seed)
    samples = [rate(suite, sampler, SelfConsistency(WARM, 1), draw)["share"] for draw in range(3)]
    found = {"greedy": rate(suite, sampler, Greedy(WARM.max_tokens)), "one sample": round(sum(samples) / 3, 4)}
    if arm == "chance":
        return found
    refiners: dict[str, Refiner] = {
        "raw": Greedy(WARM.max_tokens),
        f"vote@{SAMPLES}": SelfConsistency(WARM, SAMPLES),
        f"visible best@{SAMPLES}": BestOfN(Verifiable.visible(family), WARM, SAMPLES),
        f"agreement@{SAMPLES}": Agreement(family, WARM, SAMPLES),
        f"repair@{SAMPLES - 1}": Repair(family, WARM, SAMPLES - 1),
    }
    fewer = SealedSuite(family, [1], REFINED, seed=2000 + seed)
    return found | {"refined": {name: rate(fewer, sampler, refiner) for name, refiner in refiners.items()}}


def rate(suite: SealedSuite, sampler: Sampler, refiner: Refiner, seed: int = 0) -> dict[str, Any]:
    results = suite.run(sampler, refiner, seed=seed).results
    return Rate(sum(result.score == 1 for result in results), len(results)).as_dict()


def main() -> None:
    """Each run that is done is kept at once, beside those of earlier calls."""
    for arm in [word for word in sys.argv[1:] if word in ARMS] or ARMS:
        for seed in [int(word) for word in sys.argv[1:] if word not in ARMS] or range(3):
            run = measured(seed, arm)
            print(json.dumps(run), flush=True)
            done = json.loads(OUT.read_text()) if OUT.is_file() else []
            done = [other for other in done if (other["seed"], other["arm"]) != (seed, arm)] + [run]
            done.sort(key=lambda one: (ARMS.index(one["arm"]), one["seed"]))
            OUT.write_text("[\n" + ",\n".join(map(json.dumps, done)) + "\n]\n")


if __name__ == "__main__":
    main()
