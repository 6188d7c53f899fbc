"""A GRPO step: completions a second, sampled, scored and learnt from, of our parts and of TRL's GRPOTrainer."""

from __future__ import annotations

from autotroph.bench import peers
from autotroph.bench.case import Case, Work, measured
from autotroph.bench.work import POLICY, TOKENIZER, million, sequences
from autotroph.core.budget import Meter
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group
from autotroph.models.engine import Engine
from autotroph.models.rollout import rollout
from autotroph.models.transformer import Transformer
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.learner import Learner, LearnerConfig

PROMPTS, SAMPLES, TOKENS, STEPS = 32, 8, 64, 2


def run(n: int) -> list[Case]:
    prompts, model = [TOKENIZER.decode(ids) for ids in sequences(PROMPTS, 16, 16)], million()
    name = f"{STEPS} steps of {PROMPTS} prompts x {SAMPLES} completions of {TOKENS} tokens, 1M parameters"
    with peers.saved(model, TOKENIZER) as folder:
        peer = peers.grpo(folder, prompts, SAMPLES, TOKENS, reward, STEPS)
        return [measured(name, "completions/s", practice(model, prompts), peer, "TRL GRPOTrainer", n)]


def reward(text: str) -> float:
    """Something that is right about half of the time."""
    return float(text.count("7") % 2)


def practice(model: Transformer, prompts: list[str]) -> Work:
    learner = Learner(model, LearnerConfig(), Meter())
    tasks = [Task.of("bench", prompt, None) for prompt in prompts]
    params = SamplingParams(min_tokens=TOKENS, max_tokens=TOKENS)

    def scored(group: Group) -> Group:
        return Group(group.task, tuple(trace.scored("parity", reward(trace.text)) for trace in group.traces))

    def work() -> float:
        for step in range(STEPS):
            sampler = Engine(learner.model, TOKENIZER, POLICY, learner.meter)
            groups = [scored(group) for group in rollout(tasks, sampler, params, SAMPLES, step)]
            learner.model.train()
            learner.step(GRPO().signals(groups))
        return float(STEPS * PROMPTS * SAMPLES)

    return work
