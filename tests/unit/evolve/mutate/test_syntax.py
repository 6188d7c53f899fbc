"""Edits of programs: every child is another program."""

import ast
import random

import libcst as cst
import pytest
from evolve.mutate.programs import PROGRAMS, around, child
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.numerals import numeral, stepped, value
from autotroph.evolve.mutate.python import LONGEST, normal
from autotroph.evolve.mutate.sites import Sites, sites
from autotroph.evolve.mutate.syntax import CHANGES, WEIGHTS, Syntax, condition
from autotroph.evolve.protocols import Parent


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(PROGRAMS), st.integers(0, 2**32))
def test_every_child_compiles_differs_and_leaves_frozen_files_alone(program: str, seed: int) -> None:
    parent = Candidate.of({"main.py": program, "fixed.py": "LIMIT = 5\n"}, frozen=("fixed.py",))
    edit = child(Syntax(), parent, seed=seed)
    text = edit.candidate.text("main.py")
    compile(text, "main.py", "exec")
    assert normal(text) != normal(program)
    assert edit.candidate.files["fixed.py"] == parent.files["fixed.py"]
    assert child(Syntax(), parent, seed=seed) == edit


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_by_itself_finds_something_in_the_corpus(name: str) -> None:
    only = Syntax(weights={name: 1.0}, more=0.0)
    found = 0
    for program in PROGRAMS:
        try:
            assert child(only, Candidate.of({"main.py": program})).note == f"main.py: {name}"
            found += 1
        except NoEdit:
            pass
    assert found >= 2
    assert CHANGES.keys() == WEIGHTS.keys()


def changes(name: str, program: str, n: int = 40) -> set[str]:
    """All that a change makes of a program, in so many draws."""
    only, parent = Syntax(weights={name: 1.0}, more=0.0), Candidate.of({"a.py": program})
    return {child(only, parent, seed=seed).candidate.text("a.py") for seed in range(n)}


def test_changes_of_a_program_that_leaves_little_choice() -> None:
    assert changes("boolean", "x = True  # so\n") == {"x = False  # so\n"}
    assert changes("operator", "x = a and b\n") == {"x = a or b\n"}
    assert changes("operator", "x = a is  b\n") == {"x = a is not  b\n"}
    assert changes("delete", "x = 1\n\n# why\ny = 2\n") == {"x = 1\n", "\n# why\ny = 2\n"}
    assert changes("delete", "if a:\n    b()\nclass C:\n    x = 1\n") >= {"if a:\n    pass\nclass C:\n    x = 1\n"}
    assert changes("swap", "x = 1  # one\ny = 2\n") == {"y = 2\nx = 1  # one\n"}
    assert changes("arguments", "f(1, b, key=c)\n") == {"f(b, 1, key=c)\n"}
    assert changes("variable", "def f(a, b):\n    return a\n") == {"def f(a, b):\n    return b\n"}
    helper = "def h(x):\n    pass\ny = 1\n"
    assert changes("helper", helper) == {"def h(x):\n    pass\ny = h(1)\n"}
    assert "if a < 0:\n        return a\n" in "".join(changes("guard", "def f(a):\n    return a\n"))
    wrapped = changes("wrap", "def f(a, b):\n    return a\n")
    assert {"def f(a, b):\n    return min(a, b)\n", "def f(a, b):\n    return max(a, b)\n"} < wrapped
    assert any("return (a if " in text for text in wrapped)


def test_layout_and_comments_stay() -> None:
    program = "x = [1,   # one\n     2]\n\n\n# the end\n"
    assert any("# one\n     " in text and text.endswith("\n\n\n# the end\n") for text in changes("number", program))


def test_what_stays_as_it_is_has_no_site() -> None:
    sites = Sites(
        cst.parse_module("import a.b\nfrom c import d\n@dec(1)\ndef f(x: int = 2) -> 'T':\n    x.y = f'{3}'\n")
    )
    assert [value(site.node) for site in sites.found["number"]] == [2]
    assert not sites.found["name"]
    assert sites.helpers == {}


