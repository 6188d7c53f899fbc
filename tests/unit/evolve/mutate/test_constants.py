"""Numbers of a program: an evolution strategy, and CMA-ES for one candidate."""

import ast
import contextlib
import math
import re

import pytest
from evolve.mutate.programs import PROGRAMS, around, child
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.core.errors import AutotrophError
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.constants import Constants, Template
from autotroph.evolve.mutate.polish import polish
from autotroph.evolve.protocols import Parent

PROGRAM = "A = [1.5, -2.0, 3]  # here\n\ndef solve(n=2):\n    return-0.5\n"


def candidate(text: str = PROGRAM, **more: str) -> Candidate:
    return Candidate.of({"a.py": text, **more})


def read(found: Candidate) -> list[float]:
    """The numbers with a point in a program."""
    return [float(text) for text in re.findall(r"-?[0-9]+\.[0-9]+(?:e-?[0-9]+)?", found.text("a.py"))]


def test_constants_are_found_and_put_back() -> None:
    template = Template.of(candidate())
    assert template.values == (1.5, -2.0, -0.5)
    filled = template.filled([2.5, 4.0, 7.0]).text("a.py")
    assert filled == "A = [2.5, 4.0, 3]  # here\n\ndef solve(n=2):\n    return 7.0\n"
    assert Template.of(candidate(), integers=True).values == (1.5, -2.0, 3, 2, -0.5)
    assert "3.0" not in Template.of(candidate(), integers=True).filled([2.5, 4.0, 3.4, 2.2, 7.0]).text("a.py")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3))
def test_what_is_filled_in_is_what_is_found_again(values: list[float]) -> None:
    try:
        filled = Template.of(candidate()).filled(values)
    except NoEdit:
        assert values == [1.5, -2.0, -0.5]
        return
    ast.parse(filled.text("a.py"))
    assert list(Template.of(filled).values) == values


def test_numbers_go_where_they_came_from_in_every_program() -> None:
    tried = 0
    for program in PROGRAMS:
        with contextlib.suppress(NoEdit):
            template = Template.of(candidate(program), integers=True)
            values = [x + 1000 + i for i, x in enumerate(template.values)]
            assert list(Template.of(template.filled(values), integers=True).values) == values
            tried += 1
    assert tried >= 15


def test_all_open_programs_are_searched_and_frozen_ones_are_not() -> None:
    files = {"a.py": "x = 1.0\n", "b.py": "y = 2.0\n", "c.py": "z = 3.0\n", "d.txt": "4.0\n"}
    assert Template.of(Candidate.of(files, frozen=("c.py",))).values == (1.0, 2.0)


@pytest.mark.parametrize("text", ["x = 1\n", "", "x = 1j\n", "x = '1.0'\n"])
def test_no_constants(text: str) -> None:
    with pytest.raises(NoEdit, match="no constants"):
        child(Constants(), candidate(text, **{"b.txt": "1.0"}))


def test_numbers_that_are_none_are_refused() -> None:
    for bad in (math.nan, math.inf):
        with pytest.raises(NoEdit, match="not finite"):
            Template.of(candidate()).filled([bad, 1.0, 1.0])


def test_integers_change_however_small_they_are() -> None:
    found, small = set(), candidate("x = 1\ny = 2\n")
    for seed in range(60):
        with contextlib.suppress(NoEdit):  # both are drawn as they were with a chance of 47%
            found.add(child(Constants(integers=True), small, seed=seed).candidate.text("a.py"))
    assert len(found) >= 4
    assert not any("." in text for text in found)


def test_the_step_is_inherited_and_changed() -> None:
    edit = child(Constants(), candidate(), seed=3)
    assert child(Constants(), candidate(), seed=3) == edit
    rate = around(3).rng.gauss(0.0, 1.0) / math.sqrt(2 * 3)
    assert edit.note == f"3 constants, step {0.1 * math.exp(rate):.9g}"
    later = Constants().edit([Parent(candidate(), note="3 constants, step 0.004")], around(3))
    assert later.note == f"3 constants, step {0.004 * math.exp(rate):.9g}"
    for note in ("step x", "step nan", "step -1", "step inf", "other words"):
        assert Constants().edit([Parent(candidate(), note=note)], around(3)) == edit


def test_steps_that_serve_are_selected() -> None:
    """From far off on a slope, ever larger steps; near the best, ever smaller ones: by selection alone."""

    def search(start: float, generations: int) -> float:
        parents = [(-abs(start), Parent(candidate(f"x = {start:.1f}\n")))]
        for generation in range(generations):
            children = []
            for n in range(12):
                edit = Constants(greatest=10.0).edit([parents[n % len(parents)][1]], around(1000 * generation + n))
                (x,) = read(edit.candidate)
                children.append((-abs(x - 1.0), Parent(edit.candidate, note=edit.note)))
            parents = sorted(children, key=lambda one: -one[0])[:3]
        return float(parents[0][1].note.split("step ")[1])

    assert search(1e6, 4) > 0.1
    assert search(1.0, 25) < 0.01


def test_polish_solves_what_is_quadratic_and_counts() -> None:
    seen = 0

    def judge(candidates: list[Candidate]) -> list[float | None]:
        nonlocal seen
        seen += len(candidates)
        return [
            -sum((x - y) ** 2 for x, y in zip(Template.of(one).values, (3.0, -1.0), strict=True)) for one in candidates
        ]

    start = candidate("x = 0.5\ny = -4.0\nn = 7\n")
    best = polish(start, judge, 300, seed=1, step=0.5)
    assert best.evaluations == seen <= 300
    assert best.score > -1e-3  # from -15.25
    assert best.candidate.text("a.py").endswith("n = 7\n")
    assert polish(start, judge, 300, seed=1, step=0.5) == best


def test_polish_with_one_constant_and_with_many() -> None:
    def judge(candidates: list[Candidate]) -> list[float | None]:
        return [-sum(abs(x - 2.0) for x in read(one)) for one in candidates]

    assert polish(candidate("x = 1.0\n"), judge, 150, seed=0, step=0.3).score > -0.05
    assert polish(candidate("x = [" + "1.0, " * 110 + "]\n"), judge, 150, seed=0).score > -110


def test_polish_goes_on_where_children_have_no_score() -> None:
    def judge(candidates: list[Candidate]) -> list[float | None]:
        found = [read(one)[0] for one in candidates]
        return [None if x > 1.5 else math.nan if x < 0.5 else x for x in found]

    best = polish(candidate("x = 1.0\n"), judge, 200, seed=0, step=0.5)
    assert 1.3 < best.score <= 1.5


def test_polish_keeps_to_its_budget_and_needs_a_score() -> None:
    assert polish(candidate(), lambda candidates: [1.0] * len(candidates), 1, seed=0).evaluations == 1
    for bad in (None, math.nan):
        with pytest.raises(AutotrophError, match="no score"):
            polish(candidate(), lambda candidates, bad=bad: [bad] * len(candidates), 100, seed=0)
