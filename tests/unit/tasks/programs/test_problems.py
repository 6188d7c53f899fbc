"""Values of problems, by hand; what is refused, and why."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from typing import Any

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.evaluate.audit import HUGE, INJECTIONS, SPECIAL, audit
from autotroph.sandbox import Directory, Limits
from autotroph.tasks.code.executed import jail
from autotroph.tasks.games.kuhn import Kuhn
from autotroph.tasks.games.nim import Nim
from autotroph.tasks.programs.agents import AgentGame, AgentListFn, positions
from autotroph.tasks.programs.autocorrelation import Autocorrelation
from autotroph.tasks.programs.bin_packing import BinPacking, best_fit, bins, lower_bound
from autotroph.tasks.programs.cap_set import CapSet, bound, cap_size
from autotroph.tasks.programs.circle_packing import CirclePacking, packed
from autotroph.tasks.programs.erdos import ErdosMinimumOverlap, overlap
from autotroph.tasks.programs.family import ProgramFamily, Refused
from autotroph.tasks.programs.function_minimisation import FunctionMinimisation, function
from autotroph.tasks.programs.modules import Modules, worth
from autotroph.tasks.programs.points import smallest_triangle, squared_spread
from autotroph.tasks.programs.repair import Function, Repair
from autotroph.tasks.programs.sorting_networks import comparators, fewest, sorts
from autotroph.tasks.programs.symbolic_regression import SymbolicRegression, evaluated, points
from autotroph.tasks.registry import FAMILIES, task_family

PROBLEMS = [name for name, make in FAMILIES.items() if "<" not in name and isinstance(make(), ProgramFamily)]
ULP = 2.0**-52
FOUR = [[0.25, 0.25, 0.25], [0.75, 0.25, 0.25], [0.25, 0.75, 0.25], [0.75, 0.75, 0.25]]


def first(family: ProgramFamily, level: int | None = None) -> Task:
    return family.generate(family.levels[0] if level is None else level, 1, 0)[0]


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_problem_proves_itself(name: str) -> None:
    """On one level; `validate` takes all."""
    family = task_family(name)
    assert isinstance(family, ProgramFamily)
    family.levels = family.levels[1:2] or family.levels[:1]
    family.validate(samples=2)


@pytest.mark.parametrize("name", PROBLEMS)
def test_no_text_is_worth_anything(name: str) -> None:
    family = task_family(name)
    assert isinstance(family, ProgramFamily)
    task = first(family)
    for text in (HUGE, f"[{HUGE}]", *INJECTIONS, *SPECIAL, "[" * 5000, "[NaN, 1e999]", " ", '{"a": 1}'):
        assert family.verify(task, text) == 0
    assert family.judged(task, "1" * (1 << 20) + "1")[1].startswith("the output is longer")


@pytest.mark.parametrize("name", PROBLEMS)
def test_records_are_within_the_bounds(name: str) -> None:
    family = task_family(name)
    assert isinstance(family, ProgramFamily)
    for level, record in family.records.items():
        assert 0 < family.score(first(family, level), record.value) <= 1


def test_a_family_that_is_wrong_about_itself_is_found_out() -> None:
    class Wrong(CirclePacking):
        levels = range(1, 2)

    class Unknown(Wrong):
        def known(self, task: Task) -> list[tuple[Any, float]]:
            return [(output, value + 1e-9) for output, value in super().known(task)]

    class Refusing(Wrong):
        starter = {"main.py": "def solve(n, shape): return [[0, 0, 1]] * n"}  # noqa: RUF012

    class Generous(Wrong):
        def verify(self, task: Task, answer: str) -> float:
            return 0.1

    for family, reason in ((Unknown(), "the value of"), (Refusing(), "its own program"), (Generous(), "scores 0.1")):
        with pytest.raises(AutotrophError, match=reason):
            family.validate(1)


def test_why_a_program_has_no_answer() -> None:
    family = Modules()
    programs = {
        "raise KeyError('x')": "error: KeyError: 'x'",
        "def solve(modules): raise KeyError('x')": "KeyError: 'x'",
        "def solve(modules): return object()": "Unplain: a object is no plain data",
        "def solve(modules): return {1j: 2}": "what it returned is not plain data",
        "": "KeyError: 'solve'",
        "def solve(modules):\n    while True: pass": "timeout: timeout",
    }
    family.limits = Limits(wall=0.5)
    for program, reason in programs.items():
        answer, why = family.ask(jail(), Directory({"main.py": program.encode()}), first(family))
        assert answer == ""
        assert why.startswith(reason)


@pytest.mark.parametrize("name", ["agent_listfn", "modules"])
def test_where_a_best_answer_is_known_the_verifier_makes_no_error(name: str) -> None:
    family = task_family(name)
    assert isinstance(family, ProgramFamily)
    found = audit(family, 2, n=3)
    assert found.false_positives.n > 40
    assert found.false_positives.hits == found.false_negatives.hits == found.unscored == 0


def test_an_exact_problem_is_one_instance_of_every_split() -> None:
    family = CirclePacking()
    sealed, [train] = family.generate(1, 9, 5, "sealed"), family.generate(1, 1, 0)
    assert sealed
    assert family.arguments(sealed[0]) == family.arguments(train) == (26, "square")


def test_drawn_problems_are_new_for_every_seed() -> None:
    for family in (BinPacking(), FunctionMinimisation(), SymbolicRegression(), AgentListFn(), Repair()):
        train, other = family.generate(1, 3, 0), family.generate(1, 3, 1)
        sealed = family.generate(1, 3, 0, "sealed")
        assert len({task.key for task in [*train, *other, *sealed]}) == 9
        assert family.generate(1, 0, 0) == []


def test_four_circles_that_touch() -> None:
    """Each has radius 1/4 and touches two others and two sides."""
    assert packed(FOUR, 4, "square") == 1.0
    assert packed([[x + 7, y, r] for x, y, r in FOUR], 4, "rectangle") == 1.0


@pytest.mark.parametrize(
    ("circle", "shape", "reason"),
    [
        ([0.25, 0.25, 0.25 * (1 + ULP)], "square", "sticks out"),
        ([0.25, 0.25, 0.25 * (1 + ULP)], "rectangle", "perimeter"),
        ([0.25, 0.25 + ULP, 0.25], "square", "circles 0 and 2 overlap"),
        ([0.25, 0.25 - ULP, 0.25], "square", "sticks out"),
        ([0.5, 0.5, 1e-12], "square", ""),
        ([0.25, 0.25, 0.0], "square", "not above 0"),
        ([0.25, 0.25, -0.25], "square", "not above 0"),
        ([0.25, 0.25, True], "square", "True is no finite number"),
        ([0.25, 0.25, math.inf], "square", "inf is no finite number"),
        ([0.25, 0.25], "square", "3 values"),
        ("abc", "square", "this is str"),
    ],
)
def test_circles_are_checked_exactly(circle: Any, shape: str, reason: str) -> None:
    if not reason:
        assert packed([circle, *FOUR[1:]], 4, shape) == 0.75 + 1e-12
        return
    with pytest.raises(Refused, match=reason):
        packed([circle, *FOUR[1:]], 4, shape)


def test_an_overlap_that_floats_do_not_see() -> None:
    """Squared and rounded, the distance equals the sum of the radii: 1 + 2^-54 against 1."""
    one, other = [0.25, 0.5, 0.25], [0.75, 0.5, 0.25 + 2.0**-54]
    assert math.hypot(0.5, 0.0) >= 0.25 + other[2]
    with pytest.raises(Refused, match="overlap"):
        packed([one, other], 2, "rectangle")


def test_overlap_of_step_functions() -> None:
    """A constant 1/2 leaves 1/2 free: 1/2 * 1/2 over a length of 2. The indicator of half of [0, 2] misses itself by 1,
    and by a shift of 1/2 it lies on half of that."""
    assert overlap([0.5] * 50) == overlap([0.1] * 3) == 0.5
    assert overlap([0.0, 1.0, 1.0, 0.0]) == 0.5
    assert overlap([1.0, 0.0]) == 1.0
    assert ErdosMinimumOverlap().score(first(ErdosMinimumOverlap()), 0.5) == 0.379005 / 0.5
    for bad in ([], [1.0, 0.1, 0.1], [1.5, 0.5], [-0.1, 0.6], [0.0], [0.5] * 10_001):
        with pytest.raises(Refused):
            overlap(bad)


@pytest.mark.parametrize(("level", "constant", "two"), [(1, 2.0, 2.0), (2, 2 / 3, 2 / 3), (3, 2.0, 2.0)])
def test_autocorrelation_of_the_constant_function(level: int, constant: float, two: float) -> None:
    family = Autocorrelation()
    task = first(family, level)
    assert family.measure(task, [3.0]) == constant
    assert family.measure(task, [0.7] * 50) == pytest.approx(two, rel=1e-15)


def test_only_the_third_function_may_be_negative() -> None:
    """[2, -1]: c = 4, -4, 1; 2 * 2 * 4 / 1 = 16."""
    family = Autocorrelation()
    assert family.measure(first(family, 3), [2.0, -1.0]) == 16.0
    for level in (1, 2):
        assert family.judged(first(family, level), "[2.0, -1.0]") == (None, "a step below 0")
    assert family.judged(first(family, 3), "[1.0, -1.0]") == (None, "the integral of f is 0")


def test_smallest_triangles() -> None:
    """The corners and the centre of a square of side 3: triangles of 9/2 and 9/4. The corners of the triangle and its
    middle: a third each."""
    square = [[0, 0], [3, 0], [0, 3], [3, 3], [1.5, 1.5]]
    assert smallest_triangle(square[:4], 4, "convex") == 0.5
    assert smallest_triangle(square, 5, "convex") == 0.0
    assert smallest_triangle([[0, 0], [1, 0], [0, 1], [0.25, 0.25]], 4, "triangle") == 0.25
    for bad in ([[0, 0], [1, 0], [0.5, 0.5 + ULP]], [[-5e-324, 0], [1, 0], [0, 1]]):
        with pytest.raises(Refused, match="outside"):
            smallest_triangle(bad, 3, "triangle")
    with pytest.raises(Refused, match="one line"):
        smallest_triangle([[0, 0], [1, 1], [2, 2]], 3, "convex")


def test_spread_of_points() -> None:
    assert squared_spread([[0, 0], [1, 0], [0, 1], [1, 1]], 4, 2) == 2.0
    assert squared_spread([[0, 0, 0], [1e-200, 0, 0], [0, 3e-200, 0]], 3, 3) == pytest.approx(10.0, rel=1e-14)
    with pytest.raises(Refused, match="the same"):
        squared_spread([[0, 0], [1, 0], [0.0, -0.0]], 3, 2)


def test_small_cap_sets() -> None:
    """The largest of two dimensions has 4 vectors; of three, 9: one of them, checked by hand against its lines."""
    assert cap_size([[0, 0], [0, 1], [1, 0], [1, 1]], 2) == 4
    nine = [[a, b, (a * a + b * b) % 3] for a in range(3) for b in range(3)]
    assert cap_size(nine, 3) == bound(3) == 9
    for bad in ([[0, 0], [1, 1], [2, 2]], [[0, 0], [0, 0]], [[0, 3]], [[0, -1]], [[0, 1.0]], [[0, True]], [[0]]):
        with pytest.raises(Refused):
            cap_size(bad, 2)
    assert CapSet().score(first(CapSet(), 8), 512) == 512 / 1008


def test_small_sorting_networks() -> None:
    four = [[0, 1], [2, 3], [0, 2], [1, 3], [1, 2]]
    assert comparators(four, 4) == fewest(4) == 5
    assert [fewest(n) for n in (13, 14, 15, 16)] == [43, 47, 51, 55]
    assert all(not sorts(four[:i] + four[i + 1 :], 4) for i in range(5))
    for bad in (four[:-1], [[1, 0]], [[0, 4]], [[0, 0]], [[0, 1.0]], four * 4):
        with pytest.raises(Refused):
            comparators(bad, 4)


def test_a_network_that_fails_on_one_input_alone_is_found_out() -> None:
    """Bubble sort of n = 6 without its last comparator: of 64 inputs only those that need it come out wrong."""
    bubble = [[j, j + 1] for i in range(6) for j in range(5 - i)]
    assert sorts(bubble, 6)
    assert not sorts(bubble[:-1], 6)


def test_bins_by_hand() -> None:
    """Bins of 10, items 6, 7, 3, 4. Best fit puts the 3 to the 7 and the 4 to the 6; first fit the 3 to the 6, and the
    4 fits nowhere. Whoever wants much space left opens a bin for everything."""
    fit = best_fit(10, 1, 10)
    assert bins([6, 7, 3, 4], 10, fit, 1) == 2
    assert bins([6, 7, 3, 4], 10, [[0.0] * len(row) for row in fit], 1) == 3
    assert bins([6, 3], 10, [[-value for value in row] for row in fit], 1) == 2
    assert lower_bound([6, 7, 3, 4], 10) == 2
    assert lower_bound([6, 6, 6], 10) == 3  # a sum of 18 would fit in two
    assert lower_bound([7, 7, 4, 4], 10) == 3  # the two 4 fit beside no 7
    assert lower_bound([5, 5, 5], 10) == 2


def test_bins_and_their_bound_against_trying_everything() -> None:
    """Bins one by one, and the fewest bins of any order and any choice."""

    def plain(items: list[int], table: list[list[float]]) -> int:
        spaces = [12] * len(items)
        for item in items:
            fitting = [place for place, space in enumerate(spaces) if space >= item]
            spaces[max(fitting, key=lambda place: (table[item - 1][spaces[place] - item], -place))] -= item
        return sum(space < 12 for space in spaces)

    def fewest_bins(items: list[int], spaces: tuple[int, ...] = ()) -> int:
        if not items:
            return len(spaces)
        fits = [i for i, space in enumerate(spaces) if space >= items[0]]
        put = [fewest_bins(items[1:], (*spaces[:i], spaces[i] - items[0], *spaces[i + 1 :])) for i in fits]
        return min([*put, fewest_bins(items[1:], (*spaces, 12 - items[0]))])

    rng = random.Random(0)
    for _ in range(40):
        items = [rng.randint(1, 12) for _ in range(6)]
        table = [[float(rng.randrange(4)) for _ in range(12 - item + 1)] for item in range(1, 13)]
        assert bins(items, 12, table, 1) == plain(items, table)
        assert -(-sum(items) // 12) <= lower_bound(items, 12) <= fewest_bins(items) <= bins(items, 12, table, 1)


def test_best_fit_is_better_than_first_fit_here() -> None:
    family = BinPacking()
    [task] = family.generate(2, 1, 0)
    best = best_fit(*family.arguments(task))
    values = [family.measure(task, table) for table in (best, [[0.0] * len(row) for row in best])]
    assert 0 < values[0] < values[1]
    assert family.score(task, 0.0) == 1


def test_a_function_at_a_point() -> None:
    """2 * 3^2 + 5 * (1 - cos(3 * 0 + pi)) = 18 + 10."""
    given = {"bowl": [2.0], "heights": [5.0], "waves": [[0.0]], "phases": [math.pi]}
    assert function(given, [3.0]) == 28.0
    family = FunctionMinimisation()
    task = first(family)
    assert family.score(task, 0.0) == 1
    assert family.judged(task, "[5.0, 5.000000000000001]")[1].startswith("a coordinate outside")


def test_what_a_program_is_given_is_its_own() -> None:
    family, task = FunctionMinimisation(), first(FunctionMinimisation())
    family.arguments(task)[0]["bowl"].clear()
    assert len(family.arguments(task)[0]["bowl"]) == 2


def test_formulas() -> None:
    at = points(2, 5, 0)
    assert evaluated("x0*x1+2", at) == pytest.approx(at[:, 0] * at[:, 1] + 2)
    assert evaluated("-(1e1**2)", at) == pytest.approx([-100.0] * 5)
    bad = ["x2", "x0()", "x0.real", "abs(x0,x1)", "f'x'", "1 if x0 else 2", "[x0]", "x0@x1", "1jx", "2j", "", "log(-1)"]
    assert [text for text in [*bad, "9**9**9**9", "-" * 999 + "1", "1" * 1001] if evaluated(text, at) is not None] == []


def test_no_hidden_point_enters_the_jail() -> None:
    family = SymbolicRegression()
    task = first(family, 3)
    given, values = family.arguments(task)
    everything, _ = family.data(task)
    assert len(given) == len(values) == 40
    assert not {tuple(point) for point in given} & {tuple(point) for point in everything[40:].tolist()}
    assert family.measure(task, repr(0.0)) > 0.5


def test_modules_are_traps() -> None:
    """Of two modules: one right, one with nothing right; (1 + 3/4) / 2. With one more bit right, (1 + 2/4) / 2."""
    words = [1, 0, 1, 0, 1, 1, 1, 1]
    assert worth([1, 0, 1, 0, 0, 0, 0, 0], words) == 0.875
    assert worth([1, 0, 1, 0, 0, 0, 0, 1], words) == 0.75
    assert Modules().words(2) == Modules().words(9)[:8]
    assert Modules(1).words(9) != Modules().words(9)


def test_an_agent_of_list_functions_is_judged_on_hidden_cases() -> None:
    family, task = AgentListFn(), first(AgentListFn())
    assert family.verify(task, task.answer or "") == 1
    assert family.verify(task, json.dumps(repr(task.meta["shown"][0][1]))) == 0
    assert family.judged(task, "7")[1] == "a text is asked for, and this is int"


def test_nobody_wins_against_minimax_in_kuhn_poker() -> None:
    """The values of both seats, -1/18 and 1/18, cancel out; always to pass loses, and wins nothing."""
    family = AgentGame(Kuhn())
    task = first(family, 5)
    assert family.score(task, 0.0) == pytest.approx(1.0)
    fold = family.measure(task, ["p"] * len(positions(Kuhn)))
    assert -1 < fold < 0


def test_nim_is_won_from_balanced_heaps_alone() -> None:
    """Two perfect players: the first one wins where the heaps' exclusive or is not 0, else the second one; as much as
    one seat wins the other loses."""
    family = AgentGame(Nim())

    def play(seen: str, moves: Any) -> str:
        for move in moves:
            heaps = [int(h) - (int(move[1]) if name == move[0] else 0) for name, h in zip("abc", seen, strict=True)]
            if heaps[0] ^ heaps[1] ^ heaps[2] == 0:
                return str(move)
        return str(moves[0])

    task = first(family, 5)
    value = family.measure(task, [play(seen, moves) for seen, moves in positions(Nim).items()])
    assert value == pytest.approx(0.0, abs=1e-12)
    assert family.score(task, value) == pytest.approx(1.0)
    with pytest.raises(Refused, match="no legal move"):
        family.measure(task, ["a9"] * len(positions(Nim)))


def test_a_program_is_repaired_function_by_function() -> None:
    """One right function of two on all lists; the other is off by one, and right where it gives nothing."""
    family = Repair(seed=3, functions=2)
    task = family.generate(2, 1, 0)[0]
    first, second = family.meant
    lists = task.meta["lists"]
    half = [[first(a), [x + 1 for x in second(a)]] for a in lists]
    empty = sum(not second(a) for a in lists)
    assert family.measure(task, half) == pytest.approx((12 + empty) / 24)
    assert family.whole(task, json.dumps(half)) == [True, empty == 12]
    assert family.whole(task, "[]") == [False, False]
    floats = [[[float(x) for x in one(a)] for one in family.meant] for a in lists]
    assert family.whole(task, json.dumps(floats)) == [False, False]


def test_what_is_broken_and_what_it_says() -> None:
    meant = Function(">", 5, "*", 3)
    assert meant([4, 5, 6, 9]) == [18, 27]
    source = replace(meant, kept=6).text(0, meant)
    assert "above 5, each of them times 3" in source
    assert "if x > 6]" in source
    for place in ("comparison", "kept", "operation", "changed"):
        other = meant.broken(place, random.Random(0))
        assert [
            name
            for name in ("comparison", "kept", "operation", "changed")
            if getattr(other, name) != getattr(meant, name)
        ] == [place]
    broken, gold = Repair(seed=1).starter["main.py"].splitlines(), Repair(seed=1).gold_program()["main.py"].splitlines()
    assert sum(one != other for one, other in zip(broken, gold, strict=True)) == 6
