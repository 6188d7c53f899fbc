"""What follows from other figures of a cycle is computed anew, and a forged one is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from autotroph.core.decision import Decision, Flips, Refinement, Report, Result
from autotroph.evaluate.recompute import alarms_due, alike, refinement_faults
from autotroph.evaluate.refinement import compare, outcome
from autotroph.store.record import Alarm, Change, CycleRecord


def report(*scores: float | None) -> Report:
    return Report("p", "s", tuple(Result(f"task {i}", 1, score) for i, score in enumerate(scores)), {}, cost=4.0)


def promoted(*, partial: bool = False) -> Decision:
    """Nine tasks gained of twelve, raw and against a vote that gains one of them."""
    part = 0.5 if partial else 1.0
    raw, after = report(*[0.0] * 9, 1.0, None, 0.0), report(*[1.0] * 8, part, 1.0, 1.0, None)
    vote = report(1.0, *[0.0] * 8, 1.0, None, 0.0)
    found = (
        compare(raw, after, "greedy", "greedy", equal_cost=False),
        compare(vote, after, "vote@5", "greedy", equal_cost=True),
    )
    return Decision(
        "promote",
        "gained",
        "a",
        "b",
        levels={1: Flips(9, 0, 1, 2), 2: Flips(1, 1, 0, 0)},
        refinement=Refinement(outcome(found), (1,), found),
    )


def forged(decision: Decision, number: int, **changes: Any) -> Decision:
    assert decision.refinement is not None
    comparisons = list(decision.refinement.comparisons)
    comparisons[number] = replace(comparisons[number], **changes)
    return replace(decision, refinement=replace(decision.refinement, comparisons=tuple(comparisons)))


@pytest.mark.parametrize("partial", [False, True])
def test_an_honest_refinement_follows_from_its_scores(partial: bool) -> None:
    assert list(refinement_faults(promoted(partial=partial))) == []
    assert list(refinement_faults(replace(promoted(), refinement=None))) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"difference": 0.5}, "difference of comparison 1 is 0.5"),
        ({"interval": (0.5, 0.9)}, "interval of comparison 1"),
        ({"p_value": 0.5}, "p_value of comparison 1 is 0.5"),
        ({"scores": ((0.0, 1.0),) * 12}, "difference of comparison 1"),
    ],
)
def test_a_forged_comparison_is_told(changes: dict[str, Any], words: str) -> None:
    assert any(what.startswith(words) for what in refinement_faults(forged(promoted(), 1, **changes)))


def test_a_forged_outcome_or_level_or_one_without_promotion_is_told() -> None:
    honest = promoted()
    assert honest.refinement is not None
    for decision, words in (
        (replace(honest, refinement=replace(honest.refinement, outcome="matched")), "its outcome is 'matched'"),
        (replace(honest, refinement=replace(honest.refinement, levels=(1, 2))), "it is of levels (1, 2)"),
        (replace(honest, verdict="hold"), "there is one of a candidate that was not promoted"),
    ):
        [what] = refinement_faults(decision)
        assert what.startswith(words)


def test_partial_credit_is_rounded_by_keys_that_are_not_there() -> None:
    """So that this one figure of such a comparison is not checked; docs/ledger.md says so."""
    assert list(refinement_faults(forged(promoted(partial=True), 1, p_value=0.01))) == []


CONFIG = {
    "guard": {"real_floor": 0.05},
    "temperature": 0.7,
    "monitors": {
        "entropy": {"low": 0.1, "response": "warmer"},
        "self_made_share": {"high": 0.9, "response": "more real"},
    },
}


def record(**metrics: float) -> CycleRecord:
    return CycleRecord(
        cycle=0,
        level=1,
        mastered=1,
        champion="a",
        candidate="b",
        decision=Decision("hold", "", "a", "b"),
        champion_accuracy={},
        candidate_accuracy={},
        metrics=metrics,
        rejected={},
        samples=(),
    )


def test_alarms_follow_from_figures_limits_and_knobs() -> None:
    assert alarms_due(record(entropy=0.2, self_made_share=0.5), CONFIG, {}) == ()
    due = alarms_due(record(entropy=0.05, self_made_share=0.95), CONFIG, {"temperature": 1.0})
    assert due == (
        Alarm(
            monitor="entropy",
            value=0.05,
            limit=0.1,
            response="warmer",
            change=Change(knob="temperature", old=1.0, new=1.25),
        ),
        Alarm(
            monitor="self_made_share",
            value=0.95,
            limit=0.9,
            response="more real",
            change=Change(knob="real_floor", old=0.05, new=0.05 + 0.1),
        ),
    )


def test_figures_are_alike_to_nine_digits() -> None:
    assert alike({"a": [1.0, (2,)]}, {"a": (1.0 + 1e-12, [2])})
    assert not alike({"a": 1.0}, {"a": 1.0 + 1e-8})
    assert not alike({"a": 1.0}, {"a": 1.0, "b": None})
    assert not alike([1.0], [1.0, 1.0])
