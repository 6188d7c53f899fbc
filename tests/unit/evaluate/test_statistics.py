"""Statistics against numbers derived by hand, exact enumeration, and invariants."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.betting import always_valid, mean_above, sign_evidence
from autotroph.evaluate.intervals import bootstrap_interval, paired_interval, rate_below
from autotroph.evaluate.power import power, required_tasks
from autotroph.evaluate.statistics import history_share, mcnemar, pass_at_k, sign_test

COUNTS = st.integers(0, 60)


def test_mcnemar_is_twice_the_smaller_tail() -> None:
    assert mcnemar(5, 0) == mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(4, 1) == pytest.approx(12 / 32)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(("n", "correct", "k"), [(5, 2, 2), (6, 1, 3), (4, 4, 1), (4, 0, 4), (5, 3, 3)])
def test_pass_at_k_is_the_share_of_draws_that_hold_a_right_answer(n: int, correct: int, k: int) -> None:
    draws = list(itertools.combinations(range(n), k))
    assert pass_at_k(n, correct, k) == pytest.approx(sum(min(draw) < correct for draw in draws) / len(draws))


@pytest.mark.parametrize(("n", "correct", "k"), [(3, 1, 4), (3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_pass_at_k_refuses_what_cannot_be(n: int, correct: int, k: int) -> None:
    with pytest.raises(AutotrophError, match="samples"):
        pass_at_k(n, correct, k)


def test_no_loss_in_n_bounds_the_rate() -> None:
    assert rate_below(0, 299) == pytest.approx(1 - 0.05 ** (1 / 299))
    assert rate_below(0, 299) < 0.01 < rate_below(0, 298)
    assert rate_below(1, 2) == pytest.approx(math.sqrt(0.95))  # P(at most 1 of 2) = 1 - p^2 = 0.05
    assert rate_below(0, 0) == rate_below(3, 3) == 1.0


def test_paired_interval_by_hand() -> None:
    """Mean 1/2; s^2/n = 1/12 and t_3 = 3.182446 alone; in two clusters s = 1/2 and t_1 = 12.706205."""
    reach = 3.182446 / math.sqrt(12)
    assert paired_interval([1, 1, 0, 0]) == pytest.approx((0.5 - reach, 0.5 + reach), rel=1e-6)
    assert paired_interval([1, 1, 0, 0], "aabb") == pytest.approx((0.5 - 6.3531025, 0.5 + 6.3531025), rel=1e-6)


def test_bootstrap_turns_the_signs_of_whole_clusters() -> None:
    """Beside all 32 sign patterns of five clusters: |t| = |mean* - mean| / error* by the definition."""
    clusters = [[0.0, 0.5], [1.0], [0.5, 0.5, -0.5], [0.0], [-1.0, 0.0]]

    def mean_and_error(sums: list[float]) -> tuple[float, float]:
        mean = sum(sums) / n
        squares = sum((total - mean * len(some)) ** 2 for total, some in zip(sums, clusters, strict=True))
        return mean, math.sqrt(5 / 4 * squares) / n

    n = sum(map(len, clusters))
    mean, error = mean_and_error([sum(some) for some in clusters])
    ratios = []
    for signs in itertools.product((-1, 1), repeat=5):
        turned = [
            mean * len(some) + sign * (sum(some) - mean * len(some)) for sign, some in zip(signs, clusters, strict=True)
        ]
        its_mean, its_error = mean_and_error(turned)
        ratios.append(abs(its_mean - mean) / its_error)
    reach = error * sorted(ratios)[19]  # 16 values, each twice: the tenth reaches from 56.25% to 62.5%
    values, names = [v for some in clusters for v in some], [i for i, some in enumerate(clusters) for _ in some]
    found = bootstrap_interval(values, names, confidence=0.6, resamples=50_000)
    assert found == pytest.approx((mean - reach, mean + reach), rel=1e-6)


def test_bootstrap_of_two_clusters() -> None:
    """Equal ones leave no doubt; two that differ, turned in all four ways, leave all of it."""
    assert bootstrap_interval([0, 1, 0, 1], "aabb") == (0.5, 0.5)
    assert bootstrap_interval([0, 0, 1, 1], "aabb") == (-1.0, 1.0)


@pytest.mark.parametrize("interval", [paired_interval, bootstrap_interval])
def test_an_interval_needs_two_clusters_and_a_name_for_each_task(interval) -> None:
    for values, clusters in (([], None), ([1.0], None), ([1.0, 0.0], "aa"), ([1.0, 0.0], "abc")):
        with pytest.raises(AutotrophError, match="two clusters"):
            interval(values, clusters)


@given(st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), st.integers(0, 4)), min_size=6), st.randoms())
def test_the_order_of_tasks_does_not_change_the_interval(rows: list[tuple[float, int]], random) -> None:
    rows = [*rows, (0.0, 5), (1.0, 6)]
    shuffled = random.sample(rows, len(rows))
    before, after = (paired_interval(*map(list, zip(*some, strict=True))) for some in (rows, shuffled))
    assert after == pytest.approx(before, abs=1e-9)


def test_power_by_hand() -> None:
    """All discordant pairs are gains: rejected at 5% from five on, as 1/32 <= 0.05 < 1/16."""
    assert power(4, 1, 1) == 0.0
    assert power(5, 1, 1) == 1.0
    assert power(6, 0.5, 0.5) == pytest.approx(7 / 64)


def test_required_tasks_is_where_power_is_reached_and_near_connor() -> None:
    """Connor's normal approximation for +3 points at 10% discordance is 685; exactness costs a little."""
    n = required_tasks(0.03, 0.1)
    assert power(n, 0.03, 0.1) >= 0.8 > power(n - 1, 0.03, 0.1)
    assert 685 <= n <= 1.1 * 685


