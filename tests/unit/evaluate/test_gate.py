"""The gate and its statistics, against numbers derived by hand."""

import math
import random

import pytest

from autotroph.core.decision import Report, Result
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.statistics import flips, paired, sign_test, spent_alpha


def report(policy: str, scores: dict[tuple[int, int], float | None]) -> Report:
    """Scores by (level, number)."""
    results = tuple(Result(f"{level}/{i}", level, score) for (level, i), score in scores.items())
    return Report(policy, "suite", results, {})


def pair(gained: int, lost: int, both: int = 0, neither: int = 0, level: int = 1) -> tuple[Report, Report]:
    outcomes = [(0, 1)] * gained + [(1, 0)] * lost + [(1, 1)] * both + [(0, 0)] * neither
    before = {(level, i): float(a) for i, (a, _) in enumerate(outcomes)}
    after = {(level, i): float(b) for i, (_, b) in enumerate(outcomes)}
    return report("champion", before), report("candidate", after)


def test_sign_test_by_hand() -> None:
    assert sign_test(5, 0) == pytest.approx(1 / 32)
    assert sign_test(4, 1) == pytest.approx(6 / 32)
    assert sign_test(0, 0) == 1.0
    assert sign_test(0, 3) == 1.0


def test_spent_alpha_sums_to_alpha() -> None:
    assert spent_alpha(0.05, 1) == pytest.approx(0.05 * 6 / math.pi**2)
    assert 0.0499 < sum(spent_alpha(0.05, look) for look in range(1, 5000)) < 0.05


def test_planned_looks_share_alpha_equally_and_none_is_left_beyond() -> None:
    assert spent_alpha(0.05, 20, looks=20) == pytest.approx(0.0025)
    assert spent_alpha(0.05, 21, looks=20) == 0.0
    assert PairedGate(looks=2).decide(*pair(gained=60, lost=0), look=3).verdict == "hold"


def test_clear_gain_is_promoted_with_its_counts() -> None:
    decision = PairedGate().decide(*pair(gained=20, lost=1, both=50, neither=9), look=1)
    assert decision.verdict == "promote"
    assert (decision.gained, decision.lost, decision.kept, decision.unscored) == (20, 1, 59, 0)
    assert decision.p_value == pytest.approx(22 / 2**21)


def test_the_same_gain_is_not_enough_after_many_looks() -> None:
    reports = pair(gained=9, lost=1, both=50)
    assert PairedGate().decide(*reports, look=1).verdict == "promote"
    assert PairedGate().decide(*reports, look=10).verdict == "hold"


def test_without_a_gate_a_loss_is_promoted_and_said() -> None:
    decision = PairedGate(off=True).decide(*pair(gained=1, lost=30, both=9), look=1)
    assert decision.promoted
    assert "gate is off" in decision.reason
    assert (decision.gained, decision.lost) == (1, 30)
    assert decision.p_value is not None
    assert decision.p_value > 0.99


def test_no_evidence_holds() -> None:
    for gained, lost in ((0, 0), (3, 1), (5, 5)):
        assert PairedGate().decide(*pair(gained, lost, both=40), look=1).verdict == "hold"


def test_proven_loss_rolls_back() -> None:
    assert PairedGate().decide(*pair(gained=1, lost=20, both=40), look=1).verdict == "roll back"


def test_loss_on_one_level_rolls_back_in_spite_of_a_gain_elsewhere() -> None:
    up_before, up_after = pair(gained=60, lost=0, level=9)
    down_before, down_after = pair(gained=0, lost=20, both=20, level=2)
    before = Report("champion", "s", up_before.results + down_before.results, {})
    after = Report("candidate", "s", up_after.results + down_after.results, {})
    decision = PairedGate().decide(before, after, look=1)
    assert decision.verdict == "roll back"
    assert "level 2" in decision.reason


def test_unscored_tasks_hold() -> None:
    before, after = pair(gained=30, lost=0, both=10)
    holes = tuple(Result(r.key, r.level, None if i < 5 else r.score) for i, r in enumerate(after.results))
    decision = PairedGate().decide(before, Report("candidate", "s", holes, {}), look=1)
    assert decision.verdict == "hold"
    assert decision.unscored == 5


def test_nan_counts_as_unscored() -> None:
    before, after = report("a", {(1, 1): 0.0}), report("b", {(1, 1): float("nan")})
    assert flips(paired(before, after)).unscored == 1


def test_a_champion_never_beats_itself() -> None:
    before, _ = pair(gained=3, lost=0)
    assert PairedGate().decide(before, before, look=1).verdict == "hold"


def test_nothing_measured_holds() -> None:
    assert PairedGate().decide(report("a", {}), report("b", {}), look=1).verdict == "hold"


def test_different_or_repeated_tasks_are_refused() -> None:
    one, two = report("a", {(1, 1): 1.0}), report("b", {(1, 2): 1.0})
    with pytest.raises(ValueError, match="same tasks"):
        PairedGate().decide(one, two, look=1)
    twice = Report("b", "s", one.results + one.results, {})
    with pytest.raises(ValueError, match="each once"):
        PairedGate().decide(one, twice, look=1)


def test_false_promotions_over_whole_runs_stay_under_alpha() -> None:
    """300 runs of 20 null candidates, 10% discordant on 200 fresh items: the share of runs with any promotion."""
    rng, gate, fooled = random.Random(0), PairedGate(), 0
    cache: dict[tuple[int, int, int], bool] = {}
    for _ in range(300):
        for look in range(1, 21):
            gained = sum(rng.random() < 0.5 for _ in range(20))
            key = (gained, 20 - gained, look)
            if key not in cache:
                cache[key] = gate.decide(*pair(gained, 20 - gained, both=180), look=look).promoted
            if cache[key]:
                fooled += 1
                break
    assert fooled / 300 <= 0.05
