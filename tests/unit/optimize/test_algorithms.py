"""Algorithms and the learner against numbers derived by hand."""

import math
import random
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
import torch

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Signal
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.models.transformer import ModelConfig, Transformer
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.learner import Learner, LearnerConfig
from autotroph.optimize.loss import Surrogate, Tokens
from autotroph.optimize.mixture import Mixture
from autotroph.optimize.optimizer import SCHEDULES, cosine, infinite, orthogonalised, warmup, warmup_stable_decay
from autotroph.optimize.pretrain import Curriculum

TASK = Task.of("addition", "1+1=", "2")
SHAPE = ModelConfig(
    vocab_size=11, hidden_size=16, intermediate_size=24, num_attention_heads=2, num_key_value_heads=2, head_dim=8
)
PINNED = [2.434, 1.950, 0.629, 0.058]


def trace(
    ids: tuple[int, ...] = (1, 5, 6, 7),
    reward: float | None = None,
    depth: int = 0,
    logprobs: tuple[float, ...] | None = None,
    prompt: int = 2,
) -> Trace:
    sampled = tuple(i >= prompt for i in range(len(ids)))
    rewards = {} if reward is None else {"r": reward}
    return Trace(TASK.key, "p", ids, sampled, logprobs or (0.0,) * len(ids), "", "stop", depth, rewards=rewards)


def group(*rewards: float | None) -> Group:
    return Group(TASK, tuple(trace(reward=reward) for reward in rewards))


def test_grpo_advantages_by_hand() -> None:
    signals = GRPO(normalise=True).signals([group(1, 0, 0, 0)])
    spread = math.sqrt(3) / 4
    assert [s.advantage for s in signals] == pytest.approx([0.75 / spread] + [-0.25 / spread] * 3)


def test_dr_grpo_advantages_by_hand() -> None:
    signals = GRPO(normalise=False).signals([group(1, 0, 0.5, 0.5)])
    assert [s.advantage for s in signals] == pytest.approx([0.5, -0.5, 0, 0])


@pytest.mark.parametrize("rewards", [(1, 1, 1), (0, 0), (1,), (), (None, None), (None, 1)])
def test_groups_that_say_nothing_give_no_signal(rewards: tuple) -> None:
    assert GRPO().signals([group(*rewards)]) == []


def test_unscored_traces_take_no_part() -> None:
    with_none = GRPO().signals([group(1, None, 0)])
    assert [s.advantage for s in with_none] == [s.advantage for s in GRPO().signals([group(1, 0)])]


def test_sft_learns_what_was_kept() -> None:
    kept, out = trace(), trace().reject("short")
    assert [s.trace for s in SFT().signals([Group(TASK, (kept, out))])] == [kept]


class Probe(Learner):
    """A learner that keeps its gradients instead of stepping, in fp32."""

    def __init__(self, model: Transformer):
        super().__init__(model, LearnerConfig(), Meter(), dtype=torch.float32)

    def _update(self) -> float:
        self._gather()
        self.gradients = {name: master.grad for name, master in self.masters.items()}
        return 0.0


def gradients_of(loss: torch.Tensor, model: Transformer) -> dict[str, torch.Tensor]:
    names = dict(model.named_parameters())
    return dict(zip(names, torch.autograd.grad(loss, list(names.values())), strict=True))


def logp(model: Transformer, ids: tuple[int, ...]) -> torch.Tensor:
    """Log-probabilities of ids[1:], computed the long way."""
    row = torch.tensor([ids])
    return model.logits(model(row[:, :-1])).log_softmax(-1)[0].gather(1, row[0, 1:, None])[:, 0]


