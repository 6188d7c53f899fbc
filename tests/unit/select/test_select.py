"""Selection: hand-derived verdicts, and the promises that hold for every selector."""

from __future__ import annotations

import math
import random
import string
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.core.errors import AutotrophError
from autotroph.core.fingerprint import fingerprint
from autotroph.core.protocols import Selector, View
from autotroph.core.task import Task
from autotroph.core.trace import Group, Stop, Trace
from autotroph.select.chain import Chain, summary
from autotroph.select.decontaminate import Decontaminate
from autotroph.select.dedup import ExactDedup, NearDedup, jaccard, shingle
from autotroph.select.length import LengthFilter
from autotroph.select.score import ConfidenceFilter, EntropyFilter, ScoreFilter
from autotroph.select.vote import MajorityVote

VIEW = cast(View, SimpleNamespace(waiting=0))  # all that a selector looks at
FAILED = ("", "error")
STORY = "the quick brown fox jumps over the lazy dog while the cat sleeps on the warm stove all day"


def trace(prompt: str, text: str, stop: Stop = "stop", logprob: float = -1.0, **rewards: float | None) -> Trace:
    error = "timeout" if stop == "error" else None
    key = Task.of("toy", prompt, None).key
    return Trace(key, "p", (0, 5), (False, True), (0.0, logprob), text, stop, rewards=rewards, error=error)


def group(prompt: str, *answers: str | tuple[str, Stop], level: int = 1) -> Group:
    pairs = (answer if isinstance(answer, tuple) else (answer, "stop") for answer in answers)
    return Group(Task.of("toy", prompt, None, level), tuple(trace(prompt, text, stop) for text, stop in pairs))


def verdicts(groups: Sequence[Group]) -> list[list[str | None]]:
    return [[trace.rejected for trace in group.traces] for group in groups]


def prompts(groups: Sequence[Group]) -> list[str]:
    return [group.task.prompt for group in groups]


def select(selector: Selector, *groups: Group) -> list[list[str | None]]:
    return verdicts(selector.select(groups, VIEW))


# Deduplication


def test_exact_dedup_keeps_the_first_of_each_task_and_answer() -> None:
    assert select(ExactDedup(), group("a", "1", "1", "2"), group("b", "1"), group("a", "2", "3")) == [
        [None, "duplicate", None],
        [None],
        ["duplicate", None],
    ]


def test_exact_dedup_is_not_shadowed_by_a_rejected_copy() -> None:
    assert select(ExactDedup(), group("a", "1").reject("short"), group("a", "1")) == [["short"], [None]]


def test_exact_dedup_counts_the_bare_tasks_it_drops_in_the_last_call() -> None:
    dedup = ExactDedup()
    bare = [group("a"), group("b"), group("a"), group("a", "1")]
    assert prompts(dedup.select(bare, VIEW)) == ["a", "b", "a"]
    assert dedup.dropped == {"duplicate": 1}
    dedup.select([], VIEW)
    assert dedup.dropped == {}


def test_shingles_and_their_similarity() -> None:
    assert shingle("abcd", 3) == {"abc", "bcd"}
    assert shingle("ab", 3) == {"ab"}
    assert shingle("", 3) == {""}
    assert jaccard(shingle("abcd", 3), shingle("bcde", 3)) == pytest.approx(1 / 3)


def test_near_dedup_catches_a_variant_and_leaves_the_rest() -> None:
    dedup = NearDedup(threshold=0.8)
    groups = [group(STORY, "x"), group("something else entirely", "x"), group(STORY + "!", "x"), group(STORY + "?")]
    remaining = dedup.select(groups, VIEW)
    assert verdicts(remaining) == [[None], [None], ["near duplicate"]]
    assert dedup.dropped == {"near duplicate": 1}


def test_near_dedup_is_not_shadowed_by_a_rejected_group() -> None:
    assert select(NearDedup(), group(STORY, "x").reject("short"), group(STORY + "!", "x")) == [["short"], [None]]


