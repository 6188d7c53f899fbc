"""How likely a few answers are, read from the model before every step, and on average over the steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp

from autotroph.core.protocols import Tokenizer
from autotroph.core.trace import Trace
from autotroph.models.drift import trace_logprobs
from autotroph.models.transformer import Transformer


@dataclass
class Shares:
    """Watches a policy (`gro.Watch`): the mean probability of each answer to these prompts.

    `judged` makes figures of the shares; those of the average over the steps, and of the last ones as `last_...`.
    """

    prompts: Sequence[str]
    answers: Sequence[str]
    judged: Callable[[Mapping[str, float]], Mapping[str, float]]

    def __post_init__(self) -> None:
        self.steps, self.sums, self.last = 0, dict.fromkeys(self.answers, 0.0), dict.fromkeys(self.answers, 0.0)

    def look(self, model: Transformer, tokenizer: Tokenizer) -> None:
        asked = [(answer, prompt) for answer in self.answers for prompt in self.prompts]
        traces, found = [], dict.fromkeys(self.answers, 0.0)
        for answer, prompt in asked:
            before, after = tokenizer.prompt(prompt), [*tokenizer.encode(answer), tokenizer.eos_id]
            sampled = (*[False] * len(before), *[True] * len(after))
            traces.append(Trace("", "", (*before, *after), sampled, (0.0,) * len(sampled), answer, "given"))
        logps = iter(trace_logprobs(model, traces))
        for (answer, _), trace in zip(asked, traces, strict=True):
            found[answer] += exp(sum(next(logps) for _ in range(sum(trace.sampled)))) / len(self.prompts)
        self.add(found)

    def add(self, shares: Mapping[str, float]) -> None:
        self.steps, self.last = self.steps + 1, dict(shares)
        for answer, share in shares.items():
            self.sums[answer] += share

    @property
    def average(self) -> dict[str, float]:
        return {answer: total / max(1, self.steps) for answer, total in self.sums.items()}

    def figures(self) -> dict[str, float]:
        last = {f"last_{name}": figure for name, figure in self.judged(self.last).items()}
        return {**self.judged(self.average), **last}
