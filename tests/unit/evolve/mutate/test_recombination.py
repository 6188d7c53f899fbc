"""Children of two parents: crossover, merge, lines taken from another."""

import pytest
from evolve.mutate.programs import PROGRAMS, around, child
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from autotroph.evolve.archive import Archive, Node
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.crossover import Crossover
from autotroph.evolve.mutate.lines import blended, merged
from autotroph.evolve.mutate.merge import Merge, common_ancestor
from autotroph.evolve.mutate.python import normal
from autotroph.evolve.mutate.replay import Replay
from autotroph.evolve.mutate.text import Lines
from autotroph.evolve.protocols import Parent


def program(text: str, **more: str) -> Candidate:
    return Candidate.of({"main.py": text, **more})


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(PROGRAMS), st.sampled_from(PROGRAMS), st.integers(0, 2**32))
def test_a_crossed_child_compiles_and_is_neither_parent(one: str, other: str, seed: int) -> None:
    assume(one != other)
    try:
        edit = child(Crossover(), program(one), program(other), seed=seed)
    except NoEdit:
        reject()
    text = edit.candidate.text("main.py")
    compile(text, "main.py", "exec")
    assert normal(text) not in (normal(one), normal(other))
    assert child(Crossover(), program(one), program(other), seed=seed) == edit


ONE = "def f(x):\n    return x + 1\n\n\ndef g(x):\n    return x * 2\n"
OTHER = "def f(x):\n    return x - 7\n\n\ndef g(x):\n    return x ** 9\n"


def test_a_crossed_child_has_something_of_both() -> None:
    functions = Crossover(weights={"function": 1.0})
    found = {child(functions, program(ONE), program(OTHER), seed=seed).candidate.text("main.py") for seed in range(20)}
    assert found == {ONE.replace("x + 1", "x - 7"), ONE.replace("x * 2", "x ** 9")}
    expressions = Crossover(weights={"expression": 1.0})
    for seed in range(20):
        text = child(expressions, program("a = 1 + b\n"), program("c = 55 - d\n"), seed=seed).candidate.text("main.py")
        assert text.startswith("a = ")
        assert any(part in text for part in ("55", "d"))
    statements = Crossover(weights={"statement": 1.0})
    parents = program("a = 1\nb = 2\n"), program("c = 3\n")
    assert {child(statements, *parents, seed=seed).candidate.text("main.py") for seed in range(20)} == {
        "c = 3\nb = 2\n", "a = 1\nc = 3\n", "c = 3\na = 1\nb = 2\n", "a = 1\nc = 3\nb = 2\n"
    }  # fmt: skip


def test_an_expression_keeps_its_meaning_where_it_is_put() -> None:
    only = Crossover(weights={"expression": 1.0})
    texts = {
        child(only, program("a = b * (c * 2)\n"), program("z = p - q\n"), seed=seed).candidate.text("main.py")
        for seed in range(40)
    }
    assert "a = b * (p - q)\n" in texts
    assert "a = b * p - q\n" not in texts


def test_a_method_is_no_function_of_the_same_name() -> None:
    method = "class A:\n    def f(self):\n        return 1\n"
    with pytest.raises(NoEdit, match="neither parent"):
        child(Crossover(weights={"function": 1.0}), program(ONE), program(method))


def test_texts_are_blended_line_by_line() -> None:
    one, other = program("", **{"a.md": "1\nsame\n2\n"}), program("", **{"a.md": "x\nsame\ny\n"})
    found = {child(Crossover(), one, other, seed=seed).candidate.text("a.md") for seed in range(20)}
    assert found == {"x\nsame\n2\n", "1\nsame\ny\n"}
    with pytest.raises(NoEdit, match="one place only"):
        blended("a\n", "b\n", around().rng)