def test_near_dedup_compares_with_those_that_stay() -> None:
    """b resembles a and c resembles b, but c does not resemble a: with b out, c stays."""
    a, b, c = "0123456789abcdefghij", "3456789abcdefghijklm", "6789abcdefghijklmnop"
    similarity = jaccard(shingle(a, 2), shingle(b, 2))
    assert similarity == pytest.approx(16 / 22)
    assert jaccard(shingle(a, 2), shingle(c, 2)) == pytest.approx(13 / 25)
    dedup = NearDedup(threshold=0.6, num_perm=256, n=2)
    assert select(dedup, group(a, "x"), group(b, "x"), group(c, "x")) == [[None], ["near duplicate"], [None]]


@given(st.lists(st.text("ab", max_size=12), max_size=12))
@settings(deadline=None, max_examples=40)
def test_near_dedup_rejects_nothing_without_a_neighbour_and_repeats_itself(texts: list[str]) -> None:
    groups = [group(text, "x") for text in texts]
    first, second = (NearDedup(0.7, 64, 3).select(groups, VIEW) for _ in range(2))
    assert first == second
    stays = [shingle(group.task.prompt, 3) for group in first if group.kept]
    for rejected in (group for group in first if not group.kept):
        assert any(jaccard(shingle(rejected.task.prompt, 3), other) >= 0.7 for other in stays)


# Decontamination

SEALED = [STORY, "short one"]


@pytest.mark.parametrize("unit", ["char", "word"])
def test_planted_leaks_are_caught_and_clean_tasks_are_not(unit: Any) -> None:
    selector = Decontaminate(fingerprint(SEALED, 5, unit), threshold=0.5)
    leaks = [group(STORY, "x"), group("short one", "x"), group(STORY.replace("cat", "pig"), "x")]
    clean = [group("a quite different question about prime numbers", "x"), group("", "x")]
    assert verdicts(selector.select([*leaks, *clean], VIEW)) == [
        ["sealed prompt"],
        ["sealed prompt"],
        ["sealed n-grams"],
        [None],
        [None],
    ]


def test_words_are_compared_without_case_and_spacing_and_characters_as_they_are() -> None:
    shouted = group(STORY.upper().replace(" ", "\n  "), "x")
    assert select(Decontaminate(fingerprint(SEALED, 5, "word")), shouted) == [["sealed prompt"]]
    assert select(Decontaminate(fingerprint(SEALED, 5, "char")), shouted) == [[None]]


def test_share_must_exceed_the_threshold() -> None:
    """Of the 3-grams of abcdef, {abc bcd cde def}, abcd shares two."""
    sealed = fingerprint(["abcd"], 3)
    assert sealed.overlap("abcdef") == 0.5
    assert select(Decontaminate(sealed, 0.5), group("abcdef", "x")) == [[None]]
    assert select(Decontaminate(sealed, 0.49), group("abcdef", "x")) == [["sealed n-grams"]]


def test_threshold_0_finds_a_sealed_prompt_in_a_longer_one_and_1_only_whole_ones() -> None:
    sealed = fingerprint([STORY], 13, "word")
    buried = group("lorem ipsum " * 50 + STORY + " dolor sit amet" * 50, "x")
    assert select(Decontaminate(sealed), buried) == [[None]]
    assert select(Decontaminate(sealed, 0.0), buried) == [["sealed n-grams"]]
    every_gram_but_not_the_whole = group("abcab", "x")
    assert select(Decontaminate(fingerprint(["abcabc"], 3), 1.0), every_gram_but_not_the_whole) == [[None]]
    assert select(Decontaminate(fingerprint(["abcabc"], 3), 1.0), group("abcabc", "x")) == [["sealed prompt"]]


def test_bare_leaks_are_dropped_and_counted() -> None:
    selector = Decontaminate(fingerprint(SEALED, 5))
    assert prompts(selector.select([group(STORY), group("clean"), group("short one")], VIEW)) == ["clean"]
    assert selector.dropped == {"sealed prompt": 2}


def test_fingerprints_hold_no_text_and_are_stable() -> None:
    sealed = fingerprint(["abc"], 3)
    assert sealed.prompts == sealed.grams == {0xD8BB14D833D59559}  # printf abc | b2sum -l 64
    assert all(0 <= value < 2**64 for value in fingerprint(SEALED, 5).grams)
    assert fingerprint([], 5).grams == frozenset()
    assert fingerprint(reversed(SEALED), 5) == fingerprint(SEALED, 5)
    with pytest.raises(AutotrophError, match="n-grams of 0 units"):
        fingerprint(SEALED, 0)


