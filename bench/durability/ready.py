"""How soon a killed run goes on: from the start of `autotroph resume` to the first stage of its next cycle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from shim import Call, Mode
from worker import Bench

PROBE = """
import gc, os, signal, sys, time
gc.disable()  # as `resume` does while it imports what Live needs, too
from autotroph.cli.live import Live
from autotroph.cli.main import main

def stage(live, cycle, name):
    print(time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

Live.stage = stage
main()
"""
"""At that moment the process holds the lock and has restored its state. It says when that is, and is killed again."""


def measure(bench: Bench, n: int) -> dict[str, Any]:
    """Seconds of n resumes of a run that was killed in its second cycle, each a fresh process on a warm file cache."""
    run = bench.fresh()
    ended = bench.start(run, bench.trap(run, Mode.KILL_AFTER, Call("rename", "run/rows/*"), 2))
    assert ended.killed, ended.stderr
    alone = {name: value for name, value in os.environ.items() if name not in ("LD_PRELOAD", "OMP_NUM_THREADS")}
    seconds = sorted(_once(run, alone | {"AUTOTROPH_CACHE": str(bench.cache)}) for _ in range(n))
    cuts = quantiles(seconds, n=20, method="inclusive")
    return {
        "n": n,
        "median": round(median(seconds), 3),
        "p95": round(cuts[-1], 3),
        "least": round(seconds[0], 3),
        "most": round(seconds[-1], 3),
        "load": os.getloadavg()[0],
    }


def _once(run: Path, environment: dict[str, str]) -> float:
    begun = time.clock_gettime(time.CLOCK_MONOTONIC)
    command = [sys.executable, "-c", PROBE, "resume", str(run)]
    found = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert found.returncode == -signal.SIGKILL, found.stderr
    return float(found.stdout) - begun
