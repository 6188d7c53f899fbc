"""Monitors: hand-derived values, limits, and what an alarm may do."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from pydantic import ValidationError

from autotroph.core.decision import Decision, Report, Result
from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.evaluate.diversity import distinct_n, histogram_kernel, ngram_kernel, self_bleu, vendi
from autotroph.evaluate.figures import (
    agreement,
    ceiling,
    contamination,
    discriminating,
    given_noise,
    kl_from,
    label_noise,
    length_drift,
    of_answers,
    of_reports,
    position_bias,
    proxy_gap,
    sampled_entropy,
    saturated,
    zero_advantage,
)
from autotroph.evaluate.monitors import GOLD, KNOBS, Limit, Monitors, turned
from autotroph.loop import held


def group(name: str, *answers: tuple[str, float | None]) -> Group:
    task = Task.of("toy", name, "1")
    return Group(
        task,
        tuple(
            Trace(task.key, "p", (0,), (True,), (0.0,), text, "stop", rewards={} if score is None else {"r": score})
            for text, score in answers
        ),
    )


def report(*scores: float | None, length: float = 4.0) -> Report:
    return Report("p", "s", tuple(Result(str(i), 1, score) for i, score in enumerate(scores)), {}, length=length)


def test_distinct_n() -> None:
    """Bigrams ab, ba, ab and ab: 2 of 4 are different."""
    assert distinct_n(["abab", "ab"]) == 0.5
    assert distinct_n(["aaaa"]) == pytest.approx(1 / 3)
    assert distinct_n(["", ""]) == 0.5


def test_self_bleu() -> None:
    """abcd against abce: 3/4 of the characters and 2/3 of the bigrams, geometric mean sqrt(1/2)."""
    assert self_bleu(["abcd", "abce"], n=2) == pytest.approx(math.sqrt(0.5))
    assert self_bleu(["abcd", "abce"], n=4) == 0.0
    assert self_bleu(["abcd"] * 3) == pytest.approx(1.0)
    assert self_bleu(["abc", "xyz"]) == 0.0
    shorter, longer = math.exp(1 - 4 / 2), math.sqrt(2 / 4 * 1 / 3)
    assert self_bleu(["ab", "abab"], n=2) == pytest.approx((shorter + longer) / 2)
    assert self_bleu(["abc", ""]) == self_bleu([]) == 0.0


def test_vendi_counts_what_is_different() -> None:
    for kernel in (ngram_kernel, histogram_kernel):
        assert vendi(["abc"] * 7, kernel) == pytest.approx(1.0)
        assert vendi(["", ""], kernel) == pytest.approx(1.0)
    assert vendi(["abc", "abc", "xyz", "xyz"], ngram_kernel) == pytest.approx(2.0)
    assert vendi(["abc", "def", "ghi", "jkl"], ngram_kernel) == pytest.approx(4.0)
    assert vendi(["abcd", "dcba"], ngram_kernel) == pytest.approx(2.0)
    assert vendi(["abcd", "dcba"], histogram_kernel) == pytest.approx(1.0)


def test_lengths_count_in_the_second_kernel() -> None:
    """Lengths 2 and 4, mean 3: exp(-2/3) off the diagonal."""
    assert histogram_kernel(["aa", "aaaa"])[0, 1] == pytest.approx(math.exp(-2 / 3))


def test_vendi_of_two_texts_with_a_known_cosine() -> None:
    """Trigrams {abc} and {abc, bcd}: cosine 1/sqrt(2), eigenvalues of K/2 (1 +- 1/sqrt(2))/2."""
    values = [(1 + sign / math.sqrt(2)) / 2 for sign in (1, -1)]
    assert vendi(["abc", "abcd"], ngram_kernel) == pytest.approx(math.exp(-sum(v * math.log(v) for v in values)))


def test_zero_advantage_is_a_share_of_the_scored_groups() -> None:
    groups = [
        group("all right", ("a", 1.0), ("a", 1.0)),
        group("mixed", ("a", 1.0), ("b", 0.0)),
        group("unscored", ("a", None), ("b", None)),
        group("one", ("a", 0.0), ("b", None)),
    ]
    assert zero_advantage(groups) == pytest.approx(2 / 3)
    assert zero_advantage([groups[2]]) is None


def test_label_noise_from_agreement() -> None:
    """Of a, a, b one pair of three agrees; labellers that err with chance .2 on their own agree in .64 of the cases."""
    assert agreement([group("x", ("a", None), ("a", None), ("b", None))]) == pytest.approx(1 / 3)
    assert agreement([group("x", ("a", None))]) is None
    assert label_noise(0.64) == pytest.approx(0.2)
    rng = random.Random(0)

    def label(i: int) -> str:
        return "right" if rng.random() < 0.8 else f"wrong {rng.randrange(10**6)}"

    pairs = [group(str(i), (label(i), None), (label(i), None)) for i in range(4000)]
    measured = agreement(pairs)
    assert measured is not None
    assert label_noise(measured) == pytest.approx(0.2, abs=0.02)


def test_small_formulas() -> None:
    assert proxy_gap([1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0]) == 0.25
    assert length_drift(10, 20) == pytest.approx(math.log(2))
    assert length_drift(0, 0) == 0
    assert kl_from([math.log(0.5)], [math.log(0.25)]) == pytest.approx(math.log(2) - 0.5)
    assert kl_from([-1.0, -2.0], [-1.0, -2.0]) == 0
    assert position_bias([(0, 1), (1, 0), (0, 0), (1, 1), (0, 0)]) == pytest.approx((0.4, 2 / 3))
    assert position_bias([(0, 1)]) == (1.0, 0.5)


def test_kl_estimates_a_known_divergence() -> None:
    """Tokens from p = (.7, .3) against q = (.5, .5): KL = .7 ln 1.4 + .3 ln .6."""
    rng = random.Random(0)
    drawn = [rng.random() < 0.7 for _ in range(20000)]
    logp = [math.log(0.7 if first else 0.3) for first in drawn]
    true = 0.7 * math.log(1.4) + 0.3 * math.log(0.6)
    assert kl_from(logp, [math.log(0.5)] * len(logp)) == pytest.approx(true, abs=0.005)


def test_saturation_counts_items_that_nobody_fails() -> None:
    assert saturated([report(1.0, 1.0, 0.0, None), report(1.0, 0.5, 1.0, 1.0)]) == pytest.approx(1 / 3)
    assert saturated([report(None)]) is None


def test_an_item_discriminates_where_scores_differ_and_the_best_report_is_the_ceiling() -> None:
    reports = [report(1.0, 0.0, 0.0, None), report(1.0, 0.0, 1.0, 1.0)]
    assert discriminating(reports) == pytest.approx(1 / 3)
    assert ceiling(reports) == pytest.approx(3 / 4)
    assert discriminating([report(None)]) is None
    assert ceiling([report(None)]) is None


def test_entropy_of_what_was_sampled() -> None:
    """One token of chance 1/2 in each of two answers: ln 2; a given answer was not sampled."""
    [trace] = group("x", ("a", None)).traces
    drawn = replace(trace, logprobs=(math.log(0.5),))
    given = replace(trace, logprobs=(-9.0,), stop="given")
    assert sampled_entropy([Group(Task.of("toy", "x", "1"), (drawn, drawn, given))]) == pytest.approx(math.log(2))
    assert sampled_entropy([Group(Task.of("toy", "x", "1"), (given,))]) is None


def test_contamination_counts_what_decontamination_rejects() -> None:
    [trace] = group("x", ("a", None)).traces
    rejected = [trace.reject("sealed prompt"), trace.reject("sealed n-grams"), trace.reject("low verified"), trace]
    assert contamination([Group(Task.of("toy", "x", "1"), tuple(rejected))]) == 0.5
    assert contamination([]) == 0


def test_noise_of_given_labels_from_agreement_with_a_policy_of_known_accuracy() -> None:
    """A policy right in .8 agrees with .6 of the labels: a quarter of them is wrong."""
    assert given_noise(0.6, 0.8) == pytest.approx(0.25)
    assert given_noise(0.8, 0.8) == 0


def test_readings_of_a_collapsed_policy_raise_the_alarm_that_a_healthy_one_does_not() -> None:
    rng = random.Random(0)
    healthy = [group(str(i), ("".join(rng.choices("0123456789", k=9)), None)) for i in range(200)]
    collapsed = [group(str(i), ("111111111", None)) for i in range(200)]
    before = report(0.0, 1.0)
    quiet = of_answers(healthy) | of_reports(before, report(1.0, 1.0, length=4.2))
    assert quiet["vendi_ngram"] > 30
    assert quiet["saturation"] == 0.5
    assert quiet["length_drift"] == pytest.approx(math.log(1.05))
    assert Monitors().alarms(quiet, {}) == ()
    loud = of_answers(collapsed) | of_reports(before, report(1.0, 1.0, length=40.0))
    assert [alarm.monitor for alarm in Monitors().alarms(loud, {})] == ["vendi_ngram", "length_drift"]
    assert of_answers([]) == {}
    assert of_reports(report(None), report(None)) == {"length_drift": 0.0}


def test_limits_and_responses() -> None:
    monitors = Monitors(entropy=Limit(low=0.1, response="hold"), saturation=Limit(high=0.5, response="stop"))
    assert monitors.alarms({"entropy": 0.1, "saturation": 0.5, "unheard": 9.0}, {}) == ()
    low, high = monitors.alarms({"entropy": 0.05, "saturation": 0.6}, {})
    assert (low.monitor, low.value, low.limit, low.response) == ("entropy", 0.05, 0.1, "hold")
    assert (high.limit, high.response) == (0.5, "stop")
    [lost] = monitors.alarms({"entropy": math.nan}, {})
    assert lost.limit == 0.1


@pytest.mark.parametrize("name", GOLD)
@pytest.mark.parametrize("response", [*KNOBS, "hold", "stop"])
def test_what_rests_on_gold_labels_can_only_warn(name: str, response: str) -> None:
    with pytest.raises(ValidationError, match="its response can only be warn"):
        Monitors(**{name: {"high": 0.1, "response": response}})


def test_an_alarm_turns_the_declared_knob_and_no_other() -> None:
    monitors = Monitors(
        entropy=Limit(low=0.1, response="warmer"),
        sampled_entropy=Limit(low=0.1, response="warmer"),
        self_made_share=Limit(high=0.5, response="more real"),
    )
    knobs = {"temperature": 0.8, "real_floor": 0.05}
    alarms = monitors.alarms({"entropy": 0.0, "sampled_entropy": 0.0, "self_made_share": 0.6}, knobs)
    changes = [alarm.change.model_dump() for alarm in alarms if alarm.change]
    assert changes == [
        {"knob": "temperature", "old": 0.8, "new": 1.0},
        {"knob": "temperature", "old": 1.0, "new": 1.25},
        {"knob": "real_floor", "old": 0.05, "new": pytest.approx(0.15)},
    ]
    assert turned(knobs, alarms) == {"temperature": 1.25, "real_floor": pytest.approx(0.15)}
    assert turned({}, Monitors().alarms({"saturation": 1.0}, {})) == {}


def test_knobs_stay_within_bounds() -> None:
    assert KNOBS["warmer"][1](1.9) == 2.0
    assert KNOBS["cooler"][1](0.11) == 0.1
    assert KNOBS["more real"][1](0.85) == 0.9


def test_a_knob_that_the_recipe_lacks_is_refused_before_the_run() -> None:
    with pytest.raises(AutotrophError, match="turns real_floor, which this recipe does not have; it has temperature"):
        Monitors(entropy=Limit(response="more real")).check({"temperature": 1.0})


def test_only_a_declared_hold_keeps_a_candidate_back() -> None:
    promote = Decision("promote", "better", "a", "b")
    warn, hold = (Monitors(entropy=Limit(low=1.0, response=r)).alarms({"entropy": 0.0}, {}) for r in ("warn", "hold"))
    assert held(promote, warn) == promote
    assert held(promote, hold).verdict == "hold"
    assert held(promote, hold).reason == "held by monitor entropy; else: better"
    for verdict in ("hold", "roll back"):
        other = replace(promote, verdict=verdict)
        assert held(other, hold) == other


def test_self_bleu_rises_as_texts_become_alike() -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices("abcdefghij", k=12)) for _ in range(20)]
    scores = [self_bleu(texts[: 20 - 5 * k] + [texts[0]] * 5 * k) for k in range(5)]
    assert all(a < b for a, b in pairwise(scores))
