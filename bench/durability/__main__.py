"""What survives: kills, power loss, full and failing disks.

    python bench/durability points    SIGKILL at every named point of a run
    python bench/durability kills     2,000 SIGKILLs at random moments of runs
    python bench/durability store     3,000 more of a process that does nothing but store
    python bench/durability power     states of the disk after power loss, and each fsync left out in turn
    python bench/durability faults    ENOSPC and EIO at every call that changes a file
    python bench/durability base      the same, where the base model is trained and cached
    python bench/durability ready     seconds until a killed run goes on
    python bench/durability equal     SFT and GRPO, 20 kills each, beside the same run left alone
    python bench/durability quick     a little of each, for the tests; prints it and writes nothing

Each writes its part of bench/results/durability.json. Linux, with a C compiler; one core.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shim

shim.preload()

import equal  # noqa: E402
import faults  # noqa: E402
import kills  # noqa: E402
import points  # noqa: E402
import power  # noqa: E402
import ready  # noqa: E402
from worker import Bench, warm_up  # noqa: E402

from autotroph.store.run import machine  # noqa: E402

RESULTS = Path(__file__).parents[1] / "results" / "durability.json"


def at_most(n: int) -> float:
    """Upper end of the 95% interval of a rate of which none was seen in n: 1 - 0.05^(1/n)."""
    return float(f"{1 - 0.05 ** (1 / n):.2g}") if n else 1.0


def of_kills(tally: kills.Tally) -> dict[str, Any]:
    return {
        "kills": tally.kills,
        "runs": tally.runs,
        "acknowledged": {"events": tally.events, "artifacts": tally.artifacts},
        "lost": tally.lost,
        "repeated": tally.repeated,
        "wrong": tally.wrong,
        "rate_of_a_kill_that_loses_at_most": at_most(tally.kills) if not tally.lost else None,
    }


def of_points(tally: points.Tally) -> dict[str, Any]:
    return {"killed_at": len(tally.names), "wrong": tally.wrong, "points": tally.names}


def of_faults(tally: faults.Tally) -> dict[str, Any]:
    return {
        "calls": tally.sites,
        "different": len(tally.roles),
        "trials": dict(tally.trials),
        "clear_errors": tally.refused,
        "absorbed": tally.absorbed,
        "unreached": tally.unreached,
        "wrong": tally.wrong,
    }


def of_power(tally: power.Tally) -> dict[str, Any]:
    return {
        "states": tally.states,
        "whole": tally.whole,
        "never_started": tally.never_started,
        "resumed_to_the_same_end": tally.resumed,
        "by_loss": dict(tally.by_loss),
        "invalid": tally.invalid,
        "rate_of_an_invalid_state_at_most": at_most(tally.states) if not tally.invalid else None,
    }


def all_of_power(bench: Bench, draws: int, every: int) -> dict[str, Any]:
    _, expected = points.recorded(bench)
    parts = {}
    for name, stops in power.STOPS.items():
        calls = power.recorded(bench, stops)
        parts[name] = of_power(power.measure(calls, draws, bench=bench, every=every, expected=expected))
    return {
        "states": sum(part["states"] for part in parts.values()),
        "invalid": sum(len(part["invalid"]) for part in parts.values()),
        "sequences": parts,
        "first_invalid_state_without_an_fsync": power.teeth(power.recorded(bench)),
    }


def quick(bench: Bench) -> dict[str, Any]:
    calls = power.recorded(bench)
    ended = power.recorded(bench, power.STOPS["killed between writing its end and the fsync"])
    committed = next(number for number, call in enumerate(calls) if '"kind": "cycle"' in call.path)
    forgotten = ("run/policies", "run/evidence/*/candidate.jsonl", "run/ledger.sqlite-wal")
    return {
        "points": of_points(points.measure(bench, 3)),
        "kills": of_kills(kills.runs(bench, 3, 0.4)),
        "store": of_kills(kills.store(bench.folder / "store", 15, 0.03)),
        "faults": of_faults(faults.measure(bench, 141)),
        "power": of_power(power.measure(calls[: committed + 1], 0)),
        "end": of_power(power.measure(ended, 0, since=len(calls) - 30)),
        "without": {role: power.measure(power.without(calls, role), 0, most=1).invalid for role in forgotten},
    }


WHAT: dict[str, Callable[[Bench], Any]] = {
    "points": lambda bench: of_points(points.measure(bench)),
    "kills": lambda bench: of_kills(kills.runs(bench, 2000, 0.6)),
    "store": lambda bench: of_kills(kills.store(bench.folder / "store", 3000, 0.03)),
    "power": lambda bench: all_of_power(bench, draws=3, every=150),
    "faults": lambda bench: of_faults(faults.measure(bench)),
    "base": lambda bench: of_faults(faults.measure(Bench(bench.folder, cold=True), below="cache")),
    "ready": lambda bench: ready.measure(bench, 100),
    "equal": lambda _: [equal.measure(recipe, 20) for recipe in equal.RECIPES],
    "quick": quick,
}


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in WHAT:
        raise SystemExit(__doc__)
    name = sys.argv[1]
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(Path(work))
        warm_up(bench)
        found = WHAT[name](bench)
    print(json.dumps(found, indent=1))
    if name != "quick":
        figures = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
        RESULTS.write_text(json.dumps({**figures, name: found, "machine": machine()}, indent=1) + "\n")


main()