def test_names_are_those_bound_before() -> None:
    sites = Sites(cst.parse_module("u = 1\ndef f(a, *, b):\n    c, d = a, b\n    return c\nv = 2\n"))
    last = [site for site in sites.found["name"] if site.inside][-1]
    assert last.names == ("a", "b", "c", "d", "u")


EVERY_ORDER = """
def f(a=1, /, b=2, *c, d=3, **e):
    try:
        return 4 if 5 else 6
    except E:
        for x in 8 + 9:
            f(10, *11, k=12)[13:14]
        else:
            [15 for y in 16 if 17]
    else:
        {18: 19}
    finally:
        while 20 < 21 < 22:
            x = (23, [24], {25}, lambda z=26: 27)
"""


def test_sites_come_in_the_order_of_the_text() -> None:
    numbers = [value(site.node) for site in Sites(cst.parse_module(EVERY_ORDER)).found["number"]]
    assert numbers == [*range(1, 7), *range(8, 28)]


def test_sites_that_are_kept_are_those_of_the_text() -> None:
    """Two texts alike but for one name, and a child of each in turn: neither takes the other's sites."""
    texts = ["x = 1\ny = x\n", "x = 1\nz = x\n"]
    for text in texts * 2:
        assert sites(text).program.code == text
        assert sites(text) is sites(text)
        child(Syntax(), Candidate.of({"a.py": text}))
        assert sites(text).program.code == text


def test_signs_do_not_pile_up() -> None:
    only, now = Syntax(weights={"number": 1.0}, more=0.0), Candidate.of({"a.py": "x = -1.5\n"})
    for seed in range(60):
        now = child(only, now, seed=seed).candidate
    assert len(now.text("a.py")) < 40


@settings(max_examples=50, deadline=None)
@given(st.one_of(st.integers(-(10**17), 10**17), st.floats(allow_nan=False, allow_infinity=False)), st.integers())
def test_numerals(number: int | float, seed: int) -> None:
    new = stepped(number, random.Random(seed))
    assert type(new) is type(number)
    for x in (number, new):
        assert ast.literal_eval(cst.Module([]).code_for_node(numeral(x, cst.Integer("1")))) == x


def test_number_of_edits_is_geometric() -> None:
    many = [
        len(child(Syntax(more=0.5), Candidate.of({"main.py": PROGRAMS[3]}), seed=seed).note.split(","))
        for seed in range(60)
    ]
    assert 1.5 < sum(many) / 60 < 2.6  # 2 on average, a little less where a program does not compile
    assert max(many) <= 8


def test_a_condition_needs_a_variable() -> None:
    assert condition((), random.Random(0)) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("def f(:\n", "no Python"),
        ("x = '\0'\n", "no Python"),
        ("(" * 100_000, "no Python"),
        ("-" * 100_000 + "1", "no Python"),
        ("x = 1" + "+1" * 50_000, "no Python"),
        ("x = a" + "[0]" * 900, "nested too deeply"),
        ("x = 1\n" * LONGEST, "too long"),
        ("# nothing\n", "no edit found"),
        ("import os\n", "no edit found"),
    ],
)
def test_what_cannot_be_edited(text: str, kind: str) -> None:
    with pytest.raises(NoEdit) as caught:
        child(Syntax(), Candidate.of({"main.py": text}))
    assert caught.value.kind == kind


def test_no_program_at_all() -> None:
    for candidate in (Candidate.of({"a.txt": "1"}), Candidate.of({"a.py": "x = 1\n"}, frozen=("*",))):
        with pytest.raises(NoEdit, match="no file to edit"):
            Syntax().edit([Parent(candidate)], around())
    with pytest.raises(NoEdit, match="no text"):
        Syntax().edit([Parent(Candidate({"a.py": b"\xff"}))], around())
