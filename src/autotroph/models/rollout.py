"""Tasks in, groups of traces out: the one place where prompts are encoded and answers decoded."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.protocols import Sampler, SamplingParams, Tokenizer
from autotroph.core.task import Task, stable_hash
from autotroph.core.trace import Completion, Group, Trace


def row_seed(seed: int, *parts: str) -> int:
    """A 62-bit seed for one row: a function of the run's seed and of what the row is, not of where it stands."""
    return int(stable_hash(str(seed), *parts)[:15], 16)


def rollout(tasks: Sequence[Task], sampler: Sampler, params: SamplingParams, n: int, seed: int) -> list[Group]:
    """n traces of every task, in the order of the tasks."""
    prompts = [sampler.tokenizer.prompt(task.prompt) for task in tasks]
    completions = sampler.sample(
        [prompt for prompt in prompts for _ in range(n)],
        params,
        [row_seed(seed, task.key, str(i)) for task in tasks for i in range(n)],
    )
    return [
        Group(task, tuple(_trace(task, sampler, prompt, done) for done in completions[i * n : (i + 1) * n]))
        for i, (task, prompt) in enumerate(zip(tasks, prompts, strict=True))
    ]


def _trace(task: Task, sampler: Sampler, prompt: list[int], done: Completion) -> Trace:
    return Trace(
        task.key,
        sampler.policy.id,
        ids=(*prompt, *done.ids),
        sampled=(False,) * len(prompt) + (True,) * len(done.ids),
        logprobs=(0.0,) * len(prompt) + done.logprobs,
        text=sampler.tokenizer.decode(done.ids),
        stop=done.stop,
        depth=sampler.policy.depth + 1,
        entropy=done.entropy,
        certainty=None if done.entropy is None else done.certainty,
    )


def gold_trace(task: Task, tokenizer: Tokenizer) -> Trace:
    """The gold answer as a trace of depth 0, its answer tokens marked as those to be learnt.

    Raises ValueError for a task without a gold answer.
    """
    if task.answer is None:
        raise ValueError(f"task {task.key} has no gold answer")
    prompt = tokenizer.prompt(task.prompt)
    answer = [*tokenizer.encode(task.answer), tokenizer.eos_id]
    return Trace(
        task.key,
        policy="gold",
        ids=(*prompt, *answer),
        sampled=(False,) * len(prompt) + (True,) * len(answer),
        logprobs=(0.0,) * (len(prompt) + len(answer)),
        text=task.answer,
        stop="given",
    )
