"""What the gate promises, measured: false promotions of whole campaigns, power, coverage of the intervals.

    .venv/bin/python bench/gate.py [campaigns] [power] [coverage] [graded]

Writes bench/results/gate.json and takes about six minutes on one core. docs/evaluation.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from autotroph.core.decision import Report, Result
from autotroph.evaluate.betting import mean_above
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.intervals import bootstrap_interval, paired_interval, rate_below, wilson
from autotroph.evaluate.power import power, required_tasks
from autotroph.evaluate.statistics import sign_test

ASKED, RUNS, LOOKS, ITEMS, DISCORDANCE = 200, 2000, 40, 300, 0.1
Rng = np.random.Generator
Judge = Callable[[int, int, int, int], str]
"""(gained, lost, look, verdicts other than hold on this set) to a verdict."""


def main() -> None:
    parts = {"campaigns": campaigns, "power": powers, "coverage": coverage, "graded": graded}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(parts)} [default: all]")
    path = Path(__file__).parent / "results" / "gate.json"
    figures = json.loads(path.read_text()) if path.is_file() else {}
    for name in parser.parse_args().parts or parts:
        begun = time.process_time()
        figures[name] = {**parts[name](), "cpu_seconds": round(time.process_time() - begun)}
        path.write_text(json.dumps(figures, indent=1) + "\n")


def campaigns() -> dict[str, Any]:
    """Campaigns of candidates that are exactly as good as their champion, judged by several gates.

    A candidate is a function of the task: it gains or loses a tenth of all tasks that there are, with equal chances.
    """
    gates: dict[str, tuple[Judge, int]] = {
        "plain p < .05, one set": (plain, LOOKS),
        "PairedGate, fresh tasks for each look": (paired_gate(reuse=1), 1),
        "PairedGate, a set for 10 looks": (paired_gate(reuse=10), 10),
        "PairedGate, one set for all looks": (paired_gate(reuse=LOOKS), LOOKS),
        "PairedGate, one set, reuse not declared": (paired_gate(reuse=1), LOOKS),
    }
    found = []
    for attack in (one_attacker, climber):
        for name, (judge, reuse) in gates.items():
            wrong = [fooled(np.random.default_rng([1, run]), judge, reuse, attack) for run in range(RUNS)]
            found.append(
                {
                    "gate": name,
                    "attack": attack.__name__,
                    **{
                        f"first_{runs}_runs": {
                            "with_false_promotion": sum(wrong[:runs]),
                            "share": sum(wrong[:runs]) / runs,
                            "upper_95": round(rate_below(sum(wrong[:runs]), runs), 4),
                        }
                        for runs in (ASKED, RUNS)
                    },
                }
            )
            print(found[-1], flush=True)
    return {"candidates": LOOKS, "tasks": ITEMS, "discordance": DISCORDANCE, "gates": found}


def fooled(rng: Rng, judge: Judge, reuse: int, attack: Callable[[Rng], Iterator[np.ndarray]]) -> bool:
    """Whether one campaign ends in a false promotion; the first one ends it.

    The attack yields a candidate's changes on the current set and on all fresh ones to come, as one row a set.
    """
    candidates, answered = attack(rng), 0
    changes = next(candidates)
    for look in range(1, LOOKS + 1):
        if (look - 1) % reuse == 0:
            answered = 0
        verdict = judge(*counted(changes[(look - 1) // reuse]), look, answered)
        if verdict == "promote":
            return True
        answered += verdict != "hold"
        if look < LOOKS:
            changes = candidates.send(verdict)
    return False


def null(rng: Rng) -> np.ndarray:
    """Changes, -1, 0 or 1, that a new candidate without merit makes: one row for each sealed set there may be."""
    drawn = rng.integers(0, round(2 / DISCORDANCE), size=(LOOKS, ITEMS), dtype=np.int8)
    return (drawn == 1).astype(int) - (drawn == 0)


def one_attacker(rng: Rng) -> Iterator[np.ndarray]:
    """39 candidates that know nothing; the last one does the opposite of those that were rolled back, by vote."""
    votes = np.zeros((LOOKS, ITEMS), dtype=int)
    for _ in range(LOOKS - 1):
        candidate = null(rng)
        if (yield candidate) == "roll back":
            votes -= candidate
    yield np.sign(votes)


def climber(rng: Rng) -> Iterator[np.ndarray]:
    """Every candidate is the attacker's: it submits the opposite of its guess, and what is rolled back is learnt from.

    A roll back is easier to get than a promotion, and says as much. The last five candidates are the guess itself.
    """
    guess = np.zeros((LOOKS, ITEMS), dtype=int)
    for _ in range(LOOKS - 5):
        step = null(rng)
        if (yield np.sign(-guess - step)) == "roll back":
            guess += step
    while True:
        yield np.sign(guess)


def counted(changes: np.ndarray) -> tuple[int, int]:
    """How many tasks are gained and lost; nothing else matters where tasks are of one level and independent."""
    return int((changes > 0).sum()), int((changes < 0).sum())


@cache
def plain(gained: int, lost: int, look: int, answered: int) -> str:
    if sign_test(gained, lost) < 0.05:
        return "promote"
    return "roll back" if sign_test(lost, gained) < 0.05 else "hold"


def paired_gate(reuse: int, looks: int = LOOKS, items: int = ITEMS) -> Judge:
    gate = PairedGate(looks=looks, reuse=reuse)

    @cache
    def judge(gained: int, lost: int, look: int, answered: int) -> str:
        return gate.decide(*reports(gained, lost, items), look, min(answered, (look - 1) % reuse)).verdict

    return judge


def reports(gained: int, lost: int, items: int) -> tuple[Report, Report]:
    """Results on `items` tasks of which the candidate gains and loses so many."""
    scores = [(0, 1)] * gained + [(1, 0)] * lost + [(1, 1)] * (items - gained - lost)
    sides = [
        tuple(Result(str(i), 1, float(score)) for i, score in enumerate(side)) for side in zip(*scores, strict=True)
    ]
    return Report("champion", "", sides[0], {}), Report("candidate", "", sides[1], {})


def powers(items: int = 1200, gain: float = 0.03, runs: int = 2000) -> dict[str, Any]:
    """Share of planted gains promoted and of planted losses refused, next to the exact power."""
    settings = {
        "the only look": (1, 1, 1),
        "any of 5 looks, fresh tasks": (5, 1, 5),
        "first of 5 looks at one set": (5, 5, 1),
        "fifth of 5 looks at one set, all hold before": (5, 5, 5),
        "any of 40 looks, fresh tasks": (40, 1, 40),
    }
    rows = []
    for name, (looks, reuse, look) in settings.items():
        judge, rng = paired_gate(reuse, looks, items), np.random.default_rng(2)
        level = PairedGate(looks=looks, reuse=reuse).decide(*reports(0, 0, 1), look).alpha
        better = [judge(*counted(planted(rng, items, gain)), look, 0) for _ in range(runs)]
        worse = [judge(*counted(planted(rng, items, -gain)), look, 0) for _ in range(runs)]
        rows.append(
            {
                "setting": name,
                "level": level,
                "gain_promoted": better.count("promote") / runs,
                "exact_power": round(power(items, gain, DISCORDANCE, level), 4),
                "items_for_80": required_tasks(gain, DISCORDANCE, level),
                "loss_refused": 1 - worse.count("promote") / runs,
                "loss_rolled_back": worse.count("roll back") / runs,
            }
        )
        print(rows[-1], flush=True)
    return {"items": items, "gain": gain, "discordance": DISCORDANCE, "runs": runs, "settings": rows}


def planted(rng: Rng, items: int, gain: float) -> np.ndarray:
    up, down = (DISCORDANCE + gain) / 2, (DISCORDANCE - gain) / 2
    return rng.choice([-1, 0, 1], size=items, p=[down, 1 - up - down, up])


def graded(items: int = 400, runs: int = 2000) -> dict[str, Any]:
    """Scores with parts of a point: shares promoted at the first look by a plain sign test, by betting on the mean, and
    by the gate.

    Each case: what a task's score changes by, and how often; the candidate's gains are from 0, its losses down to 0.
    """
    cases = {
        "no better: 30% gain .1, 10% lose .3": {0.1: 0.3, -0.3: 0.1},
        "no better: 30% gain .02, 2% lose .3": {0.02: 0.3, -0.3: 0.02},
        "+3 points: 10% gain .5, 4% lose .5": {0.5: 0.1, -0.5: 0.04},
        "+3 points: 40% gain .1, 10% lose .1": {0.1: 0.4, -0.1: 0.1},
        "+3 points: 30% gain .01, 2.7% gain 1": {0.01: 0.3, 1.0: 0.027},
    }
    gate, rows = PairedGate(looks=1), []
    for name, chances in cases.items():
        rng, found = np.random.default_rng(4), Counter[str]()
        sizes = [0.0, *chances]
        for run in range(runs):
            changes = rng.choice(sizes, size=items, p=[1 - sum(chances.values()), *chances.values()])
            scores = [(0.0, change) if change > 0 else (-change, 0.0) for change in changes]
            sides = [
                tuple(Result(f"{run}/{i}", 1, float(score)) for i, score in enumerate(side))
                for side in zip(*scores, strict=True)
            ]
            decision = gate.decide(Report("a", "", sides[0], {}), Report("b", "", sides[1], {}), 1)
            found["gate"] += decision.promoted
            found["sign test of flips"] += sign_test(decision.gained, decision.lost) <= gate.alpha
            found["betting on the mean"] += mean_above(changes, 0.0) <= gate.alpha
        rows.append({"case": name, **{test: hits / runs for test, hits in found.items()}})
        print(rows[-1], flush=True)
    return {"items": items, "runs": runs, "cases": rows}


def coverage(runs: int = 2000, gain: float = 0.03) -> dict[str, Any]:
    """Share of nominal 95% intervals that hold the truth."""

    def solved(rng: Rng) -> tuple[tuple[float, float], float]:
        return wilson(rng.binomial(200, 0.3) / 200, 200), 0.3

    def alone(make: Callable[..., tuple[float, float]]) -> Callable[[Rng], tuple[tuple[float, float], float]]:
        return lambda rng: (make(planted(rng, ITEMS, gain)), gain)

    def grouped(
        make: Callable[..., tuple[float, float]], told: bool = True
    ) -> Callable[[Rng], tuple[tuple[float, float], float]]:
        def simulate(rng: Rng) -> tuple[tuple[float, float], float]:
            values, clusters = clustered(rng, gain)
            return make(values, clusters) if told else make(values), gain

        return simulate

    cases = {
        "wilson, n = 200, p = 0.3": solved,
        "paired_interval, 300 tasks": alone(paired_interval),
        "bootstrap_interval, 300 tasks": alone(bootstrap_interval),
        "paired_interval, 60 clusters of 1 to 9": grouped(paired_interval),
        "bootstrap_interval, 60 clusters of 1 to 9": grouped(bootstrap_interval),
        "paired_interval, the same clusters not told": grouped(paired_interval, told=False),
    }
    found = []
    for name, simulate in cases.items():
        rng, held = np.random.default_rng(3), 0
        for _ in range(runs):
            (low, high), truth = simulate(rng)
            held += low <= truth <= high
        found.append({"interval": name, "coverage": held / runs})
        print(found[-1], flush=True)
    return {"simulations": runs, "intervals": found}


def clustered(rng: Rng, gain: float, groups: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Changes of tasks in clusters of 1 to 9, each task doing what its cluster does with probability 0.6."""
    names = np.repeat(np.arange(groups), rng.integers(1, 10, groups))
    together, own = planted(rng, groups, gain)[names], planted(rng, len(names), gain)
    return np.where(rng.random(len(names)) < 0.6, together, own), names


if __name__ == "__main__":
    main()
