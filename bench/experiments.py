"""The experiments behind docs/results.md: each a list of runs, its figures written to bench/results/NAME.json.

    .venv/bin/python bench/experiments.py seeds

Runs that an earlier call finished are kept; delete the JSON to start over.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LENGTH = ["run", "length_generalisation"]
FORWARD = [*LENGTH, "--task", "addition_forward", "--target", "16", "--rounds", "6", "--ahead", "1", "--steps", "250",
           "--base-train-steps", "3500", "--base-train-settle", "2200"]  # fmt: skip
AS_IN_THE_PAPER = ["--members", "1", "--mastery", "0", "--entropy", "0", "--gate-off"]
DATASETS = {
    "basic_arithmetic": (1, 500, 150, 800),
    "spell_backward": (3, 1000, 80, 600),
    "complex_arithmetic": (1, 2000, 200, 600),
    "time_intervals": (1, 2000, 60, 400),
    "chain_sum": (2, 3000, 500, 600),
    "decimal_chain_sum": (1, 3000, 200, 600),
    "number_sequence": (1, 2000, 100, 600),
    "count_bits": (1, 500, 60, 600),
    "syllogism": (1, 1000, 60, 400),
}
"""Dataset -> highest level practised, gold rows a level and steps of the base, steps of each of two cycles."""


def practice(name: str, level: int, rows: int, base_steps: int, steps: int) -> list[str]:
    base = ["--base-train-rows", str(rows), "--base-train-steps", str(base_steps)]
    cycles = ["--cycles", "2", "--steps", str(steps), "--seed", "1"]
    return ["run", "grpo", "--task", f"reasoning_gym:{name}", "--level", str(level), *base, *cycles]


EXPERIMENTS: dict[str, list[list[str]]] = {
    "seeds": [[*LENGTH, "--seed", str(seed)] for seed in (0, 4, 5, 6, 7)],
    "far": [[*LENGTH, "--target", "32", "--rounds", "100"]],
    "avalanche": [
        [*FORWARD, *AS_IN_THE_PAPER, "--filter", "none"],
        [*FORWARD, *AS_IN_THE_PAPER, "--filter", "length"],
        FORWARD,
    ],
    "poison": [[*LENGTH, "--poison-round", str(number)] for number in (5,)],
    "reasoning_gym": [practice(name, *settings) for name, settings in DATASETS.items()],
    "clock": [["run", "examples/clock.toml", "--seed", str(seed)] for seed in range(3)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(EXPERIMENTS))
    parser.add_argument("--side-by-side", type=int, default=1, help="runs at a time, the cores shared out among them")
    chosen = parser.parse_args()
    path = HERE / "results" / f"{chosen.name}.json"
    path.parent.mkdir(exist_ok=True)
    done = json.loads(path.read_text()) if path.is_file() else []
    left = [arguments for arguments in EXPERIMENTS[chosen.name] if arguments not in [run["arguments"] for run in done]]
    threads = max(1, len(os.sched_getaffinity(0)) // chosen.side_by_side)
    with ThreadPoolExecutor(chosen.side_by_side) as pool:
        for figures in pool.map(lambda arguments: measured(arguments, threads), left):
            done.append(figures)
            path.write_text("[\n" + ",\n".join(json.dumps(run) for run in done) + "\n]\n")
            print(" ".join(figures["arguments"]), f"{figures['seconds']:.0f} s", figures["exit"], flush=True)


def measured(arguments: list[str], threads: int) -> dict[str, Any]:
    """One run of the command line: its summary, seconds and peak memory."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as output:
        command = [sys.executable, "-m", "autotroph", *arguments, "--out", f"{folder}/run", "--json"]
        begun = time.monotonic()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": str(threads)}
        )
        _, status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        lines = output.read().splitlines()
    summary = json.loads(lines[-1]) if lines else {}
    return {
        "arguments": arguments,
        "exit": os.waitstatus_to_exitcode(status),
        "threads": threads,
        "seconds": round(time.monotonic() - begun, 1),
        "peak_memory_gb": round(usage.ru_maxrss / 2**20, 2),
        **{name: summary.get(name) for name in ("base", "champion", "refined", "decisions", "tokens")},
    }


if __name__ == "__main__":
    main()
