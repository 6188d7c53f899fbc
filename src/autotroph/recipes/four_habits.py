"""Four habits: priming with traces that backtrack, even to wrong answers, lets reinforcement learning improve a model.

Source: Cognitive Behaviors that Enable Self-Improving Reasoners, or, Four Habits of Highly Effective STaRs
(arXiv:2503.01307).

A base is primed on rows of countdown, then it practises by GRPO with the verifier as its reward. `priming`: depth-first
searches that end at the target ("search") or at another number that the same numbers make ("wrong search"), which
backtrack all the same; or the moves of a solution alone, of the target ("path") or of another number ("wrong path").

Scaled down: 3 numbers of 1-9; of the four habits (verification, backtracking, subgoals, backward chaining) backtracking
alone; a model of 0.16M parameters, which is primed from nothing, and 24 steps of 128 answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from autotroph.acquire.curated import Bare
from autotroph.core.protocols import TaskFamily
from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.optimize.learner import LearnerConfig
from autotroph.recipes.bases import BaseConfig, PretrainConfig, practise
from autotroph.recipes.onpolicy import OnPolicyConfig
from autotroph.recipes.sides import Practised
from autotroph.select.dedup import ExactDedup
from autotroph.store.record import RunRecord
from autotroph.tasks.countdown import Countdown, Misled
from autotroph.tasks.registry import task_family

SOURCE = "arXiv:2503.01307"

PRIMERS: Mapping[str, Callable[[str], Countdown]] = MappingProxyType(
    {
        "search": lambda signs: Countdown("dfs", signs),
        "wrong search": lambda signs: Misled("dfs", signs),
        "path": lambda signs: Countdown("path", signs),
        "wrong path": lambda signs: Misled("path", signs),
    }
)


class Config(OnPolicyConfig):
    task: str = Field("countdown", description="what is practised and measured")
    level: int | None = Field(2, ge=1, description="highest level: one less than there are numbers")
    priming: Literal["search", "wrong search", "path", "wrong path"] = Field(
        "wrong search", description="what the base learns to imitate"
    )
    signs: str = Field("+-*/", description="operations that there are")
    steps: int = Field(8, ge=1, description="on-policy steps a cycle")
    prompts: int = Field(16, ge=1, description="prompts a step")
    cycles: int = Field(3, ge=1, description="most cycles, each judged by the gate")
    learner: LearnerConfig = LearnerConfig(muon_lr=0.001, adam_lr=0.002, average=1.0)
    base: BaseConfig = BaseConfig(rope_theta=10000.0, train=PretrainConfig(steps=400, batch=64, rows=3000))

    def family(self) -> TaskFamily:
        return task_family(self.task, signs=self.signs)


def build(config: Config) -> Loop:
    family, primer = config.family(), PRIMERS[config.priming](config.signs)
    levels = config.levels(family)
    loop = practise(
        config,
        family,
        taught=levels,
        measured=levels,
        source=Bare(family, levels[-1:], config.tasks),
        filters=[ExactDedup()],
        optimize=config.practised(family, levels),
        cycles=config.cycles,
        gap=config.gap(family, levels, 1.0, "verifier"),
    )
    return replace(loop, base=lambda watch: config.base.make(primer, levels, config.seed, watch))


def gained(record: RunRecord) -> float:
    """What practice has added to the sealed accuracy on the highest level, in percentage points."""
    top = max(record.champion_accuracy)
    return 100 * (record.champion_accuracy[top][0] - record.base_accuracy[top][0])


CLAIM = Claim(
    says="A model primed with traces that backtrack, even to wrong answers, improves more under reinforcement learning "
    "than one primed without.",
    reported="Llama-3.2-3B primed with wrong solutions that backtrack follows Qwen-2.5-3B to about 60% on countdown; "
    "without, it stays near 30%",
    measure="gain in sealed accuracy with 3 numbers from practice, in points",
    ours=Practised("four_habits", {}, gained),
    baseline=Practised("four_habits", {"priming": "path"}, gained),
    control=Practised("four_habits", {"priming": "wrong path"}, gained),
    against="primed with right solutions that do not backtrack",
    without="primed with wrong solutions that do not backtrack",
    note="A gain, not an end: the model primed with right paths solves about 67% of all problems before practice "
    "and after it, the one primed with wrong searches 11%, then 24%, so that it also had more to gain. The "
    "control had as much to gain, and went from 12 to 17%. On two other grounds nothing was seen: of sums and "
    "differences alone right paths already solve 95% (seed 100: +10 for wrong searches, +10.5 for wrong "
    "paths); with products, 1,000 steps of priming and 120 of practice, right searches gained 12, 12 and 9 "
    "points, right paths, at equal compute, 12 and 10 (seeds 100 to 102).",
)
