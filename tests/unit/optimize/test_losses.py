"""Every algorithm against a gradient derived by hand, on tokens whose probabilities are given."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

import pytest
import torch

from autotroph.core.errors import AutotrophError
from autotroph.core.protocols import Algorithm, Signal
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.optimize.algo.critic import Critic
from autotroph.optimize.algo.dapo import DAPO
from autotroph.optimize.algo.distillation import EMATeacher, OnPolicyDistillation
from autotroph.optimize.algo.dpo import DPO
from autotroph.optimize.algo.grpo import GRPO
from autotroph.optimize.algo.gspo import GSPO
from autotroph.optimize.algo.ipo import IPO
from autotroph.optimize.algo.kto import KTO
from autotroph.optimize.algo.nft import NFT
from autotroph.optimize.algo.ppo import PPO, advantages
from autotroph.optimize.algo.registry import ALGORITHMS, OnPolicy
from autotroph.optimize.algo.reinforce import REINFORCE
from autotroph.optimize.algo.rloo import RLOO
from autotroph.optimize.algo.sft import SFT
from autotroph.optimize.algo.simpo import SimPO
from autotroph.optimize.algo.spo import SPO
from autotroph.optimize.algo.weighted_sft import WeightedSFT
from autotroph.optimize.loss import TERMS, Tokens

TASK = Task.of("copy", "ab>", "ab", 2)
GROUP_METHODS = ["grpo", "dr_grpo", "dapo", "gspo", "rloo", "nft", "spo", "dpo", "ipo", "simpo"]


def trace(reward: float | None, tokens: int = 1, key: str = TASK.key) -> Trace:
    rewards = {} if reward is None else {"verified": reward}
    ids, sampled = (1, *range(2, 2 + tokens)), (False, *[True] * tokens)
    return Trace(key, "p", ids, sampled, (0.0,) * len(ids), "", "stop", rewards=rewards)


def group(*rewards: float | None, tokens: Sequence[int] = ()) -> Group:
    lengths = tokens or [1] * len(rewards)
    return Group(TASK, tuple(trace(reward, n) for reward, n in zip(rewards, lengths, strict=True)))


def gradient(
    algorithm: Algorithm,
    signals: Sequence[Signal],
    logp: Sequence[float],
    old: Sequence[float] | None = None,
    reference: Sequence[float] | None = None,
) -> list[float]:
    """Of the loss in the log-probability of every token; on-policy unless `old` is given."""
    sizes = [sum(signal.trace.sampled) for signal in signals]
    logp_N = torch.tensor(logp, dtype=torch.float64, requires_grad=True)
    counts = {term: sum(n for s, n in zip(signals, sizes, strict=True) if getattr(s, term)) for term in TERMS}
    tokens = Tokens(
        logp_N,
        torch.tensor(old if old is not None else logp, dtype=torch.float64),
        None if reference is None else torch.tensor(reference, dtype=torch.float64),
        torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes)),
        signals,
        counts | {"traces": len(signals)},
    )
    (found,) = torch.autograd.grad(sum(algorithm.loss(tokens).values(), logp_N.new_zeros(())), logp_N)
    return [float(value) for value in found]


def on_policy(algorithm: Algorithm, *groups: Group) -> list[float]:
    signals = algorithm.signals(groups)
    return gradient(algorithm, signals, [-1.0] * sum(sum(s.trace.sampled) for s in signals))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_sft_and_weighted_sft() -> None:
    """-1 / N for each token; with rewards 1, 0 and .5, only the first and the last have a weight, of 2 tokens."""
    assert on_policy(SFT(), group(None, None)) == pytest.approx([-1 / 2] * 2)
    assert on_policy(WeightedSFT(), group(1, 0, 0.5)) == pytest.approx([-1 / 2, -0.5 / 2])


def test_weighted_sft_refuses_a_negative_reward() -> None:
    with pytest.raises(AutotrophError, match="negative"):
        WeightedSFT().signals([group(1, -1)])


def test_reinforce_takes_the_mean_of_the_step() -> None:
    """Rewards 1 | 0, 0: mean 1/3 over both tasks, three tokens."""
    assert on_policy(REINFORCE(), group(1), group(0, 0)) == pytest.approx([-2 / 9, 1 / 9, 1 / 9])
    assert REINFORCE().signals([group(1), group(1, 1)]) == []


def test_rloo_leaves_one_out() -> None:
    """Rewards 1, 0, 0: 1 - 0 and 0 - 1/2."""
    assert on_policy(RLOO(), group(1, 0, 0)) == pytest.approx([-1 / 3, 0.5 / 3, 0.5 / 3])


def test_grpo_and_dr_grpo() -> None:
    """Rewards 1, 0, 0, 0: 3/4 and -1/4, over the spread sqrt(3)/4 where normalised; 4 tokens."""
    assert on_policy(GRPO(False), group(1, 0, 0, 0)) == pytest.approx([-3 / 16] + [1 / 16] * 3)
    assert on_policy(GRPO(), group(1, 0, 0, 0)) == pytest.approx([-math.sqrt(3) / 4] + [1 / math.sqrt(3) / 4] * 3)


@pytest.mark.parametrize(
    ("algorithm", "moved", "expected"),
    [
        (GRPO(), 1.1, [-1.1 / 2, 1.1 / 2]),
        (GRPO(), 1.25, [0, 1.25 / 2]),
        (GRPO(), 0.75, [-0.75 / 2, 0]),
        (DAPO(), 1.25, [-1.25 / 2, 1.25 / 2]),
        (DAPO(), 1.3, [0, 1.3 / 2]),
        (GSPO(), 1.035, [-1.035 / 2, 1.035 / 2]),
        (GSPO(), 1.05, [0, 1.05 / 2]),
        (GSPO(), 0.96, [-0.96 / 2, 0]),
    ],
)
def test_clipping_stops_what_has_gone_far_enough(algorithm: Algorithm, moved: float, expected: list[float]) -> None:
    """Advantages 1 and -1, both tokens `moved` times as likely as they were."""
    signals = algorithm.signals([group(1, 0)])
    found = gradient(algorithm, signals, [-1.0, -1.0], [-1.0 - math.log(moved)] * 2)
    assert found == pytest.approx(expected)


def test_dapo_masks_what_was_cut_off_but_counts_it_in_the_mean() -> None:
    whole = group(1, 0, 0)
    cut = Group(TASK, (*whole.traces[:2], replace(whole.traces[2], stop="length")))
    expected = [s.advantage for s in GRPO().signals([whole])[:2]]
    assert [s.advantage for s in DAPO().signals([cut])] == expected


def test_gspo_weighs_traces_not_tokens() -> None:
    """One token against three: each trace has the ratio of its mean, so that its gradient is shared by its tokens.

    Off-policy by .01 and -.01 + .02 + .02 over three: ratios exp(.01) for both."""
    algorithm = GSPO()
    signals = algorithm.signals([group(1, 0, tokens=[1, 3])])
    assert gradient(algorithm, signals, [-1.0] * 4) == pytest.approx([-1 / 2, 1 / 6, 1 / 6, 1 / 6])
    found = gradient(algorithm, signals, [-1.0] * 4, [-1.01, -0.99, -1.02, -1.02])
    s = math.exp(0.01)
    assert found == pytest.approx([-s / 2, s / 6, s / 6, s / 6])


def test_spo_rewards_are_shares_of_wins() -> None:
    """Rewards 3, 1, 1, 0: the first beats all, the equal ones half of each other and the last, who beats none."""
    assert SPO().wins([(t, t.reward or 0.0) for t in group(3, 1, 1, 0).traces]) == pytest.approx([1, 0.5, 0.5, 0])
    assert [s.advantage for s in SPO().signals([group(3, 1, 1, 0)])] == pytest.approx([0.5, 0, 0, -0.5])
    assert on_policy(SPO(), group(1, 0)) == pytest.approx([-0.5 / 2, 0.5 / 2])


def test_spo_gives_no_advantage_in_a_circle() -> None:
    """Rock, paper, scissors: each wins once and loses once."""
    algorithm = SPO(lambda one, other: float((one[1] - other[1]) % 3 == 1))
    assert algorithm.signals([group(0, 1, 2)]) == []
    assert [s.advantage for s in algorithm.signals([group(0, 1)])] == [-0.5, 0.5]


@pytest.mark.parametrize("rewards", [(1, 0, 0, 0), (1, 1, 0), (1, 0), (1, 1, 1, 1, 1, 1, 1, 0)])
def test_nft_is_grpo_on_policy(rewards: tuple[float, ...]) -> None:
    lengths = [1 + i % 3 for i in range(len(rewards))]
    one, other = (on_policy(a, group(*rewards, tokens=lengths)) for a in (NFT(), GRPO()))
    assert one == pytest.approx(other, abs=1e-6)
    linear = on_policy(NFT(weight=lambda rate: 1 - rate), group(*rewards, tokens=lengths))
    assert linear == pytest.approx(on_policy(GRPO(False), group(*rewards, tokens=lengths)), abs=1e-6)


def test_nft_off_policy() -> None:
    """Rewards 1, 0: weight 1, rate 1/2. Right: -1 / 2, whatever the ratio. Wrong, at R = .8: R / (2 - R) / 2; at R =
    1.2, where (1 - R / 2) / (1 / 2) = .8 is held at 1: R / 2 of it, straight through."""
    algorithm = NFT()
    signals = algorithm.signals([group(1, 0)])
    for ratio, expected in ((0.8, 0.8 / 1.2 / 2), (1.2, 1.2 / 2), (2.5, 2.5 / 2)):
        old = [-1.0 - math.log(ratio)] * 2
        assert gradient(algorithm, signals, [-1.0, -1.0], old) == pytest.approx([-1 / 2, expected])


def test_nft_refuses_what_is_no_share() -> None:
    with pytest.raises(AutotrophError, match="outside"):
        NFT().signals([group(2, 0)])


def test_generalised_advantages() -> None:
    """Values .5, .25, reward 1: changes -.25 and .75. Without smoothing they stand alone; with 1, reward - value."""
    assert advantages([0.5, 0.25], 1.0, 0.0) == pytest.approx([-0.25, 0.75])
    assert advantages([0.5, 0.25], 1.0, 1.0) == pytest.approx([0.5, 0.75])
    assert advantages([0.5, 0.25], 1.0, 0.5) == pytest.approx([-0.25 + 0.375, 0.75])


def test_ppo_before_its_critic_has_learnt() -> None:
    """Values 0 and smoothing 1: rewards, at each of 1 + 1 + 2 tokens, are brought to mean 0 and spread 1."""
    found = PPO(smoothing=1.0).signals([group(1, 0, 0, tokens=[1, 1, 2])])
    high, low = 0.75 / (math.sqrt(3) / 4), -0.25 / (math.sqrt(3) / 4)
    assert [list(s.advantage) for s in found] == [  # type: ignore[arg-type]
        pytest.approx(own) for own in ([high], [low], [low, low])
    ]
    assert gradient(PPO(), found, [-1.0] * 4) == pytest.approx([-high / 4] + [-low / 4] * 3)


def test_ppo_learns_what_to_expect() -> None:
    """A token that decides has the advantage, and those after it none, once the critic knows."""
    algorithm = PPO(smoothing=0.0)
    won = Trace("k", "p", (1, 5, 7), (False, True, True), (0.0,) * 3, "", "stop", rewards={"verified": 1.0})
    lost = replace(won, ids=(1, 6, 7), rewards={"verified": 0.0})
    for _ in range(100):
        signals = algorithm.signals([Group(TASK, (won, lost))])
    decided, after = signals[0].advantage  # type: ignore[misc]
    assert decided > 1
    assert abs(after) < 0.1 * decided


def test_a_critic_expects_nothing_at_first_and_fits_its_returns() -> None:
    critic, traces = Critic(), [trace(1, 2), trace(0, 3)]
    assert critic.values(traces) == [[0.0, 0.0], [0.0, 0.0, 0.0]]
    losses = [critic.fit(traces, [[1.0, 1.0], [1.0, 1.0, 0.5]]) for _ in range(50)]
    assert losses[-1] < 0.05 < losses[0]


def test_ppo_steps_without_surprise_are_zeros() -> None:
    assert PPO().signals([group(0, 0, 0)]) == []
    assert PPO().signals([group(None)]) == []


def test_pairs_take_the_best_with_the_worst() -> None:
    signals = DPO().signals([group(0.5, 1, 0, 0.5, None), group(1, 1), group(0, 1)])
    assert [(s.trace.reward, s.sign, s.pair) for s in signals] == [
        (1, 1, 0), (0, -1, 0), (1, 1, 1), (0, -1, 1),
    ]  # fmt: skip


def test_dpo() -> None:
    """Better moved by .5 + .5 over two tokens, worse by -.2: h = 1.2, gradient -beta sigmoid(-beta h) each."""
    algorithm = DPO(beta=0.5)
    signals = algorithm.signals([group(1, 0, tokens=[2, 1])])
    found = gradient(algorithm, signals, [-1.0, -1.0, -2.0], reference=[-1.5, -1.5, -1.8])
    slope = 0.5 * sigmoid(-0.5 * 1.2)
    assert found == pytest.approx([-slope, -slope, slope])


def test_ipo() -> None:
    """h = 1.2, wanted is 1 / (2 tau) = 1: gradient 2 (h - 1)."""
    algorithm = IPO(tau=0.5)
    signals = algorithm.signals([group(1, 0, tokens=[2, 1])])
    found = gradient(algorithm, signals, [-1.0, -1.0, -2.0], reference=[-1.5, -1.5, -1.8])
    assert found == pytest.approx([0.4, 0.4, -0.4])


def test_simpo() -> None:
    """Means -1 and -2, beta 2, gamma 1: margin 1; the better trace's two tokens share its slope."""
    algorithm = SimPO()
    found = gradient(algorithm, algorithm.signals([group(1, 0, tokens=[2, 1])]), [-0.5, -1.5, -2.0])
    slope = 2 * sigmoid(-1)
    assert found == pytest.approx([-slope / 2, -slope / 2, slope])


