"""Claims: verdicts by hand."""

from __future__ import annotations

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.evaluate.claim import Claim, Trial, compare, refuse_unequal


def claim(margin: float = 0.0, within: bool = False) -> Claim:
    def side(seed: int, compute: object) -> Trial:
        return Trial(float(seed))

    return Claim("s", "r", "points", side, side, side, "b", "m", margin=margin, within=within)


def trials(*values: float, flops: float = 1.0) -> list[Trial]:
    return [Trial(value, {"flops": flops}) for value in values]


def test_the_interval_is_that_of_paired_differences() -> None:
    """Differences 1, 2, 3: mean 2, s = 1, t(2, .975) = 4.3027, so 2 +- 4.3027 / sqrt 3."""
    found = compare(claim(), trials(11, 22, 33), trials(10, 20, 30))
    assert (found.effect, found.low, found.high) == pytest.approx((2, -0.4841, 4.4841), abs=1e-3)
    assert found.verdict == "inconclusive"


@pytest.mark.parametrize(
    ("ours", "margin", "within", "verdict"),
    [
        ((10.0, 10.1, 9.9), 0.0, False, "holds"),
        ((10.0, 10.1, 9.9), 9.9, False, "inconclusive"),
        ((10.0, 10.1, 9.9), 11.0, False, "fails"),
        ((0.0, 0.1, -0.1), 1.0, True, "holds"),
        ((0.0, 0.1, -0.1), 0.2, True, "inconclusive"),
        ((-10.0, -10.1, -9.9), 1.0, True, "fails"),
    ],
)
def test_verdicts(ours: tuple[float, ...], margin: float, within: bool, verdict: str) -> None:
    assert compare(claim(margin, within), trials(*ours), trials(0, 0, 0)).verdict == verdict


def test_more_compute_than_the_baseline_is_refused() -> None:
    ours = trials(1, 2, flops=1.06)
    assert refuse_unequal(claim(), compare(claim(), trials(1, 2, flops=1.04), trials(1, 2))) is None
    with pytest.raises(AutotrophError, match=r"1\.06 times the flops"):
        refuse_unequal(claim(), compare(claim(), ours, trials(1, 2)))
    with pytest.raises(AutotrophError, match="inf times"):
        refuse_unequal(claim(), compare(claim(), ours, [Trial(1), Trial(2)]))


def test_sides_without_compute_have_no_ratio() -> None:
    assert compare(claim(), [Trial(1), Trial(2)], [Trial(1), Trial(2)]).compute is None


@pytest.mark.parametrize(("ours", "other"), [((1,), (1,)), ((1, 2), (1, 2, 3))])
def test_too_few_or_unpaired_trials_are_refused(ours: tuple[float, ...], other: tuple[float, ...]) -> None:
    with pytest.raises(AutotrophError, match="the same two seeds"):
        compare(claim(), trials(*ours), trials(*other))
