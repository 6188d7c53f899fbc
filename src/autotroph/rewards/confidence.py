"""Confidence: how sure the policy was, of what it drew or, at each token, whatever it drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from autotroph.core.trace import Group, Trace
from autotroph.rewards.measure import mean_logprob


@dataclass
class LogLikelihood:
    """log pi(answer | prompt), the self-reward of sharpening (arXiv:2412.01951): a sum over the sampled tokens, so that
    its best answer is the policy's likeliest. None where the policy sampled nothing.
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "log_likelihood"

    def score(self, group: Group) -> Group:
        def total(trace: Trace) -> float | None:
            mean = mean_logprob(trace)
            return None if mean is None else mean * sum(trace.sampled)

        return Group(group.task, tuple(trace.scored(self.name, total(trace)) for trace in group.traces))


@dataclass
class NegativeEntropy:
    """Minus the mean entropy of the answer's tokens, in nats, at most 0 (RENT, arXiv:2505.22660).

    None where the sampler does not tell. It is of the model's own distribution, whatever the temperature.
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "negative_entropy"

    def score(self, group: Group) -> Group:
        return Group(
            group.task,
            tuple(t.scored(self.name, None if t.entropy is None else -t.entropy) for t in group.traces),
        )


@dataclass
class SelfCertainty:
    """Mean over the answer's tokens of KL(uniform || policy) = -(1/V) sum_v log p(v) - log V, in nats (Intuitor,
    arXiv:2505.19590). None where the sampler does not tell.

    Unlike negative entropy it is without bound above, and looks at the unlikely tokens: at how thoroughly they are
    excluded.
    """

    verifier_calls: ClassVar[int] = 0
    name: str = "self_certainty"

    def score(self, group: Group) -> Group:
        return Group(group.task, tuple(t.scored(self.name, t.certainty) for t in group.traces))
