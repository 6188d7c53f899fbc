"""Failures to plant in a copy of a run: in its configuration, data or yardstick, never in what should catch them.

A plant changes the parts that a run is built of. From then on the run goes on by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Judge, TaskFamily
from autotroph.drills.faults import Biased, Cold, Collapsing, Exploring, Leaking, Noisy, SelfFed, Tricked
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.loop import Loop
from autotroph.models.episode import is_played
from autotroph.select.guard import Guard

NOISE, TRICKS, BIAS, FEW = 0.4, 0.7, 0.8, 4
"""Share of the labels that `label_noise` mixes up, of the tries that find the trick of `reward_hack`, and of the pairs
of which the judge of `judge_bias` takes the first one unseen; the tasks of each kind and level that `collapse` leaves.
"""


@dataclass(frozen=True)
class Plant:
    """A failure. `config` changes what the run is built from, `loop` what was built; `recipes` are those it fits."""

    name: str
    what: str
    recipes: tuple[str, ...]
    loop: Callable[[Loop, Any], Loop] = lambda loop, config: loop
    config: Callable[[Any], Any] = lambda config: config
    needs: Callable[[Any], str | None] = lambda config: None
    """What a run's configuration lacks for it, and the way out; None where nothing is missing."""


def label_noise(loop: Loop, config: Any) -> Loop:
    return with_source(loop, Noisy(loop.stages.source, NOISE))


def one_answer(config: Any) -> str | None:
    """Labels of tasks that are played turn by turn cannot be mixed up."""
    if is_played(config.family()):
        return f"task '{config.task}' is played turn by turn; take a run on a task that is answered at once"
    return None


def hole(config: Any) -> Any:
    """The same configuration, of a run whose verifier takes a trick for right, in training and in the gate."""

    class Holed(type(config)):  # type: ignore[misc]
        def family(self) -> TaskFamily:
            return Tricked(super().family())

    return Holed.model_validate(config.model_dump())


def reward_hack(loop: Loop, config: Any) -> Loop:
    return with_source(loop, Exploring(loop.stages.source, config.family().trick, TRICKS))


def verified(config: Any) -> str | None:
    return None if config.picker == "verifier" else "its rows are picked by a judge; run with --picker verifier"


def leak(loop: Loop, config: Any) -> Loop:
    family, suite = config.family(), loop.final_suite()
    return with_source(loop, Leaking(loop.stages.source, family, suite.levels, config.sealed, config.gate.reuse))


def collapse(loop: Loop, config: Any) -> Loop:
    """Cold tries, in the source and, where training samples for itself, there."""
    stages = loop.stages
    return replace(
        loop,
        stages=replace(
            stages,
            source=Collapsing(stages.source, FEW),
            optimize=lambda groups, view: stages.optimize(groups, Cold(view)),
        ),
    )


def autophagy(loop: Loop, config: Any) -> Loop:
    return with_source(loop, SelfFed(loop.stages.source))


def without_floor(config: Any) -> Any:
    return config.model_copy(update={"guard": Guard(real_floor=0)})


def biased(config: Any) -> Any:
    """The same configuration, of a run whose judge has a position bias."""

    class Bent(type(config)):  # type: ignore[misc]
        def judge(self) -> Judge | None:
            judge = super().judge()
            return None if judge is None else Biased(judge, BIAS)

    return Bent.model_validate(config.model_dump())


def judged(config: Any) -> str | None:
    return None if config.judge() else "it has no judge; run with --picker judge"


def saturation(loop: Loop, config: Any) -> Loop:
    """The gate asks nothing but the easiest level."""
    family, easiest = config.family(), loop.final_suite().levels[:1]
    stages = replace(loop.stages, suite=lambda seed: SealedSuite(family, easiest, config.sealed, seed))
    return replace(loop, stages=stages)


def with_source(loop: Loop, source: Any) -> Loop:
    return replace(loop, stages=replace(loop.stages, source=source))


ROWS = ("rejection_sampling", "length_generalisation", "distill")
"""Recipes that learn from rows which their sources bring."""
PICKED = ("rejection_sampling",)
"""Those of them whose rows somebody picks."""
ANY = (*ROWS, "grpo")
PLANTS = {
    plant.name: plant
    for plant in (
        Plant("label_noise", "labels of training rows are mixed up", ROWS, label_noise, needs=one_answer),
        Plant("reward_hack", "the verifier takes a trick for a right answer", PICKED, reward_hack, hole, verified),
        Plant("leak", "the gate's sealed tasks are among the training rows", ANY, leak),
        Plant("collapse", "the same few tasks over and over, tried near temperature 0", ANY, collapse),
        Plant("autophagy", "only self-made rows, right or wrong, and no floor", ROWS, autophagy, without_floor),
        Plant("judge_bias", "the judge takes the answer that stands first", PICKED, config=biased, needs=judged),
        Plant("saturation", "the gate asks only the easiest level", ANY, saturation),
    )
}


def plant_named(name: str | None) -> Plant:
    """Raises AutotrophError that lists the plants where there is none of this name."""
    if name not in PLANTS:
        given = "no failure to plant" if name is None else f"unknown plant '{name}'"
        raise AutotrophError(f"drill: {given}; give --plant {'|'.join(PLANTS)}, or --all")
    return PLANTS[name]
