"""What counts as right."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import Directory, Jail, Verdict
from autotroph.sandbox.suite import Test as SuiteTest
from autotroph.sandbox.suite import suite
from autotroph.sandbox.verdict import asserts, pairs, properties, reference, repair, same, steps, texts

NAN, INF = math.nan, math.inf


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    with Jail(workers=2) as jail:
        yield jail


@pytest.mark.parametrize(
    ("value", "want", "tolerance", "equal"),
    [
        (1, 1, None, True),
        (1, 1.0, None, True),
        ([1], (1,), None, False),
        ({"a": [1.0]}, {"a": [1.0 + 1e-9]}, None, False),
        ({"a": [1.0]}, {"a": [1.0 + 1e-9]}, 1e-6, True),
        ({"a": 1}, {"b": 1}, 1.0, False),
        (1e6 + 1, 1e6, 1e-5, True),
        (NAN, 1.0, 1e9, False),
        (1.0, NAN, 1e9, False),
        (NAN, NAN, None, True),
        (INF, 1.0, 1e9, False),
        (1.0, INF, 1e9, False),
        (-INF, INF, 1e9, False),
        (INF, INF, 1e9, True),
        (10**400, 1.0, 1e9, False),
        ("nan", NAN, 1e9, False),
        (None, 0, 1e9, False),
        ([1, 2], [1], 1e9, False),
    ],
)
def test_same(value: object, want: object, tolerance: float | None, equal: bool) -> None:
    assert same(value, want, tolerance) is equal


def test_pairs_texts_properties_and_steps(jail: Jail) -> None:
    program = "def f(x): return x * 2\ndef g(x): return x + 2"
    assert pairs(jail, program, "f", [((1,), 2), (("a",), "aa"), ((3,), 7)]).checks == {
        "0": True,
        "1": True,
        "2": False,
    }
    assert texts(jail, "print(int(input()) + 1, '')", [("1", "2\n"), ("x", "1")]).checks == {"0": True, "1": False}
    held = properties(jail, program, "f", [(1,), (None,)], lambda given, value: value > given[0])
    assert held.checks == {"0": True, "1": False}
    scores = steps(jail, program, {"f": [((1,), 2)], "g": [((1,), 2), ((0,), 2)], "h": [((1,), 1)]})
    assert {name: verdict.score for name, verdict in scores.items()} == {"f": 1.0, "g": 0.5, "h": 0.0}


def test_a_property_that_raises_does_not_hold(jail: Jail) -> None:
    assert not properties(jail, "def f(x): return 'a'", "f", [(1,)], lambda given, value: value > 0).passed


def test_a_reference_may_raise_too(jail: Jail) -> None:
    solution = "def f(x): return 1 / x"
    assert reference(jail, "def f(x): return x ** -1", solution, "f", [(0,), (4,)], tolerance=1e-9).passed
    assert not reference(jail, "def f(x): raise ValueError", solution, "f", [(0,)]).passed
    assert not reference(jail, "def f(x): return None", "import os\ndef f(x): os._exit(0)", "f", [(0,)]).passed


def test_no_check_is_no_pass() -> None:
    assert not Verdict({}).passed


def test_repair_counts_what_failed_before_and_what_must_stay() -> None:
    before, after = (
        Verdict({"a": False, "b": True, "c": True}),
        Verdict({"a": True, "b": True, "c": False, "made up": True}),
    )
    assert repair(before, after, ["a"], ["b"]).passed
    assert repair(before, after, ["a", "b"], []).checks == {"a": True, "b": False}
    assert repair(before, after, ["a"], ["b", "c"]).checks == {"a": True, "b": True, "c": False}
    assert not repair(before, after, ["never run"], []).passed


def test_asserts_run_beside_the_program(jail: Jail) -> None:
    program = """
total = 0
def f(x):
    global total
    total += x
    if x < 0: raise ValueError('negative')
    return [total]
"""
    tests = {
        "adds": "assert f(1) == [1]\nassert f(2) == [3]",
        "wrong": "assert f(0) == [4]",
        "raises": "try: f(-1)\nexcept ValueError as error: assert 'negative' in str(error)\nelse: assert False",
        "not plain": "f(object())",
        "approximate": "import math\nassert math.isclose(f(0)[0], 2.0000000001)",
    }
    wanted = {"adds": True, "wrong": False, "raises": True, "not plain": False, "approximate": True}
    assert asserts(jail, program, ["f"], tests).checks == wanted


SOURCE = """
from shop.cart import Cart

def test_total():
    cart = Cart()
    cart.add('tea', 3)
    cart.add('jam', 4)
    assert cart.total() == 7

def test_items():
    assert Cart().items == {}
    cart = Cart()
    cart.add('tea', 3)
    assert cart.items == {'tea': 3}

def test_has():
    cart = Cart()
    cart.add('tea', 3)
    assert cart.has('tea')

def test_nothing():
    Cart()
"""
CART = b"""
class Cart:
    def __init__(self): self.items = {}
    def add(self, name, price): self.items[name] = price
    def total(self): return sum(self.items.values())
    def has(self, name): return name in self.items
"""


def test_a_suite_in_the_candidates_folder(jail: Jail) -> None:
    tests = {name: SuiteTest(SOURCE, name) for name in ("test_total", "test_items", "test_has")}
    right = Directory({"shop/__init__.py": b"", "shop/cart.py": CART})
    assert suite(jail, right, tests).passed
    wrong = right.with_files({"shop/cart.py": CART.replace(b"sum(", b"len(")})
    assert suite(jail, wrong, tests).checks == {"test_total": False, "test_items": True, "test_has": True}
    assert suite(jail, Directory({}), tests).score == 0


def test_a_test_that_cannot_fail_is_refused() -> None:
    with pytest.raises(AutotrophError, match="no assertion"):
        SuiteTest(SOURCE, "test_nothing").canaries()


def test_canaries_change_what_is_expected() -> None:
    assert all("== 7" not in text for text in SuiteTest(SOURCE, "test_total").canaries())
    assert all("assert not" in text for text in SuiteTest(SOURCE, "test_has").canaries())
    assert len(SuiteTest(SOURCE, "test_items").canaries()) == 2
