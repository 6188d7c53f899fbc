"""Cost: seconds of a round of self-labelling against the problems that it labels; a straight line is asked for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

from autotroph.bench.case import Case, line
from autotroph.loop import Recorder, cycle
from autotroph.recipes import registry
from autotroph.state import State
from autotroph.store.run import Run

SAMPLES = (500, 1000, 2000, 4000, 8000)


def run(n: int) -> list[Case]:
    """First rounds of the main job from its own base (trained first if it is not in the cache), `n` of each size.

    The training steps grow with the samples, as many epochs over them each time.
    """
    seconds = {samples: [_round(samples, repeat) for repeat in range(n)] for samples in SAMPLES}
    slope, intercept, fit = line([(samples, median(times)) for samples, times in seconds.items()])
    cases = [
        Case(f"a round of {samples} problems", "s", median(times), None, None, None, (min(times), max(times)), n)
        for samples, times in seconds.items()
    ]
    fitted = f"line through the medians: {intercept:.2f} s + {1000 * slope:.2f} s for 1,000 problems; R²"
    return [*cases, Case(fitted, "", fit, None, None, None, None, n)]


def _round(samples: int, seed: int) -> float:
    recipe = registry.find("length_generalisation")
    settings = {"per_round": samples, "steps": samples * 80 // 2000, "base": {"train": {"steps": 200}}, "reach": 0}
    config, watch = recipe.configure(settings), Recorder()
    loop = recipe.build(config)
    with tempfile.TemporaryDirectory() as folder:
        with Run.create(Path(folder) / "r", {"recipe": recipe.name, "config": config.model_dump(mode="json")}) as new:
            cycle(State.begin(new, *loop.base(watch)), loop, watch)
        return watch.records[0].metrics["seconds"]