@given(st.lists(st.text(max_size=20), max_size=5), st.integers(1, 6), st.sampled_from(["char", "word"]))
@settings(deadline=None)
def test_no_sealed_prompt_ever_passes(texts: list[str], n: int, unit: Any) -> None:
    selector = Decontaminate(fingerprint(texts, n, unit), threshold=1.0)
    assert all(reasons == ["sealed prompt"] for reasons in select(selector, *(group(text, "x") for text in texts)))


# Length


def test_relative_length_is_that_of_the_family_and_level() -> None:
    groups = [group("a", "123", "12", "1"), group("b", "12345", level=2), group("c", "123", level=2), group("d")]
    assert select(LengthFilter(slack=1), *groups) == [[None, None, "short"], [None], ["short"], []]
    assert select(LengthFilter(slack=0), *groups)[0] == [None, "short", "short"]


def test_truncated_failed_and_rejected_answers_set_no_length() -> None:
    groups = [group("a", ("9" * 50, "length"), "12", FAILED), group("b", "12345").reject("minority")]
    assert select(LengthFilter(slack=0), *groups) == [["truncated", None, "short"], ["minority"]]
    assert select(LengthFilter("stop_only"), *groups) == [["truncated", None, None], ["minority"]]


# Votes


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("aaaab", [None, "agreed", "agreed", "agreed", "minority"]),
        ("baaaa", ["minority", None, "agreed", "agreed", "agreed"]),
        ("aaabb", ["no majority"] * 5),
        ("a", [None]),
        ("", []),
    ],
)
def test_seven_tenths_of_five_are_four(answers: str, expected: list[str | None]) -> None:
    assert select(MajorityVote(0.7), group("q", *answers)) == [expected]


def test_an_exact_share_is_enough_and_a_shared_first_place_is_not() -> None:
    assert select(MajorityVote(0.7), group("q", *"aaaaaaabbb"))[0].count(None) == 1
    assert select(MajorityVote(0.5), group("q", *"aabb")) == [["no majority"] * 4]


def test_failed_and_rejected_answers_count_as_asked_but_do_not_vote() -> None:
    assert select(MajorityVote(0.6), group("q", "a", "a", FAILED, FAILED)) == [["no majority"] * 4]
    assert select(MajorityVote(0.5), group("q", FAILED, "", "")) == [["agreed", None, "agreed"]]
    same = trace("q", "a")
    assert select(MajorityVote(), Group(Task.of("toy", "q", None), (same, same))) == [[None, "agreed"]]
    voted = group("q", "a", "a", "b")
    partly = Group(voted.task, (voted.traces[0].reject("short"), *voted.traces[1:]))
    assert select(MajorityVote(0.3), partly) == [["short", "no majority", "no majority"]]


def test_a_level_where_too_few_agree_is_beyond_reach() -> None:
    near = [group(f"near {i}", "a", "a", level=1) for i in range(3)] + [group("near 3", "a", "b", level=1)]
    far = [group("far 0", "a", "a", level=2)] + [group(f"far {i}", "a", "b", level=2) for i in range(1, 4)]
    alone = [group(f"alone {i}", "a", level=2) for i in range(9)]
    verdict = select(MajorityVote(1.0, coverage=0.5), *near, *far, *alone)
    assert verdict[:4] == [[None, "agreed"]] * 3 + [["no majority"] * 2]
    assert verdict[4] == ["beyond reach", "agreed"]
    assert verdict[5:8] == [["no majority"] * 2] * 3
    assert verdict[8:] == [[None]] * 9


def test_the_demand_for_agreement_halves_with_every_round_of_waiting() -> None:
    level = [group("0", "a", "a")] + [group(str(i), "a", "b") for i in range(1, 8)]  # an eighth agrees
    vote = MajorityVote(1.0, coverage=0.5)
    first = [vote.select(level, cast(View, SimpleNamespace(waiting=rounds)))[0].traces[0] for rounds in range(4)]
    assert [trace.rejected for trace in first] == ["beyond reach", "beyond reach", None, None]


