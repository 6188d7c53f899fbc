"""What recipes on weights share: the base that they begin with, and the yardstick that its versions are held to."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field

from autotroph.acquire.curated import gold_groups
from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.estimate import Estimate, Range, Work, total
from autotroph.core.protocols import (
    Judge,
    Probe,
    Refiner,
    SamplingParams,
    Selector,
    TaskFamily,
    Verify,
    View,
)
from autotroph.core.task import Task, stable_hash
from autotroph.core.trace import Group
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.gap import Pick, highest, measure_gap, surest
from autotroph.evaluate.gate import PairedGate, Tolerances
from autotroph.evaluate.monitors import Monitors
from autotroph.evaluate.probes import GivenLabels, Positions, Sampled
from autotroph.evaluate.refinement import EqualCost
from autotroph.loop import Loop, Observer, Stages
from autotroph.models import checkpoint
from autotroph.models.episode import is_played, rollout_for
from autotroph.models.hub import fetched
from autotroph.models.lengths import Estimated, Lengths
from autotroph.models.threads import SMALL
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.gro import EstimatedOptimize
from autotroph.optimize.learner import LearnerConfig
from autotroph.optimize.lora import LoRAConfig
from autotroph.optimize.pace import pace
from autotroph.optimize.pretrain import PretrainConfig, pretrained
from autotroph.recipes.registry import RunConfig
from autotroph.refine.best_of_n import BestOfN
from autotroph.refine.greedy import Greedy
from autotroph.refine.self_consistency import SelfConsistency, elect
from autotroph.rewards.heuristic import Certainty
from autotroph.rewards.judge import winner
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.chain import Chain
from autotroph.select.decontaminate import Decontaminate
from autotroph.select.guard import Guard
from autotroph.store.record import Gap
from autotroph.tasks.registry import task_family


def levels_up_to(family: TaskFamily, highest: int, option: str) -> range:
    """The family's levels up to `highest`. Raises AutotrophError, naming the option, for a level that it lacks."""
    lowest, top = family.levels[0], family.levels[-1]
    if highest not in family.levels:
        raise AutotrophError(f"task '{family.name}': it has no level {highest}; use {option} {lowest} to {top}")
    return range(lowest, highest + 1)


class BaseConfig(Config):
    """A small decoder taught from scratch on gold rows of a task's easy levels."""

    hidden: int = Field(64, ge=8, description="hidden size")
    layers: int = Field(3, ge=1, description="number of blocks")
    heads: int = Field(4, ge=1, description="attention heads; hidden / heads is the head size")
    rope_theta: float | None = Field(None, gt=1, description="base of the rotary angles; none: no positional encoding")
    noise: float = Field(0.0, ge=0, lt=1, description="share of the gold rows that have the answer to another task")
    terse: float = Field(0.0, ge=0, le=1, description="share of them without steps: nothing before their last '='")
    train: PretrainConfig = PretrainConfig()
    learner: LearnerConfig = LearnerConfig()

    def shape(self, vocabulary: int) -> ModelConfig:
        return ModelConfig(
            vocab_size=vocabulary,
            hidden_size=self.hidden,
            intermediate_size=3 * self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=self.heads,
            head_dim=self.hidden // self.heads,
            rope_theta=self.rope_theta,
        )

    def taught(self, family: TaskFamily, levels: Sequence[int], seed: int) -> list[Task]:
        """The tasks whose gold answers the base learns from; with `noise`, so many of a level have another's.

        With `terse` it learns two ways of answering, of which the tasks' own hashes choose: with the steps, or at once.
        """
        return [
            shortened(task, self.terse)
            for level in levels
            for task in misled(family.generate(level, self.train.rows, seed), self.noise, seed)
        ]

    def identity(self, family: TaskFamily, levels: Sequence[int]) -> str:
        """Names what `taught` gives, seed aside: bases are kept by it."""
        options = {"noise": self.noise, "terse": self.terse}
        return f"{family.name} levels {list(levels)}" + "".join(f" {name} {n}" for name, n in options.items() if n)

    def make(
        self, family: TaskFamily, levels: Sequence[int], seed: int, watch: Observer, members: int = 1
    ) -> tuple[Path, int]:
        """Folder of the base, which holds `members` models, and the highest level that it was taught."""
        tokenizer = TextTokenizer.characters(family.alphabet)

        def rows(tokenizer: TextTokenizer) -> list[Group]:
            return gold_groups(self.taught(family, levels, seed), family, tokenizer)

        identity, shape = self.identity(family, levels), self.shape(len(tokenizer))
        folder = pretrained(rows, tokenizer, shape, self.train, self.learner, seed, members, identity, watch.base)
        return folder, max(levels)


