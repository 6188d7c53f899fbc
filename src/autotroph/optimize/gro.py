"""Generation, reward, optimisation: how groups become a candidate."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from statistics import fmean
from typing import Literal, Protocol

import torch

from autotroph.core.estimate import Range, Work
from autotroph.core.policy import Policy
from autotroph.core.protocols import Algorithm, Curriculum, RewardFn, Rollout, SamplingParams, Tokenizer, View
from autotroph.core.trace import Group
from autotroph.models.engine import compute_dtype
from autotroph.models.lengths import Lengths
from autotroph.models.threads import in_parallel
from autotroph.models.transformer import Transformer
from autotroph.optimize.learner import Learner, LearnerConfig
from autotroph.optimize.lora import LoRAConfig, parameters_of
from autotroph.optimize.mixture import Mixture
from autotroph.optimize.optimizer import SCHEDULES
from autotroph.rewards.scoring import scored


class EstimatedOptimize(Protocol):
    """`core.protocols.Optimize` that says what a cycle of it is going to cost."""

    def __call__(self, groups: Sequence[Group], view: View) -> tuple[Policy, dict[str, float]]: ...
    def estimate(self, lengths: Lengths) -> Work: ...


Reference = Literal["base", "champion", "average"]
"""Whom a loss may look at: the policy that the run began with, the champion, or the average of the learner's own steps
(an EMA teacher)."""


def refer(learner: Learner, reference: Reference | None, view: View) -> None:
    """Give a learner its reference, as it is before a step. One that does not change is loaded once."""
    if reference == "average":
        learner.reference = learner.trained().to(learner.device, compute_dtype())
    elif reference is not None and learner.reference is None:
        model, _ = view.load(view.base if reference == "base" else view.champion)
        learner.reference = model.to(learner.device, compute_dtype())


@dataclass(frozen=True)
class Replayed:
    """Off-policy optimisation on the traces that are there: every member of the trainee goes on from where its learner
    stopped, on the same rows in batches of its own. Adapters begin anew on a trainee whose whole weights were trained.
    """

    algorithm: Algorithm
    learner: LearnerConfig
    steps: int
    batch: int
    real_floor: float = 0.0
    lora: LoRAConfig = field(default_factory=LoRAConfig)
    reference: Reference | None = None

    def __call__(self, groups: Sequence[Group], view: View) -> tuple[Policy, dict[str, float]]:
        mixture = Mixture.of(groups, self.algorithm, view.knobs.get("real_floor", self.real_floor))
        members = in_parallel(lambda member: self._trained(member, mixture, view), range(view.trainee.members))
        learners, tokenizer = [learner for learner, _, _ in members], members[0][1]
        fresh = [group for group in groups if any(trace.policy == view.champion.id for trace in group.kept)]
        metrics = {
            "loss": fmean(loss for _, _, losses in members for loss in losses[-(self.steps // 10 + 1) :]),
            "depth": float(mixture.depth),
            "self_made_share": mixture.self_made_share,
        }
        candidate = view.publish(
            [learner.trained() for learner in learners],
            tokenizer,
            fresh,
            mixture.depth,
            [learner.state_dict() for learner in learners],
        )
        return candidate, metrics

    def estimate(self, lengths: Lengths) -> Work:
        """Rows that share their prompt with another one of a batch are shorter by it."""
        rows = self.steps * (self.batch // Mixture.draws * Mixture.draws)
        trained = lengths.row() * rows * lengths.members
        return Work(trained_tokens=trained, prompt_tokens=trained * int(self.reference is not None))

    def _trained(self, member: int, mixture: Mixture, view: View) -> tuple[Learner, Tokenizer, list[float]]:
        model, tokenizer = view.load(view.trainee, member)
        adapters = parameters_of(model, self.lora, view.seed(f"adapters of member {member}"))
        learner = Learner(model, self.learner, view.meter, parameters=adapters, loss=self.algorithm.loss)
        state = view.training(view.trainee, member)
        if state is not None and learner.fits(state):
            learner.load_state_dict(state)
        rng = random.Random(view.seed(f"batches of member {member}"))
        losses = []
        for _ in range(self.steps):
            refer(learner, self.reference, view)
            losses.append(learner.step(mixture.batch(self.batch, rng))["loss"])
        return learner, tokenizer, losses


CURRICULUM = "curriculum."
"""Before the names of a curriculum's state, where a policy's training is kept."""


class Watch(Protocol):
    """Looks at the policy before every step of a cycle."""

    def look(self, model: Transformer, tokenizer: Tokenizer) -> None: ...
    def figures(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class GRO:
    """On-policy optimisation: each step samples groups from the policy as it stands, scores them and learns.

    `scale` multiplies both learning rates: a model that goes on learning wants less than a fresh one. `schedule` is one
    of `optimizer.SCHEDULES`, over the updates of a cycle. Adapters are merged at its end, and new ones begin there.
    `updates`: of the policy on each step's groups. From the second one on it is not the one that sampled them any more,
    and clipping may bind. What the algorithm (PPO's critic) and `watch` remember of one cycle is forgotten in the next.
    """

    algorithm: Algorithm
    rollout: Rollout
    params: SamplingParams
    samples: int
    rewards: Sequence[RewardFn]
    learner: LearnerConfig
    steps: int
    prompts: int = 32
    scale: float = 1.0
    schedule: str = "wsd"
    lora: LoRAConfig = field(default_factory=LoRAConfig)
    reference: Reference | None = None
    updates: int = 1
    curriculum: Callable[[], Curriculum] | None = None
    """Makes what chooses the tasks of a step; none: they are drawn uniformly. Its state is kept with the policy."""
    watch: Watch | None = None

    def __call__(self, groups: Sequence[Group], view: View) -> tuple[Policy, dict[str, float]]:
        tasks = [group.task for group in groups if not group.traces or group.kept]
        algorithm, watch = deepcopy(self.algorithm), deepcopy(self.watch)
        curriculum = self.curriculum() if self.curriculum else None
        if curriculum is not None:
            kept = view.training(view.trainee) or {}
            own = {k.removeprefix(CURRICULUM): float(v) for k, v in kept.items() if k.startswith(CURRICULUM)}
            curriculum.load_state_dict(own)
        model, tokenizer = view.load(view.trainee)
        schedule = SCHEDULES[self.schedule]
        learner = Learner(
            model,
            self.learner,
            view.meter,
            lambda step: self.scale * schedule(step, self.steps * self.updates),
            parameters=parameters_of(model, self.lora, view.seed("adapters")),
            loss=algorithm.loss,
        )
        rng = random.Random(view.seed("prompts"))
        history: list[dict[str, float]] = []
        last: list[Group] = []
        for step in range(self.steps):
            sampler = view.engine(learner.model, tokenizer)
            if watch is not None:
                watch.look(learner.model, tokenizer)
            n = min(self.prompts, len(tasks))
            batch = curriculum.draw(tasks, n, rng) if curriculum else rng.sample(tasks, n)
            tried = self.rollout(batch, sampler, self.params, self.samples, view.seed(f"rollout {step}"))
            last = scored(tried, self.rewards, view.meter)
            signals = algorithm.signals(last)
            if curriculum is not None:
                curriculum.observe(last, signals)
            learner.model.train()
            metrics = {"loss": 0.0}
            for _ in range(self.updates if signals else 0):
                refer(learner, self.reference, view)
                metrics = learner.step(signals)
            rewards = [trace.reward for group in last for trace in group.traces]
            known = [reward for reward in rewards if reward is not None]
            history.append(
                metrics
                | parts(last)
                | {
                    "reward": fmean(known) if known else 0.0,
                    "unscored": float(len(rewards) - len(known)),
                    "zero_advantage": 1 - len(signals) / max(1, len(rewards)),
                }
            )
        names = {name for metrics in history for name in metrics}
        means = {name: fmean(metrics.get(name, 0.0) for metrics in history) for name in sorted(names)}
        training = []
        if curriculum is not None:
            means |= curriculum.metrics
            training.append({f"{CURRICULUM}{k}": torch.tensor(v) for k, v in curriculum.state_dict().items()})
        if watch is not None:
            means |= watch.figures()
        return view.publish([learner.trained()], tokenizer, last, view.trainee.depth, training), means

    def estimate(self, lengths: Lengths) -> Work:
        """Groups of equal rewards teach nothing, so that there may be no training at all. A rollout may have `judged`
        answers itself."""
        prompts = min(self.prompts, len(lengths.tasks(self.prompts, lengths.levels)))
        rows = self.steps * prompts * self.samples
        tried = lengths.somewhere(Range(prompts, prompts), self.samples, lengths.levels) * self.steps
        judged = getattr(self.rollout, "judged", lambda n: 0)(self.samples) * self.steps * prompts
        calls = judged + rows * sum(reward.verifier_calls for reward in self.rewards)
        most = Range(0, rows * self.updates * lengths.row().high)
        looked = most * (self.algorithm.loss.coupled + (self.reference is not None))
        return tried + Work(trained_tokens=most, prompt_tokens=looked, verifier_calls=Range(calls, calls))


def parts(groups: Sequence[Group]) -> dict[str, float]:
    """Mean of each part of a reward that has several, `reward_NAME`, over the traces where it is scored."""
    scores: dict[str, list[float]] = {}
    for group in groups:
        for trace in group.traces:
            for name, value in trace.rewards.items():
                scores.setdefault(name, []).extend([] if value is None else [value])
    return {f"reward_{name}": fmean(own) for name, own in scores.items() if own} if len(scores) > 1 else {}
