"""Judges, selection by one, and the hole that a position bias makes."""

from __future__ import annotations

from typing import Any, cast

from autotroph.core.protocols import View
from autotroph.core.task import Task
from autotroph.core.trace import Group, Trace
from autotroph.drills.faults import Biased
from autotroph.evaluate.probes import Positions
from autotroph.rewards.judge import Likelier
from autotroph.select.judge import Judged

NOBODY = cast(Any, None)


def answer(text: str, logprob: float, **fields: Any) -> Trace:
    return Trace("k", "p", (0,), (True,), (logprob,), text, "stop", **fields)


def group(prompt: str, *traces: Trace) -> Group:
    return Group(Task.of("toy", prompt, None), traces)


def test_the_likelier_answer_wins_wherever_it_stands() -> None:
    task, a, b = Task.of("toy", "x", None), answer("a", -0.1), answer("b", -0.7)
    judge = Likelier()
    assert (judge(task, a, b), judge(task, b, a)) == (0, 1)
    same = answer("b", -0.1)
    assert (judge(task, a, same), judge(task, same, a)) == (1, 0)


def test_selection_keeps_the_one_that_nothing_beats() -> None:
    tries = answer("a", -0.5), answer("b", -0.1, rejected="too long"), answer("c", -0.2), answer("d", -0.9)
    alone = group("y", answer("z", -9.0))
    [judged, left] = Judged(Likelier()).select([group("x", *tries), alone], cast(View, NOBODY))
    assert [trace.text for trace in judged.kept] == ["c"]
    assert [trace.rejected for trace in judged.traces] == ["not preferred", "too long", None, "not preferred"]
    assert left == alone


def test_a_judge_is_asked_in_both_orders() -> None:
    pairs = [group(str(i), answer("a", -0.1), answer("a", -0.1), answer("b", -0.7)) for i in range(200)]
    fair = Positions(Likelier(), 64)(NOBODY, NOBODY, pairs)
    assert fair == {"judge_consistency": 1.0, "judge_preference": 0.5}
    blind = Positions(Biased(Likelier(), 1.0), 64)(NOBODY, NOBODY, pairs)
    assert blind == {"judge_consistency": 0.0, "judge_preference": 1.0}
    often = Positions(Biased(Likelier(), 0.8), 200)(NOBODY, NOBODY, pairs)
    assert abs(often["judge_consistency"] - 0.2) < 0.1, "inconsistent where the better one stands second and loses"
    assert Positions(Likelier(), 64)(NOBODY, NOBODY, [group("x", answer("a", -1.0))]) == {}