@given(st.text("abc", max_size=7), st.randoms())
@settings(deadline=None)
def test_the_elected_text_does_not_depend_on_order(answers: str, random: random.Random) -> None:
    def elected(order: Sequence[str]) -> list[str]:
        return [trace.text for trace in MajorityVote(0.5).select([group("q", *order)], VIEW)[0].kept]

    assert elected(answers) == elected(random.sample(answers, len(answers)))
    assert len(elected(answers)) <= 1


# Scores


def test_score_filter_never_reads_unscored_as_zero() -> None:
    rewards: list[dict[str, float | None]] = [{"r": 0.0}, {"r": -0.1}, {"r": None}, {"r": math.nan}, {}, {"s": 1.0}]
    scored = Group(Task.of("toy", "q", None), tuple(trace("q", "x", **reward) for reward in rewards))
    assert select(ScoreFilter("r", 0.0), scored) == [[None, "low r", *["unscored"] * 4]]
    assert select(ScoreFilter("r", 0.0), group("q", ("gold", "given"))) == [[None]]


def test_entropy_filter_keeps_the_sure_and_the_given() -> None:
    answers = [replace(trace("q", "x"), entropy=entropy) for entropy in (0.1, 0.2, 0.0, None, math.nan)]
    asked = Group(Task.of("toy", "q", None), (*answers, trace("q", "gold", "given")))
    assert select(EntropyFilter(0.1), asked) == [[None, "uncertain", None, "unscored", "unscored", None]]


def confident(*logprobs: float, level: int = 1) -> Group:
    return Group(Task.of("toy", "q", None, level), tuple(trace("q", "x", logprob=value) for value in logprobs))


def test_confidence_filter_cuts_each_level_and_keeps_ties() -> None:
    low = "low confidence"
    groups = [confident(-1, -2), confident(-3, -2, -4), confident(-50, -60, level=2)]
    assert select(ConfidenceFilter(0.4), *groups) == [[None, None], [low, None, low], [None, low]]
    assert select(ConfidenceFilter(1.0), *groups) == [[None] * 2, [None] * 3, [None] * 2]
    assert select(ConfidenceFilter(0.0), confident(-1)) == [[low]]


def test_confidence_filter_rounds_up_the_share_and_not_its_floating_error() -> None:
    for share, n, expected in [(0.07, 100, 7), (0.07, 10, 1), (0.7, 10, 7), (0.5, 3, 2)]:
        assert select(ConfidenceFilter(share), confident(*map(float, range(-n, 0))))[0].count(None) == expected


def test_confidence_filter_leaves_given_answers_and_rejects_failed_ones() -> None:
    traces = (trace("q", "gold", "given", 0.0), trace("q", "", "error"), trace("q", "x", logprob=math.nan))
    mixed = Group(Task.of("toy", "q", None), traces)
    assert select(ConfidenceFilter(0.5), mixed) == [[None, "unscored", "unscored"]]


# Chains


def test_chain_runs_in_order_and_counts() -> None:
    chain = Chain([ExactDedup(), LengthFilter(slack=0), MajorityVote(0.5), Decontaminate(fingerprint(["leak"], 3))])
    groups = [group("q", "12", "1", "12"), group("leak"), group("leak"), group("leak", "12")]
    selected = chain.select(groups, VIEW)
    assert verdicts(selected) == [["no majority", "short", "duplicate"], ["sealed prompt"]]
    assert summary(selected) == {"duplicate": 1, "no majority": 1, "sealed prompt": 1, "short": 1}
    assert chain.dropped == {"duplicate": 1, "sealed prompt": 1}
    assert list(summary([group("q", "a", "b").reject("z"), group("q", "a").reject("y")])) == ["z", "y"]
    assert Chain([]).select(groups, VIEW) == groups
    assert summary([]) == {}


# What holds for every selector

