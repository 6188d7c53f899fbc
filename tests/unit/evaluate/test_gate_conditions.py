"""What the gate asks beyond a gain: an unspent budget, protected tasks, guardrails, coverage; and its invariants."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autotroph.core.decision import Decision, Flips, Report, Result
from autotroph.core.errors import AutotrophError
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.statistics import rounded, sign_test, wins_and_losses

Scores = list[tuple[float | None, float | None]]


def reports(scores: Scores, costs: tuple[float, float] | None = None, **about) -> tuple[Report, Report]:
    """Champion's and candidate's score of each task; `about` is said of all of them."""
    sides = [
        tuple(
            Result(
                f"{about.get('tag', '')}/{i}",
                about.get("level", 1),
                s,
                about.get("tag", ""),
                None,
                about.get("protected", False),
            )
            for i, s in enumerate(side)
        )
        for side in zip(*scores, strict=True)
    ]
    before, after = costs or (None, None)
    return Report("champion", "", sides[0], {}, cost=before), Report("candidate", "", sides[1], {}, cost=after)


def both(*several: tuple[Report, Report]) -> tuple[Report, Report]:
    """The tasks of several comparisons in one."""
    one, two = zip(*several, strict=True)
    return tuple(replace(side[0], results=tuple(r for some in side for r in some.results)) for side in (one, two))


GAIN: Scores = [(0.0, 1.0)] * 30 + [(1.0, 1.0)] * 70


@pytest.mark.parametrize(("looks", "reuse"), [(4, 1), (4, 4), (5, 2), (3, 3), (None, 3)])
def test_alpha_of_all_looks_and_histories_never_sums_above_alpha(looks: int | None, reuse: int) -> None:
    gate, total = PairedGate(looks=looks, reuse=reuse), 0.0
    for look in range(1, 7):
        for history in itertools.product((False, True, True), repeat=(look - 1) % reuse):
            alpha = gate.decide(*reports(GAIN), look, sum(history)).alpha
            assert alpha is not None
            total += alpha
    assert total <= 0.05 + 1e-12
    assert total >= 0.04


def test_a_reused_set_pays_for_every_verdict_that_it_has_given() -> None:
    """Ninth of ten looks: 8 holds before have half of the level, one other verdict (1/4) / (8 * 2) of it."""
    gate = PairedGate(looks=10, reuse=10)
    assert gate.decide(*reports(GAIN), 9, 0).alpha == pytest.approx(0.005 / 2)
    assert gate.decide(*reports(GAIN), 9, 1).alpha == pytest.approx(0.005 / 64)


def test_fresh_tasks_begin_with_the_whole_level_again() -> None:
    gate = PairedGate(looks=20, reuse=10)
    assert gate.decide(*reports(GAIN), 11).alpha == pytest.approx(0.0025)
    with pytest.raises(AutotrophError, match="this sealed set"):
        gate.decide(*reports(GAIN), 11, 1)


def test_a_spent_budget_holds_and_asks_for_fresh_tasks() -> None:
    decision = PairedGate(looks=2).decide(*reports(GAIN), 3)
    assert decision.verdict == "hold"
    assert "fresh tasks" in decision.reason


def test_the_sequential_test_asks_for_more_than_a_single_look() -> None:
    """Six gains: 1/64 once; 2^7 B(7, 1) (1 - 2^-7) = 127/7 if one may look always."""
    decision = PairedGate(looks=1, sequential=True).decide(*reports(GAIN[:6]), 1)
    assert decision.p_value == pytest.approx(7 / 127)
    assert decision.verdict == "hold"
    assert PairedGate(looks=1).decide(*reports(GAIN[:6]), 1).promoted


def test_one_lost_protected_task_holds() -> None:
    for lost in ((1.0, 0.0), (1.0, None), (1.0, 0.9)):
        guarded = both(reports(GAIN), reports([(1.0, 1.0)] * 40 + [lost], tag="p", protected=True))
        decision = PairedGate().decide(*guarded, 1)
        assert decision.verdict == "hold"
        assert decision.reason.startswith("1 of 41 protected")


def test_a_stated_rate_of_protected_losses_needs_enough_tasks() -> None:
    gate = PairedGate(protected_rate=0.01)
    for n, verdict in ((298, "hold"), (299, "promote")):
        guarded = both(reports(GAIN), reports([(1.0, 1.0)] * n, tag="p", protected=True))
        assert gate.decide(*guarded, 1).verdict == verdict


def test_a_missing_guardrail_holds() -> None:
    decision = PairedGate(guardrails={"safety": 0.1}).decide(*reports(GAIN), 1)
    assert decision.verdict == "hold"
    assert "guardrail safety" in decision.reason


@pytest.mark.parametrize(
    ("lost", "tolerance", "verdict"),
    [(0, 0.0, "promote"), (1, 0.0, "hold"), (2, 0.02, "promote"), (3, 0.02, "hold"), (40, 0.02, "roll back")],
)
def test_guardrails_have_tiers(lost: int, tolerance: float, verdict: str) -> None:
    suite = reports([(1.0, 0.0)] * lost + [(1.0, 1.0)] * (100 - lost), tag="safety")
    assert PairedGate(guardrails={"safety": tolerance}).decide(*both(reports(GAIN), suite), 1).verdict == verdict


def test_a_guardrail_that_must_be_proven_needs_more_tasks_than_one_that_is_watched() -> None:
    for n, verdict in ((50, "hold"), (400, "promote")):
        suite = reports([(1.0, 1.0)] * n, tag="safety")
        gate = PairedGate(guardrails={"safety": 0.02}, proven_guardrails=True)
        assert gate.decide(*both(reports(GAIN), suite), 1).verdict == verdict


def test_a_guardrail_only_guards() -> None:
    """Its gains promote nobody."""
    suite = reports(GAIN, tag="safety")
    decision = PairedGate(guardrails={"safety": 0.0}).decide(*both(reports([(1.0, 1.0)] * 9), suite), 1)
    assert decision.verdict == "hold"
    assert (decision.gained, decision.tags["safety"].gained) == (0, 30)


@pytest.mark.parametrize("given", ["safety", "safety=x", "safety=-0.1", "safety=1", "safety=nan"])
def test_a_guardrail_without_a_tolerance_is_refused(given: str) -> None:
    with pytest.raises(ValidationError):
        PairedGate(guardrails=given)


def test_a_cheaper_candidate_is_promoted_where_it_is_proven_not_worse_by_the_margin() -> None:
    same: Scores = [(1.0, 1.0)] * 800 + [(0.0, 1.0), (1.0, 0.0)] * 4
    gate = PairedGate(margin=0.02)
    assert gate.decide(*reports(same, (9.0, 5.0)), 1).promoted
    assert not gate.decide(*reports(same[-200:], (9.0, 5.0)), 1).promoted
    assert not gate.decide(*reports(same, (5.0, 9.0)), 1).promoted
    assert not gate.decide(*reports(same), 1).promoted
    assert not PairedGate().decide(*reports(same, (9.0, 5.0)), 1).promoted


def test_what_a_missing_score_costs_is_known_by_hand() -> None:
    """Six gains and two missing scores are six against two: 37/256. As changes of the mean they are -1 each."""
    holed = reports(GAIN[:6] + [(1.0, None), (None, 1.0)] + [(1.0, 1.0)] * 92)
    assert PairedGate().decide(*holed, 1).p_value == pytest.approx(37 / 256)
    assert (
        PairedGate(guardrails={"g": 0.02})
        .decide(*both(reports(GAIN), reports([(1.0, None)] * 3 + [(1.0, 1.0)] * 97, tag="g")), 1)
        .verdict
        == "hold"
    )
    same: Scores = [(1.0, 1.0)] * 995
    p_values = [
        PairedGate(margin=0.02).decide(*reports([*same, *[last] * 5], (9.0, 5.0)), 1).p_value
        for last in ((1.0, 1.0), (1.0, 0.0), (1.0, None))
    ]
    assert p_values[0] < p_values[1] == p_values[2] < 0.03


def test_a_loss_proven_by_missing_scores_of_several_levels_holds() -> None:
    """Four on each of two levels: 1/16 each is no proof, 1/256 together is."""
    levels = [reports([(1.0, None)] * 4 + [(1.0, 1.0)] * 996, (9.0, 5.0), level=n, tag=str(n)) for n in (1, 2)]
    decision = PairedGate(margin=0.05).decide(*both(*levels), 1)
    assert decision.p_value < decision.alpha
    assert decision.verdict == "hold"


def test_two_ways_to_a_promotion_share_the_level() -> None:
    assert PairedGate(margin=0.02).decide(*reports(GAIN[:6]), 1).p_value == pytest.approx(2 / 64)


def test_what_is_proven_worse_is_rolled_back_however_cheap() -> None:
    little: Scores = [(1.0, 0.0)] * 12 + [(1.0, 1.0)] * 1988
    decision = PairedGate(margin=0.05).decide(*reports(little, (9.0, 1.0)), 1)
    assert decision.p_value is not None
    assert decision.p_value < 0.001
    assert decision.verdict == "roll back"


def test_a_cluster_counts_once() -> None:
    """Ten gains are 1/1024; in two clusters of five they are 1/4."""
    alone = reports([(0.0, 1.0)] * 10)
    together = [
        replace(s, results=tuple(replace(r, cluster=str(i % 2)) for i, r in enumerate(s.results))) for s in alone
    ]
    assert PairedGate().decide(*alone, 1).p_value == pytest.approx(1 / 1024)
    assert PairedGate().decide(*together, 1).p_value == pytest.approx(1 / 4)


def test_a_level_that_is_lost_by_not_being_scored_holds() -> None:
    """Ten lost tasks of one level roll back; the same ten without a score are under 5%, and must not let it through."""
    for missing, verdict in ((0.0, "roll back"), (None, "hold")):
        judged = both(reports(GAIN * 3), reports([(1.0, missing)] * 10, tag="b", level=2))
        assert PairedGate().decide(*judged, 1).verdict == verdict


def test_flips_are_told_by_level_and_tag() -> None:
    decision = PairedGate().decide(
        *both(reports([(0.0, 1.0), (1.0, 0.0)], tag="a"), reports([(1.0, 1.0), (None, 1.0)], tag="b", level=2)), 1
    )
    assert decision.levels == {1: Flips(1, 1, 0, 0), 2: Flips(0, 0, 1, 1)}
    assert decision.tags == {"a": Flips(1, 1, 0, 0), "b": Flips(0, 0, 1, 1)}


SCORE = st.sampled_from([0.0, 0.5, 1.0, None, float("nan")])
CLUSTER = st.sampled_from([None, "c", "d"])
TASKS = st.lists(
    st.tuples(SCORE, SCORE, st.integers(1, 3), st.sampled_from(["", "guard"]), CLUSTER, st.booleans()), max_size=40
)
GATES = st.builds(
    PairedGate,
    alpha=st.just(0.6),
    looks=st.just(1),
    regression_alpha=st.sampled_from([0.01, 0.2]),
    max_unscored=st.sampled_from([0.05, 1.0]),
    guardrails=st.sampled_from([{}, {"guard": 0.0}, {"guard": 0.3}]),
    margin=st.sampled_from([0.0, 0.5]),
    protected_rate=st.sampled_from([None, 0.9]),
    sequential=st.booleans(),
)


def judged(gate: PairedGate, tasks: list) -> Decision:
    sides = [
        tuple(
            Result(str(key), level, scores[side], tag, cluster, protected)
            for key, *scores, level, tag, cluster, protected in tasks
        )
        for side in (0, 1)
    ]
    return gate.decide(Report("a", "", sides[0], {}, cost=2.0), Report("b", "", sides[1], {}, cost=1.0), 1)


@given(GATES, TASKS, st.randoms())
def test_the_order_of_tasks_changes_nothing(gate: PairedGate, tasks: list, random) -> None:
    tasks = [(key, *task) for key, task in enumerate(tasks)]
    one, two = judged(gate, tasks), judged(gate, random.sample(tasks, len(tasks)))
    assert replace(one, difference=None, interval=None, p_value=None) == replace(
        two, difference=None, interval=None, p_value=None
    )
    assert one.p_value == pytest.approx(two.p_value)
    assert one.difference == pytest.approx(two.difference)
    assert one.interval == pytest.approx(two.interval)


@given(GATES, TASKS)
def test_swapping_champion_and_candidate_swaps_gained_and_lost(gate: PairedGate, tasks: list) -> None:
    one = judged(gate, [(key, *task) for key, task in enumerate(tasks)])
    two = judged(gate, [(key, b, a, *about) for key, (a, b, *about) in enumerate(tasks)])
    assert (one.gained, one.lost, one.kept, one.unscored) == (two.lost, two.gained, two.kept, two.unscored)
    assert {k: (f.gained, f.lost) for k, f in one.tags.items()} == {k: (f.lost, f.gained) for k, f in two.tags.items()}


@settings(max_examples=600)
@given(GATES, TASKS, st.data())
def test_a_missing_score_never_turns_anything_into_a_promotion(gate: PairedGate, tasks: list, data) -> None:
    tasks = [(key, *task) for key, task in enumerate(tasks)]
    gone = data.draw(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=len(tasks), max_size=len(tasks)))
    holed = [
        (key, None if no_a else a, float("nan") if no_b else b, *about)
        for (key, a, b, *about), (no_a, no_b) in zip(tasks, gone, strict=True)
    ]
    if judged(gate, holed).promoted:
        assert judged(gate, tasks).promoted


@given(TASKS)
def test_nothing_scored_is_never_promoted(tasks: list) -> None:
    blank = [(key, a, None, *about) for key, (a, _, *about) in enumerate(tasks)]
    assert not judged(PairedGate(max_unscored=1.0), blank).promoted


def test_wins_and_losses_by_hand() -> None:
    a, b, c, d = (Result(str(i), 1, float(i == 1), cluster="x" if i < 3 else None) for i in range(4))
    pairs = [
        (a, replace(a, score=1.0)),
        (b, replace(b, score=0.0)),
        (c, replace(c, score=1.0)),
        (d, replace(d, score=None)),
    ]
    assert wins_and_losses(pairs) == (1, 0)
    assert wins_and_losses(pairs, unscored_lost=True) == (1, 1)


@given(st.floats(-1, 1), st.floats(-1, 1), st.text())
def test_rounding_keeps_whole_points_order_and_symmetry(one: float, two: float, key: str) -> None:
    assert [rounded(whole, key) for whole in (-1.0, 0.0, 1.0)] == [-1, 0, 1]
    assert rounded(min(one, two), key) <= rounded(max(one, two), key)
    assert rounded(-one, key) == -rounded(one, key)


def test_rounding_keeps_the_mean() -> None:
    drawn = [rounded(0.3, str(i)) for i in range(10_000)]
    assert set(drawn) == {0, 1}
    assert sum(drawn) / len(drawn) == pytest.approx(0.3, abs=0.015)


def test_many_small_gains_do_not_outweigh_fewer_large_losses() -> None:
    """117 gains of a tenth, 78 losses of a quarter: p = .003 by flips, and 2 points lower in the mean."""
    found = PairedGate().decide(*reports([(0.5, 0.6)] * 117 + [(0.5, 0.25)] * 78 + [(0.5, 0.5)] * 205), 1)
    assert (found.gained, found.lost) == (117, 78)
    assert found.verdict != "promote"
    assert sign_test(117, 78) < 0.004


def test_a_lower_mean_holds_whatever_the_clusters_say() -> None:
    """Of 20 clusters of ten tasks 16 gain one task, and 4 lose all: more win than lose, and 12 points are gone."""
    tasks = [Result(f"{c}/{i}", 1, 1.0, cluster=str(c)) for c in range(20) for i in range(10)]
    before = tuple(
        replace(task, score=0.0) if task.key.endswith("/0") and int(task.cluster) < 16 else task for task in tasks
    )
    after = tuple(replace(task, score=float(int(task.cluster) < 16)) for task in tasks)
    found = PairedGate().decide(Report("a", "", before, {}), Report("b", "", after, {}), 1)
    assert found.p_value < found.alpha
    assert found.verdict == "hold"
    assert "the mean score falls by 0.1200" in found.reason


def test_a_gain_in_parts_of_points_is_promoted() -> None:
    assert PairedGate().decide(*reports([(0.2, 0.7)] * 60 + [(0.5, 0.4)] * 10), 1).promoted


@pytest.mark.parametrize(
    ("scores", "verdict"),
    [
        ([(0.5, 0.5 + 1e-12)], "promote"),
        ([(0.5, 0.5)], "hold"),
        ([(0.5, 0.5 - 1e-12)], "roll back"),
        ([(0.5, 0.6), (0.7, 0.7)], "promote"),
        ([(0.5, 0.6), (0.7, 0.6)], "hold"),
        ([(0.5, 0.6), (0.7, None)], "hold"),
        ([(0.5, None)], "hold"),
    ],
)
def test_tasks_that_are_all_there_is_leave_nothing_to_chance(scores: Scores, verdict: str) -> None:
    assert PairedGate(exact=True).decide(*reports(scores), look=1).verdict == verdict
    assert PairedGate().decide(*reports(scores), look=1).verdict == "hold"