def test_kto() -> None:
    """Moved by .6 and .2, so that z = .4; beta .5: values sigmoid(.1) and sigmoid(.1), each over two traces."""
    algorithm = KTO(beta=0.5)
    found = gradient(algorithm, algorithm.signals([group(1, 0)]), [-1.0, -1.0], reference=[-1.6, -1.2])
    slope = 0.5 * sigmoid(0.1) * sigmoid(-0.1) / 2
    assert found == pytest.approx([-slope, slope])


def test_kto_begins_at_no_less_than_the_reference() -> None:
    """Moved by -.6 and -.2: z is 0, not -.4."""
    algorithm = KTO(beta=0.5)
    found = gradient(algorithm, algorithm.signals([group(1, 0)]), [-1.0, -1.0], reference=[-0.4, -0.8])
    slopes = [0.5 * sigmoid(x) * sigmoid(-x) / 2 for x in (-0.3, 0.1)]
    assert found == pytest.approx([-slopes[0], slopes[1]])


def test_distillation() -> None:
    """Reverse KL: log policy - log teacher of each token, here .5 and -.25; from the average, 1 - teacher / policy, and
    the likelihood of what was kept."""
    one, average = OnPolicyDistillation(), EMATeacher(weight=2.0)
    reference = [-1.5, -0.75]
    found = gradient(one, one.signals([group(None, None)]), [-1.0, -1.0], reference=reference)
    assert found == pytest.approx([0.25, -0.125])
    found = gradient(average, average.signals([group(None, None)]), [-1.0, -1.0], reference=reference)
    assert found == pytest.approx([(2 * (1 - math.exp(log)) - 1) / 2 for log in (-0.5, 0.25)])


