"""Rollouts that go on from where one of the policy's own answers was: token in, token out."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Sampler, SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.rollout import row_seed


def start_of(trace: Trace, tokens: int) -> tuple[int, ...]:
    """The ids of a trace up to its answer's first `tokens` tokens: an intermediate state. It leaves one to be chosen.

    Raises AutotrophError for a trace that is not a prompt and then one answer.
    """
    first = trace.sampled.index(True) if any(trace.sampled) else len(trace.ids)
    answer = len(trace.ids) - first
    if not answer or not all(trace.sampled[first:]):
        raise AutotrophError(
            f"task {trace.task_key}: its trace is not one answer; go on from one that was given at once"
        )
    return trace.ids[: first + max(0, min(tokens, answer - 1))]


def go_on(
    states: Sequence[tuple[Task, Sequence[int]]], sampler: Sampler, params: SamplingParams, n: int, seed: int
) -> list[Group]:
    """n traces of every (task, ids of an intermediate state), in their order.

    What was there before counts as given: it is no token of theirs, and teaches nothing. Their text is the whole answer
    all the same. `params.max_tokens` bounds what is new.
    """
    completions = sampler.sample(
        [list(ids) for _, ids in states for _ in range(n)],
        params,
        [row_seed(seed, task.key, "go on", str(len(ids)), str(i)) for task, ids in states for i in range(n)],
    )
    groups = []
    for place, (task, ids) in enumerate(states):
        given, prompt = tuple(ids), len(sampler.tokenizer.prompt(task.prompt))
        traces = tuple(
            Trace(
                task.key,
                sampler.policy.id,
                ids=(*given, *done.ids),
                sampled=(False,) * len(given) + (True,) * len(done.ids),
                logprobs=(0.0,) * len(given) + done.logprobs,
                text=sampler.tokenizer.decode((*given[prompt:], *done.ids)),
                stop=done.stop,
                depth=sampler.policy.depth + 1,
                entropy=done.entropy,
            )
            for done in completions[place * n : (place + 1) * n]
        )
        groups.append(Group(task, traces))
    return groups