def test_crossover_refuses_what_it_cannot_cross() -> None:
    with pytest.raises(NoEdit, match="two parents"):
        child(Crossover(), program(ONE))
    with pytest.raises(NoEdit, match="no file that differs"):
        child(Crossover(), program(ONE), program(ONE))
    frozen = Candidate.of({"main.py": ONE}, frozen=("*.py",))
    with pytest.raises(NoEdit, match="no file that differs"):
        child(Crossover(), frozen, program(OTHER))


BASE = "import math\n\n\ndef f(x):\n    return x\n\n\ndef g(x):\n    return x\n\n\nLAST = 1\n"


def test_a_merge_of_disjoint_edits_has_both() -> None:
    ours = program(BASE.replace("f(x):\n    return x", "f(x):\n    return x + 1"), **{"notes.md": "new\n"})
    theirs = program(BASE.replace("g(x):\n    return x", "g(x):\n    return x * 2").replace("LAST = 1", "LAST = 2"))
    edit = child(Merge(), ours, theirs, ancestor=program(BASE))
    text = edit.candidate.text("main.py")
    assert all(part in text for part in ("return x + 1", "return x * 2", "LAST = 2"))
    assert edit.candidate.text("notes.md") == "new\n"
    assert edit.note.startswith("merged, 0 conflicts")
    assert child(Merge(), theirs, ours, ancestor=program(BASE)).candidate == edit.candidate


def test_neighbouring_functions_are_merged_where_lines_alone_would_clash() -> None:
    base = "def f(x): return x\ndef g(x): return x\n"
    ours, theirs = base.replace("f(x): return x", "f(x): return 1"), base.replace("g(x): return x", "g(x): return 2")
    text = child(Merge(), program(ours), program(theirs), ancestor=program(base)).candidate.text("main.py")
    assert text == "def f(x): return 1\ndef g(x): return 2\n"
    assert merged(*(part.splitlines() for part in (base, ours, theirs))) == (ours.splitlines(), 1)


def test_what_both_changed_stays_as_the_first_has_it() -> None:
    ours = program(BASE.replace("LAST = 1", "LAST = 2"))
    theirs = program(BASE.replace("LAST = 1", "LAST = 3").replace("import math", "import cmath"))
    edit = child(Merge(), ours, theirs, ancestor=program(BASE))
    assert edit.candidate.text("main.py") == BASE.replace("LAST = 1", "LAST = 2").replace("import math", "import cmath")
    assert edit.note.startswith("merged, 1 conflicts")


def test_files_that_come_and_go() -> None:
    base = program(BASE, **{"old.md": "x\n", "kept.md": "x\n"})
    ours = program(BASE.replace("LAST = 1", "LAST = 2"), **{"old.md": "x\n", "kept.md": "y\n"})
    theirs = program(BASE, **{"new.md": "z\n"})
    found = child(Merge(), ours, theirs, ancestor=base).candidate
    assert sorted(found.files) == ["kept.md", "main.py", "new.md"]
    assert found.text("kept.md") == "y\n"


def test_merged_lines() -> None:
    assert merged(list("abcd"), list("aXcd"), list("abcY")) == (list("aXcY"), 0)
    assert merged(list("abcd"), list("aXcd"), list("aZcY")) == (list("aXcY"), 1)
    assert merged(list("abc"), list("ac"), list("abcd")) == (list("acd"), 0)
    assert merged([], list("a"), list("a")) == (["a"], 0)


@settings(max_examples=50, deadline=None)
@given(*[st.lists(st.sampled_from("abc"), max_size=8)] * 2)
def test_a_merge_with_the_base_is_the_other(base: list[str], ours: list[str]) -> None:
    assert merged(base, ours, base) == (ours, 0)
    assert merged(base, base, ours) == (ours, 0)
    assert merged(base, ours, ours) == (ours, 0)