@pytest.mark.parametrize("name", GROUP_METHODS)
@pytest.mark.parametrize("rewards", [(1, 1, 1), (0, 0), (1,), (0,), (), (None, None), (None, 1)])
def test_groups_that_say_nothing_are_exact_zeros(name: str, rewards: tuple[float | None, ...]) -> None:
    assert ALGORITHMS[name].make().signals([group(*rewards)]) == []


@pytest.mark.parametrize("name", get_args(OnPolicy))
def test_what_has_no_score_takes_no_part(name: str) -> None:
    def parts(*groups: Group) -> list[tuple[object, ...]]:
        signals = ALGORITHMS[name].make().signals(groups)
        return [(s.trace.reward, s.advantage, s.likelihood, s.sign, s.pair, s.rate) for s in signals]

    assert parts(group(1, None, 0)) == parts(group(1, 0)) != []


@pytest.mark.parametrize("name", get_args(OnPolicy))
@pytest.mark.parametrize("reward", [math.nan, math.inf])
def test_a_reward_that_is_no_number_is_refused(name: str, reward: float) -> None:
    with pytest.raises(AutotrophError, match="a reward is"):
        ALGORITHMS[name].make().signals([group(1, 0, reward)])


@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_loss_that_looks_at_a_reference_is_given_one(name: str) -> None:
    named = ALGORITHMS[name]
    algorithm = named.make()
    asks = algorithm.loss.reference or any(signal.kl for signal in algorithm.signals([group(1, 0)]))
    assert asks == (named.reference is not None)