@pytest.mark.parametrize(("gain", "discordance"), [(0.2, 0.1), (0.0, 0.1), (-0.1, 0.1), (0.1, 1.1), (0.0, 0.0)])
def test_required_tasks_refuses_what_cannot_be(gain: float, discordance: float) -> None:
    with pytest.raises(AutotrophError, match="power"):
        required_tasks(gain, discordance)


@pytest.mark.parametrize(
    ("gained", "lost", "wealth"), [(0, 0, 1), (1, 0, 3 / 2), (0, 1, 1 / 2), (1, 1, 2 / 3), (2, 0, 7 / 3)]
)
def test_sign_evidence_is_the_integral_over_stakes(gained: int, lost: int, wealth: float) -> None:
    assert math.exp(sign_evidence(gained, lost)) == pytest.approx(wealth)


@given(COUNTS, COUNTS)
def test_a_fair_coin_leaves_the_wealth_where_it_is_on_average(gained: int, lost: int) -> None:
    now, up, down = (math.exp(sign_evidence(*c)) for c in ((gained, lost), (gained + 1, lost), (gained, lost + 1)))
    assert (up + down) / 2 == pytest.approx(now)


def test_whoever_peeks_after_each_of_300_pairs_is_fooled_by_the_plain_test_alone() -> None:
    """Exact probability, over all orders, that a fair coin ever has p <= 0.05."""

    def ever(p_value) -> float:
        alive, fooled = {0: 1.0}, 0.0
        for n in range(1, 301):
            after: dict[int, float] = {}
            for gained, mass in alive.items():
                for more in (gained, gained + 1):
                    after[more] = after.get(more, 0.0) + mass / 2
            fooled += sum(after.pop(g) for g in list(after) if p_value(g, n - g) <= 0.05)
            alive = after
        return fooled

    assert 0.005 < ever(always_valid) <= 0.05
    assert ever(sign_test) > 0.2


@given(st.integers(0, 30), st.integers(0, 30))
def test_whoever_looks_once_pays_for_being_allowed_to_look_always(gained: int, lost: int) -> None:
    assert 0 < always_valid(gained, lost) <= 1
    assert always_valid(gained, lost) >= always_valid(gained + 1, lost)


@pytest.mark.parametrize("bound", [-0.5, -0.02, 0.0, 0.3])
def test_betting_on_a_mean_is_fair_at_the_bound(bound: float) -> None:
    """Twenty values of -1 and 1 with mean `bound`: exactly P(p <= alpha) <= alpha, and the bet is not idle."""
    up, low = (1 + bound) / 2, 0.0
    for wins in range(21):
        p = mean_above([1.0] * wins + [-1.0] * (20 - wins), bound)
        chance = math.comb(20, wins) * up**wins * (1 - up) ** (20 - wins)
        low += chance * (p <= 0.1)
    assert low <= 0.1
    assert mean_above([1.0] * 20, bound) < 0.1


def test_betting_on_a_mean_has_nothing_to_say_without_values_or_beyond_the_range() -> None:
    assert mean_above([], 0.0) == mean_above([1.0] * 9, 1.0) == mean_above(np.full(50, -0.02), -0.02) == 1.0


@given(st.lists(st.floats(-1, 1), max_size=30), st.floats(-0.9, 0.9))
def test_betting_on_a_mean_never_rejects_what_the_sample_mean_bears_out(values: list[float], bound: float) -> None:
    if sum(values) <= bound * len(values):
        assert mean_above(values, bound) == pytest.approx(1.0)


@pytest.mark.parametrize("earlier", range(7))
def test_shares_of_all_histories_sum_to_one(earlier: int) -> None:
    histories = itertools.product(("hold", "promote", "roll back"), repeat=earlier)
    total = sum(history_share(earlier, sum(v != "hold" for v in history)) for history in histories)
    assert total == pytest.approx(1.0)


def test_more_answers_than_looks_are_refused() -> None:
    with pytest.raises(AutotrophError, match="earlier looks"):
        history_share(2, 3)