def test_merges_that_are_none() -> None:
    ours = program(BASE.replace("LAST = 1", "LAST = 2"))
    for parents, ancestor, reason in (
        ([ours], program(BASE), "two parents"),
        ([ours, program(ONE)], None, "common ancestor"),
        ([ours, program(BASE)], program(BASE), "nothing is changed"),
        ([program(BASE), ours], program(BASE), "one of the parents"),
    ):
        with pytest.raises(NoEdit, match=reason):
            child(Merge(), *parents, ancestor=ancestor)


def test_a_merge_leaves_frozen_files_alone() -> None:
    base = Candidate.of({"main.py": BASE, "fixed.md": "1\n"}, frozen=("fixed.*",))
    ours = base.edited({"main.py": BASE.replace("LAST = 1", "LAST = 2")})
    theirs = program(BASE.replace("math", "cmath"), **{"fixed.md": "2\n"})
    assert child(Merge(), ours, theirs, ancestor=base).candidate.text("fixed.md") == "1\n"


def test_common_ancestors() -> None:
    archive = Archive(tasks=1)
    for parents in ((), (0,), (0,), (1, 2), (1,), (3,), ()):
        archive.add(Node("x", parents))
    assert common_ancestor(archive, 1, 2) == 0
    assert common_ancestor(archive, 4, 5) == 1  # 5 comes from 1 and 2
    assert common_ancestor(archive, 5, 2) is None  # 2 is itself an ancestor
    assert common_ancestor(archive, 5, 6) is None
    assert common_ancestor(archive, 4, 4) is None


def test_lines_of_a_list_of_skills() -> None:
    one, other = Candidate.of({"skills.md": "a\n\nb"}), Candidate.of({"skills.md": "a\nc"})
    found = {child(Lines(), one, other, seed=seed).candidate.text("skills.md") for seed in range(60)}
    assert found >= {"\nb\n", "a\n\n", "c\na\n\nb\n", "a\n\nb\nc\n", "\nb\na\n"}
    assert not any(text.count("a") > 1 for text in found)
    with pytest.raises(NoEdit, match="one line only"):
        child(Lines(), Candidate.of({"skills.md": "a\n"}))
    with pytest.raises(NoEdit, match="no file to edit"):
        child(Lines(), program(ONE))


THIRD = "a = 1\nb = 2\nc = 3\n"


def replayed(first: str, elite: str, *, means: tuple[float | None, float | None] = (0.9, 0.5), seed: int = 0) -> str:
    better, worse = Parent(program(elite), mean=means[0]), Parent(program(THIRD), mean=means[1])
    return Replay().edit([Parent(program(first)), better, worse], around(seed)).candidate.text("main.py")


def test_what_made_another_better_is_done_again() -> None:
    assert replayed("a = 7\nb = 2\nc = 3\n", "a = 1\nb = 2\nc = 9\n") == "a = 7\nb = 2\nc = 9\n"
    assert replayed("a = 1\nb = 2\nc = 3\nx = 0\n", "b = 2\nc = 3\n") == "b = 2\nc = 3\nx = 0\n"


@pytest.mark.parametrize("means", [(0.5, 0.5), (0.4, 0.5), (None, 0.5), (0.5, None)])
def test_what_made_nothing_better_is_not_done_again(means: tuple[float | None, float | None]) -> None:
    with pytest.raises(NoEdit, match="no better"):
        replayed("a = 7\nb = 2\nc = 3\n", "a = 1\nb = 2\nc = 9\n", means=means)


@pytest.mark.parametrize("first", [THIRD, "a = 1\nb = 2\nc = 9\n", "a = 1\nb = 2\nc = 7\n"])
def test_an_edit_that_would_make_a_copy_or_meets_another_one_is_not_made(first: str) -> None:
    with pytest.raises(NoEdit):
        replayed(first, "a = 1\nb = 2\nc = 9\n")


def test_a_replay_takes_three_parents() -> None:
    with pytest.raises(NoEdit, match="three parents"):
        child(Replay(), program(ONE), program(OTHER))