def fresh_model() -> Transformer:
    model = Transformer(SHAPE).initialise(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
    return model


def test_loss_terms_and_normalisation_by_hand() -> None:
    """Traces of two lengths: likelihood over 2 + 3 tokens, policy gradient over 2 + 1, each with its own count."""
    model = fresh_model()
    a, b = (1, 5, 6, 7), (1, 4, 8, 9, 2)
    old = (0.0, 0.0, -2.0, -1.5)
    c = trace((1, 3, 9, 10), logprobs=old)
    d = trace((1, 3, 10, 4), prompt=3)
    signals = [
        Signal(trace(a), likelihood=1.0),
        Signal(trace(b), likelihood=2.0),
        Signal(c, advantage=0.5),
        Signal(d, advantage=-1.0),
    ]
    probe = Probe(fresh_model())
    metrics = probe.step(signals)
    likelihood = -(logp(model, a)[1:].sum() + 2 * logp(model, b)[1:].sum()) / 5
    ratio_c = (logp(model, c.ids)[1:] - torch.tensor(old[2:])).exp()
    ratio_d = logp(model, d.ids)[2:].exp()
    clipped = torch.minimum(0.5 * ratio_c, 0.5 * ratio_c.clamp(0.8, 1.2)).sum()
    clipped = clipped + torch.minimum(-ratio_d, -ratio_d.clamp(0.8, 1.2)).sum()
    loss = likelihood - clipped / 3
    assert metrics["loss"] == pytest.approx(loss.item(), abs=1e-5)
    for name, expected in gradients_of(loss, model).items():
        assert torch.allclose(probe.gradients[name], expected, atol=1e-5), name


def test_splitting_a_batch_changes_nothing() -> None:
    signals = [Signal(trace((1, 5, i % 11, 7, (3 * i) % 11)), likelihood=1.0) for i in range(40)]
    whole, split = Probe(fresh_model()), Probe(fresh_model())
    split.config = LearnerConfig(batch_tokens=64)
    assert whole.step(signals)["loss"] == pytest.approx(split.step(signals)["loss"], abs=1e-5)
    for name, expected in whole.gradients.items():
        assert torch.allclose(split.gradients[name], expected, atol=1e-5)


def test_padding_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [tuple((1, 5, i % 11, 7, (3 * i) % 11, i % 7, 2)[: 3 + i % 5]) for i in range(40)]
    signals = [Signal(trace(row), likelihood=1.0, advantage=(-1.0) ** i) for i, row in enumerate(ids)]
    exact, together = Probe(fresh_model()), Probe(fresh_model())
    monkeypatch.setattr("autotroph.optimize.learner.STRETCH", 1.0)
    apart = exact.step(signals)
    monkeypatch.setattr("autotroph.optimize.learner.STRETCH", 9.0)
    assert together.step(signals) == pytest.approx(apart, abs=1e-5)
    for name, expected in exact.gradients.items():
        assert torch.allclose(together.gradients[name], expected, atol=1e-5)


def test_reference_kl_is_zero_at_the_reference_and_positive_elsewhere() -> None:
    probe = Probe(fresh_model())
    probe.reference = fresh_model()
    assert probe.step([Signal(trace(), kl=1.0)])["reference_kl"] == pytest.approx(0.0, abs=1e-6)
    probe.reference = Transformer(SHAPE).initialise(3)
    assert probe.step([Signal(trace(), kl=1.0)])["reference_kl"] > 1e-3


def test_learner_resumes_bit_for_bit() -> None:
    signals = [Signal(trace((1, 5, i % 11, 7)), likelihood=1.0) for i in range(16)]
    straight = Learner(fresh_model(), LearnerConfig(), Meter())
    for _ in range(6):
        straight.step(signals)
    first = Learner(fresh_model(), LearnerConfig(), Meter())
    for _ in range(3):
        first.step(signals)
    second = Learner(Transformer(SHAPE).initialise(9), LearnerConfig(), Meter())
    second.load_state_dict(first.state_dict())
    for _ in range(3):
        second.step(signals)
    for name, value in straight.masters.items():
        assert torch.equal(value, second.masters[name]), name


def test_training_learns_and_its_loss_is_pinned() -> None:
    """An invariant: a change of this trajectory is a change of the training arithmetic and has to be meant."""
    signals = [Signal(trace((1, i % 11, (i + 3) % 11, (2 * i) % 11), prompt=2), likelihood=1.0) for i in range(11)]
    config = LearnerConfig(muon_lr=0.005, adam_lr=0.01)
    learner = Learner(fresh_model(), config, Meter(), lambda step: warmup_stable_decay(step, 60), torch.float32)
    losses = [learner.step(signals)["loss"] for _ in range(60)]
    assert [losses[i] for i in (0, 9, 29, 59)] == pytest.approx(PINNED, abs=2e-3)


def test_a_gradient_that_is_not_finite_is_an_error() -> None:
    learner = Learner(fresh_model(), LearnerConfig(), Meter())
    with pytest.raises(AutotrophError, match="not finite"):
        learner.step([Signal(trace(), likelihood=float("inf"))])


@pytest.mark.parametrize("shape", [(8, 8), (5, 20), (20, 5), (3, 12, 6)])
def test_muon_update_is_nearly_orthogonal(shape: tuple[int, ...]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    singular = torch.linalg.svdvals(orthogonalised(matrix))
    assert singular.max() < 1.3
    assert singular.median() > 0.6


def test_schedules_by_hand() -> None:
    assert [warmup(0), warmup(9), warmup(19), warmup(10**6)] == [1 / 20, 0.5, 1.0, 1.0]
    rates = [warmup_stable_decay(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(1 / 20)
    assert rates[19] == rates[50] == rates[70] == 1.0
    assert rates[85] == pytest.approx(0.5)
    assert rates[99] == pytest.approx(1 / 30)
    assert min(warmup_stable_decay(step, 1) for step in range(1)) > 0
    assert cosine(0, 101) == 1 / 20
    assert cosine(50, 101) == pytest.approx(0.55)
    assert cosine(100, 101) == pytest.approx(0.1)
    assert infinite(20, 200) == pytest.approx(0.5 + 0.25 * (1 + math.cos(0.4 * math.pi)))
    assert [infinite(step, 200) for step in (50, 100, 168)] == pytest.approx([0.5, 0.5, 0.5])
    assert infinite(199, 200) == pytest.approx(0.005)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 5, 300])
def test_every_schedule_stays_within_bounds_and_moves_smoothly(name: str, total: int) -> None:
    rates = [SCHEDULES[name](step, total) for step in range(total)]
    assert all(0 < rate <= 1 for rate in rates)
    if total == 300:
        assert max(abs(b - a) for a, b in pairwise(rates)) <= 0.1


def mixture() -> Mixture:
    rows = [(0, 1), (0, 2), (1, 3), (1, 4)]
    groups = [
        Group(Task.of("t", f"{level} {i}", "x", level), (trace(depth=depth),))
        for depth, level in rows
        for i in range(5)
    ]
    return Mixture.of(groups, SFT())


def test_mixture_draws_pools_by_level() -> None:
    drawn, rng = mixture(), random.Random(0)
    owner = {id(signal): pool for pool, signals in drawn.pools.items() for signal in signals}
    counts = Counter(owner[id(signal)] for _ in range(3000) for signal in drawn.batch(4, rng))
    shares = {pool: count / counts.total() for pool, count in counts.items()}
    assert shares == pytest.approx({(False, 1): 0.1, (False, 2): 0.2, (True, 3): 0.3, (True, 4): 0.4}, abs=0.02)
    assert drawn.self_made_share == pytest.approx(0.7)
    assert drawn.depth == 1


def test_a_floor_raises_real_rows_and_only_when_it_is_violated() -> None:
    """Levels 1 and 2 real, 3 and 4 self-made: a share of .3 real by itself."""
    assert replace(mixture(), real_floor=0.3).self_made_share == pytest.approx(0.7)
    floored, rng = replace(mixture(), real_floor=0.6), random.Random(0)
    assert floored.self_made_share == pytest.approx(0.4)
    assert floored.weights(list(floored.pools)) == pytest.approx([3.5, 7.0, 3.0, 4.0])
    depths = [signal.trace.depth for _ in range(1000) for signal in floored.batch(4, rng)]
    assert sum(depths) / len(depths) == pytest.approx(0.4, abs=0.03)
    loose = replace(mixture(), real_floor=0.05)
    assert loose.weights(list(loose.pools)) == [1.0, 2.0, 3.0, 4.0]


def test_batches_keep_to_the_hardest_level_allowed() -> None:
    rng, gold = random.Random(0), mixture()
    early = {id(signal) for _ in range(200) for signal in gold.batch(4, rng, hardest=2)}
    assert early == {id(signal) for pool in ((False, 1), (False, 2)) for signal in gold.pools[pool]}


def test_curriculum_opens_a_level_when_the_open_ones_are_mastered() -> None:
    curriculum = Curriculum([1, 2, 3, 4], mastery=0.2)
    for _ in range(100):
        curriculum.observe(0.3)
    assert curriculum.hardest == 2
    for _ in range(Curriculum.WINDOW):
        curriculum.observe(0.1)
    assert curriculum.hardest == 3
    curriculum.observe(0.1)
    assert curriculum.hardest == 3
    for _ in range(5 * Curriculum.WINDOW):
        curriculum.observe(0.1)
    assert curriculum.hardest == 4
    assert curriculum.settled == 90


def test_nothing_kept_is_an_error_that_says_so() -> None:
    with pytest.raises(AutotrophError, match="kept no rows"):
        Mixture.of([Group(TASK, (trace().reject("short"),))], SFT())


@dataclass(frozen=True)
class Coupled(Surrogate):
    """The same terms, computed on all tokens of a step at once."""

    coupled: bool = True


def test_two_passes_give_the_gradient_of_one() -> None:
    signals = [Signal(trace((1, 5, i % 11, 7, (3 * i) % 11)), likelihood=1.0, advantage=(-1.0) ** i) for i in range(40)]
    one, two = Probe(fresh_model()), Probe(fresh_model())
    two.loss, two.config = Coupled(), LearnerConfig(batch_tokens=64)
    assert one.step(signals) == pytest.approx(two.step(signals), abs=1e-5)
    for name, expected in one.gradients.items():
        assert torch.allclose(two.gradients[name], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("loss", "kl", "passes"), [(Surrogate(), 0.0, 3), (Coupled(), 0.0, 4), (Surrogate(), 0.1, 4), (Coupled(), 0.1, 5)]
)
def test_every_pass_is_paid_for(loss: Surrogate, kl: float, passes: int) -> None:
    """A pass forward is 2 operations a parameter and token, one back twice that; a reference is a model of its own."""
    model = fresh_model()
    learner = Learner(model, LearnerConfig(), Meter(), loss=loss)
    learner.reference = fresh_model()
    learner.step([Signal(trace((1, 5, 6, 7)), likelihood=1.0, kl=kl), Signal(trace((1, 5, 8)), likelihood=1.0, kl=kl)])
    assert learner.meter.trained_tokens > 0
    assert learner.meter.flops == 2 * passes * model.size * learner.meter.trained_tokens


def test_a_loss_sees_traces_pairs_and_values_of_each_token() -> None:
    signals = [
        Signal(trace((1, 2, 3, 4)), advantage=(2.0, 3.0), sign=-1.0, pair=7),
        Signal(trace((1, 2, 5)), advantage=1.0),
        Signal(trace((1, 2, 6)), advantage=4.0, sign=1.0, pair=7),
    ]
    tokens = Tokens(torch.tensor([-1.0, -2, -4, -8]), torch.zeros(4), None, torch.tensor([0, 0, 1, 2]), signals, {})
    assert tokens.column("advantage").tolist() == [2.0, 3.0, 1.0, 4.0]
    assert tokens.field("sign").tolist() == [-1.0, 0.0, 1.0]
    assert tokens.per_trace(tokens.logp_N).tolist() == [-3.0, -4.0, -8.0]
    better_P, worse_P = tokens.pairs
    assert (better_P.tolist(), worse_P.tolist()) == ([2], [0])