def misled(tasks: Sequence[Task], noise: float, seed: int) -> list[Task]:
    """The tasks, a share of them with one another's answers, handed on in a circle."""
    rng = random.Random(stable_hash("noise", str(seed)))
    places = rng.sample(range(len(tasks)), round(noise * len(tasks)))
    answers = {place: tasks[other].answer for place, other in zip(places, places[1:] + places[:1], strict=True)}
    return [replace(task, answer=answers.get(place, task.answer)) for place, task in enumerate(tasks)]


def shortened(task: Task, share: float) -> Task:
    """The task with nothing before the last "=" of its answer, if it is among that share of all tasks."""
    if task.answer is None or int(stable_hash("terse", task.key)[:8], 16) >= share * 16**8:
        return task
    return replace(task, answer=task.answer[max(0, task.answer.rfind("=")) :])


Picker = Literal["verifier", "vote", "certainty"]
PICKS: dict[Picker, Pick] = {"verifier": highest, "vote": elect, "certainty": surest}


class PractiseConfig(RunConfig):
    """A run in which a model practises a task: the embedded one that `base` describes, or a published one."""

    task: str = Field("addition", description="task family, reasoning_gym:<dataset> or jsonl:<file>")
    verifier: str | None = Field(None, description="of a jsonl task: module:function or file.py:function")
    sealed: int = Field(50, ge=1, description="fresh sealed tasks of each level that every gate decision looks at")
    final_sealed: int = Field(200, ge=1, description="sealed tasks of each level in the final table")
    adaptive: bool = Field(False, description="most of them from levels that the champion solves in part")
    held_out: Tolerances = Field({}, description="TASK=TOLERANCE,...: guardrails of families that are never practised")
    gap_tasks: int = Field(64, ge=1, description="train tasks on which the gap is measured before the first cycle")
    gap_samples: int = Field(4, ge=0, description="answers of each member to each of them; 0: the gap is not measured")
    model: str | None = Field(
        None, description="folder or hub id of a Llama, Qwen2 or Qwen3 to begin with; none: the embedded base"
    )
    revision: str | None = Field(None, description="branch, tag or commit of that hub id")
    rival_tasks: int = Field(
        64,
        ge=0,
        description="sealed tasks on which a promoted gain is compared with sampling the champion; 0: it is not",
    )
    rival_answers: int = Field(5, ge=2, description="samples of each side to each of them, for a vote and a best of n")
    require_gap: float | None = Field(None, ge=0, le=1, description="refuse to run where the gap is surely below this")
    base: BaseConfig = BaseConfig()
    learner: LearnerConfig = LearnerConfig()
    lora: LoRAConfig = LoRAConfig()
    gate: PairedGate = PairedGate()
    guard: Guard = Guard()
    monitors: Monitors = Monitors()

    def family(self) -> TaskFamily:
        return task_family(self.task, **({"verifier": self.verifier} if self.verifier else {}))

    def known(self, family: TaskFamily, levels: Sequence[int]) -> list[Task]:
        """The tasks whose gold answers the base has learnt from; none that we know of for a published model."""
        return [] if self.model else self.base.taught(family, levels, self.seed)

    def begin(self, family: TaskFamily, levels: Sequence[int], watch: Observer, members: int) -> tuple[Path, int]:
        """Folder of the base, which holds `members` models, and the highest level that it knows.

        Raises AutotrophError for a published model that is not there, or holds another number of models.
        """
        if self.model is None:
            return self.base.make(family, levels, self.seed, watch, members)
        folder = fetched(self.model, self.revision)
        if (found := checkpoint.members(folder)) != members:
            raise AutotrophError(f"model '{self.model}': it holds {found} of {members} members; use --members {found}")
        return folder, max(levels)

    def shape(self, family: TaskFamily) -> tuple[ModelConfig, TextTokenizer]:
        """Of the model that the run begins with; a published one has to be here for that, and is fetched."""
        if self.model is None:
            tokenizer = TextTokenizer.characters(family.alphabet)
            return self.base.shape(len(tokenizer)), tokenizer
        folder = fetched(self.model, self.revision)
        return checkpoint.shape(folder), TextTokenizer.load(folder)

    def gap(
        self, family: TaskFamily, levels: Sequence[int], temperature: float, picker: Picker | Judge
    ) -> Callable[[View], Gap] | None:
        """What measures the gap of a picker among the samples of all members, on train tasks of the levels.

        None where `gap_samples` is 0. Raises AutotrophError where a gap is required that is not measured.
        """
        if not self.gap_samples:
            if self.require_gap is not None:
                raise AutotrophError("gap: it is required and not measured; raise --gap-samples or drop --require-gap")
            return None
        longest = max(family.max_answer(level) for level in levels) + 1
        params = SamplingParams(temperature=temperature, max_tokens=longest)

        def measured(view: View) -> Gap:
            each = -(-self.gap_tasks // len(levels))
            tasks = [task for level in levels for task in family.generate(level, each, view.seed("gap"))]
            policy = view.champion
            answers = [
                rollout_for(family)(
                    tasks, view.sampler(policy, member), params, self.gap_samples, view.seed(f"gap {member}")
                )
                for member in range(policy.members)
            ]
            groups = scored(
                [
                    Group(task, tuple(trace for group in same for trace in group.traces))
                    for task, *same in zip(tasks, *answers, strict=True)
                ],
                [Verifiable.of(family)],
                view.meter,
            )
            if callable(picker):
                return measure_gap(groups, "judge", lambda group: winner(group, picker))
            return measure_gap(groups, picker, PICKS[picker])

        return measured


class SkillConfig(PractiseConfig):
    """A run that practises and measures the same levels: all up to `level`."""

    level: int | None = Field(None, ge=0, description="highest level that is practised and measured; none: the lowest")
    cycles: int = Field(5, ge=1, description="most cycles, each judged by the gate")
    sealed: int = Field(300, ge=1, description="fresh sealed tasks of each level that every gate decision looks at")
    final_sealed: int = Field(400, ge=1, description="sealed tasks of each level in the final table")
    base: BaseConfig = BaseConfig(rope_theta=10000.0, train=PretrainConfig(steps=100, rows=500))

    def levels(self, family: TaskFamily) -> range:
        return levels_up_to(family, family.levels[0] if self.level is None else self.level, "--level")


def gate_of(config: PractiseConfig, family: TaskFamily, cycles: int) -> PairedGate:
    """The configured gate, which knows how many looks there will be, and that a fixed list of tasks has no fresh ones.

    Raises AutotrophError where levels are to adapt to the champion and the sealed set has to stay as it is.
    """
    reuse = cycles if family.static and config.gate.reuse == 1 else config.gate.reuse
    if config.adaptive and reuse > 1:
        raise AutotrophError(
            f"task '{family.name}': one sealed set for {reuse} decisions cannot follow the champion; "
            "drop --adaptive, or --gate-reuse with a task that has fresh ones"
        )
    guardrails = {**config.gate.guardrails, **config.held_out}
    return config.gate.model_copy(update={"looks": cycles, "reuse": reuse, "guardrails": guardrails})


def held_out(config: PractiseConfig, family: TaskFamily, levels: Sequence[int], seed: int) -> list[SealedSuite]:
    """Suites of families that the run does not practise, on those of the levels that they have, or on their lowest.

    Raises AutotrophError for one that this model could not even read, or that is played where this one is not.
    """
    suites = []
    for name in config.held_out:
        other = task_family(name)
        strange = set(other.alphabet) - set(family.alphabet)
        if strange or is_played(other) != is_played(family):
            why = f"has {len(strange)} characters that '{family.name}' lacks" if strange else "is played otherwise"
            raise AutotrophError(
                f"held out: '{name}' {why}; choose a family that a model of '{family.name}' can answer"
            )
        shared = [level for level in levels if level in other.levels]
        suites.append(SealedSuite(other, shared or other.levels[:1], config.sealed, seed))
    return suites


def trusted(family: TaskFamily) -> Verify:
    """A family's second verifier, which training and gate never ask; its first one where that does not say."""
    second: Verify = getattr(family, "recheck", lambda task, answer: None)

    def verify(task: Task, answer: str) -> float | None:
        score = second(task, answer)
        return family.verify(task, answer) if score is None else score

    return verify


def probes_of(tasks: int, family: TaskFamily, measured: Sequence[int], judge: Judge | None) -> tuple[Probe, ...]:
    """What is measured for monitors on so many dev tasks; nothing on none."""
    if not tasks:
        return ()
    positions = () if judge is None else (Positions(judge, tasks),)
    return Sampled(family, measured, tasks), GivenLabels(family, tasks), *positions


def beforehand(tasks: int, samples: int, lengths: Lengths) -> Work:
    """The gap, measured on so many tasks with samples of every member."""
    found = Range(min(tasks, len(lengths.tasks(tasks, lengths.levels))), tasks + len(lengths.levels))
    calls = found * (samples * lengths.members)
    return lengths.somewhere(found, samples, lengths.levels) * lengths.members + Work(verifier_calls=calls)


def watching(tasks: int, lengths: Lengths) -> Work:
    """What `probes_of` asks for in a cycle, where there are dev tasks: two answers, and two greedy ones."""
    return lengths.somewhere(Range(0, tasks), 4, lengths.levels) + Work(verifier_calls=Range(0, 2 * tasks))


def priced(
    work: Work, cycles: Range, shape: ModelConfig, tokenizer: TextTokenizer, learner: LearnerConfig, lengths: Lengths
) -> Estimate:
    """Work as operations and, for a model that is tried out in no time, seconds."""
    with torch.device("meta"):
        parameters = Transformer(shape).size
    sampling, training = work.sampling_flops(parameters), work.training_flops(parameters)
    seconds, shown = None, lengths.shown()
    if parameters < SMALL and shown:
        sampled, trained = pace(shape, tokenizer, learner, shown)
        seconds = (sampling * (1 / sampled) + training * (1 / trained)) * LEEWAY + cycles * BESIDE
    return Estimate(work.tokens, work.trained_tokens, work.verifier_calls, sampling + training, seconds)


LEEWAY, BESIDE = Range(0.5, 3.0), Range(0.1, 3.0)
"""Seconds that work takes, as a multiple of what was seen, and those that a cycle takes beside it."""


def practise(
    config: PractiseConfig,
    family: TaskFamily,
    *,
    taught: Sequence[int],
    measured: Sequence[int],
    source: Estimated,
    filters: Sequence[Selector],
    optimize: EstimatedOptimize,
    cycles: int,
    earliest: int | None = None,
    members: int = 1,
    judge: Judge | None = None,
    knobs: Mapping[str, float] | None = None,
    **ends: Any,
) -> Loop:
    """A base of `members` models that knows the levels `taught`, and a loop around it that is judged on `measured`.

    Sealed tasks are kept out before `filters` see anything. Greedy answers are what the gate compares; at the end,
    votes and the best of five (by the verifier, so an upper bound) stand beside them. `judge`: who picks rows, where
    one does; `knobs`: what monitors may turn; `earliest`: cycles after which the run may be done, all of
    them unless it is given. `ends` are the fields of `Loop` that say when the run is done. Raises
    AutotrophError for a monitor whose response turns another knob.
    """
    knobs = knobs or {}
    config.monitors.check(knobs)

    def suite(per_level: int, seed: int) -> SealedSuite:
        return SealedSuite(family, measured, per_level, seed, held_out(config, family, measured, seed))

    final, rollout = suite(config.final_sealed, config.seed), rollout_for(family)
    params = SamplingParams(max_tokens=final.longest + 1)
    greedy = Greedy(params.max_tokens, rollout)

    def without_gold(n: int) -> tuple[Refiner, Refiner]:
        return SelfConsistency(params, n, rollout), BestOfN(Certainty(), params, n, rollout)

    stages = Stages(
        source=source,
        selector=Chain([Decontaminate(final.fingerprints(n=13), threshold=1), *filters]),
        optimize=optimize,
        suite=lambda seed: suite(config.sealed, seed),
        refiner=greedy,
        other_refiners=(
            SelfConsistency(params, 5, rollout),
            BestOfN(Verifiable.of(family), params, 5, rollout),
        ),
        rivals=EqualCost(greedy, without_gold, config.rival_answers, config.rival_tasks)
        if config.rival_tasks
        else None,
        gate=gate_of(config, family, cycles),
        verify=trusted(family),
        probes=probes_of(config.monitors.tasks, family, measured, judge),
    )

    def estimate() -> Estimate:
        shape, tokenizer = config.shape(family)
        lengths = Lengths(family, tokenizer, measured, max(taught), members)
        asked, longest = suite(config.sealed, config.seed), params.max_tokens
        cycle = [
            source.estimate(lengths),
            optimize.estimate(lengths),
            asked.estimate(lengths, 1, longest) * 2,
            watching(config.monitors.tasks, lengths),
            stages.rivals.estimate(lengths) if stages.rivals else Work(),
        ]
        around = [
            beforehand(config.gap_tasks, config.gap_samples, lengths),
            final.estimate(lengths, 1, longest) * 2,
            *(asked.estimate(lengths, refiner.n, longest) * 2 for refiner in (greedy, *stages.other_refiners)),
            Work(verifier_calls=Range(1, 1)) * (2 * 5 * len(asked)),
        ]
        turns = Range(cycles if earliest is None else earliest, cycles)
        return priced(total(cycle) * turns + total(around), turns, shape, tokenizer, config.learner, lengths)

    return Loop(
        stages=stages,
        base=lambda watch: config.begin(family, taught, watch, members),
        cycles=cycles,
        final_suite=lambda: final,
        adaptive=config.adaptive,
        oversight=config.oversight,
        require_gap=config.require_gap,
        guard=config.guard,
        monitors=config.monitors,
        knobs=knobs,
        estimate=estimate,
        **ends,
    )