SELECTORS: dict[str, Callable[[], Selector]] = {
    "exact": ExactDedup,
    "near": lambda: NearDedup(0.6, 32, 2),
    "decontaminate": lambda: Decontaminate(fingerprint(["abab", "ba"], 2), 0.5),
    "length": LengthFilter,
    "stop": lambda: LengthFilter("stop_only"),
    "vote": lambda: MajorityVote(0.6),
    "score": lambda: ScoreFilter("r", 0.5),
    "confidence": lambda: ConfidenceFilter(0.5),
    "chain": lambda: Chain([ExactDedup(), LengthFilter(), ScoreFilter("r", 0.1), MajorityVote(0.4)]),
}
ANSWER = st.tuples(
    st.text("ab", max_size=3),
    st.sampled_from(["stop", "length", "given", "error"]),
    st.sampled_from([-2.0, -1.0, -0.5]),
    st.sampled_from([None, math.nan, 0.0, 1.0]),
    st.sampled_from([None, None, "before"]),
)
GROUPS = st.lists(st.tuples(st.text("ab", max_size=5), st.integers(1, 2), st.lists(ANSWER, max_size=4)), max_size=6)


def build(drawn: Any) -> list[Group]:
    def one(prompt: str, text: str, stop: Stop, logprob: float, reward: float | None, rejected: str | None) -> Trace:
        made = trace(prompt, text, stop, logprob, r=reward)
        return made.reject(rejected) if rejected else made

    return [
        Group(Task.of("toy", prompt, None, level), tuple(one(prompt, *answer) for answer in answers))
        for prompt, level, answers in drawn
    ]


@pytest.mark.parametrize("name", SELECTORS)
@given(drawn=GROUPS)
@settings(deadline=None, max_examples=40)
def test_every_selector_marks_and_never_drops_or_revives(name: str, drawn: Any) -> None:
    groups = build(drawn)
    selector = SELECTORS[name]()
    selected = selector.select(groups, VIEW)
    dropped = getattr(selector, "dropped", {})
    assert len(selected) + sum(dropped.values()) == len(groups)
    with_traces = [
        (old, new) for old, new in zip(filter(has_traces, groups), filter(has_traces, selected), strict=True)
    ]
    for old, new in with_traces:
        assert old.task == new.task
        for before, after in zip(old.traces, new.traces, strict=True):
            assert (after.ids, after.text, after.stop) == (before.ids, before.text, before.stop)
            assert before.rejected is None or after.rejected == before.rejected
    assert verdicts(groups) == verdicts(build(drawn)), "the input stays as it was"


def has_traces(group: Group) -> bool:
    return bool(group.traces)


@pytest.mark.parametrize("name", [name for name in SELECTORS if name != "chain"])
@given(drawn=GROUPS)
@settings(deadline=None, max_examples=40)
def test_selecting_twice_is_selecting_once(name: str, drawn: Any) -> None:
    once = SELECTORS[name]().select(build(drawn), VIEW)
    again = SELECTORS[name]()
    assert verdicts(again.select(once, VIEW)) == verdicts(once)
    assert not getattr(again, "dropped", {})


@pytest.mark.parametrize("name", ["decontaminate", "length", "stop", "vote", "score", "confidence"])
@given(drawn=GROUPS)
@settings(deadline=None, max_examples=40)
def test_these_do_not_depend_on_the_order_of_groups(name: str, drawn: Any) -> None:
    forth = SELECTORS[name]().select(build(drawn), VIEW)
    back = SELECTORS[name]().select(build(reversed(drawn)), VIEW)
    assert verdicts(forth) == verdicts(back)[::-1]


@pytest.mark.parametrize("name", SELECTORS)
def test_every_selector_takes_nothing(name: str) -> None:
    assert SELECTORS[name]().select([], VIEW) == []
    assert SELECTORS[name]().select([group("q")], VIEW) == [group("q")]


@pytest.fixture(scope="module")
def many() -> list[Group]:
    rng = random.Random(0)
    texts = ("".join(rng.choices(string.ascii_lowercase, k=24)) for _ in range(20_000))
    return [Group(Task.of("toy", text, None), (trace(text, text[:3], r=1.0),)) for text in texts]


@pytest.mark.parametrize("name", [name for name in SELECTORS if name not in ("near", "chain")])
def test_twenty_thousand_groups_take_under_a_second(name: str, many: list[Group]) -> None:
    selector = SELECTORS[name]()
    start = time.process_time()
    selector.select(many, VIEW)
    assert time.process_time() - start < 1.0
