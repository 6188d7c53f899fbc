"""Code tasks: what their prompts determine, what is run at all, and that behaviour decides, not text."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from autotroph.core.task import Task
from autotroph.evaluate.audit import audit
from autotroph.tasks.code.examples import agrees, inputs
from autotroph.tasks.code.functions import OPERATIONS, Function, attempt, drawn
from autotroph.tasks.code.listfn import Bugs, ListFn, Partial, TestsAsPrompt, walked
from autotroph.tasks.code.subset import evaluate, parse
from autotroph.tasks.code.tool_calls import TOOLS, ToolCalls
from autotroph.tasks.family import Family
from autotroph.tasks.registry import task_family

NAMES = ["listfn", "bugs", "partial", "tests_as_prompt", "tool_calls"]


@pytest.mark.parametrize("name", NAMES)
def test_family_proves_itself(name: str) -> None:
    """On two levels; `autotroph audit` and `validate` take all."""
    family = task_family(name)
    assert isinstance(family, Family)
    assert family.name == name
    family.levels = family.levels[:2]
    family.validate(samples=3)


@pytest.mark.parametrize("name", NAMES)
def test_the_verifier_makes_no_error_and_agrees_with_the_tree_walker(name: str) -> None:
    found = audit(task_family(name), 2, n=3)
    assert found.false_positives.n > 50
    assert found.false_positives.hits == found.false_negatives.hits == found.unscored == 0
    assert found.agreement is not None
    assert found.agreement.hits == found.agreement.n > 5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("answer", ["\0", "\ud800", "((" * 400, "[" * 10**6, "7" * 10**6, "9**9**9", "f(a)", "a" * 161])
def test_no_string_makes_a_verifier_raise(name: str, answer: str) -> None:
    family = task_family(name)
    [task] = family.generate(1, 1, 0)
    assert family.verify(task, answer) == 0


@pytest.mark.parametrize(
    "step", [*OPERATIONS, *(tool.operation(dict.fromkeys(tool.parameters, 2)) for tool in TOOLS.values())]
)
def test_an_operation_computes_what_its_source_says(step: Any) -> None:
    function = Function((step,))
    for a in inputs(20, range(1, 9), random.Random(0)):
        assert walked(function.source, a) == function(a)


def test_composition_goes_from_the_inside_out() -> None:
    steps = {step.source: step for step in OPERATIONS}
    function = Function((steps["sorted({})"], steps["{}[:2]"], steps["sum({})"]))
    assert function.source == "sum(sorted(a)[:2])"
    assert function([5, 1, 3]) == 4
    assert attempt(Function((steps["max({})"],)), []) is None


@pytest.mark.parametrize("level", [1, 2])
def test_examples_tell_a_function_from_all_of_one_operation(level: int) -> None:
    """Whatever single operation fits what is shown does on the hidden cases what the function does."""
    for task in ListFn().generate(level, 30, 0):
        assert len(task.meta["shown"]) == level + 2
        assert len(task.meta["cases"]) == 16
        for step in OPERATIONS:
            if agrees(Function((step,)), task.meta["shown"]):
                assert level == 1
                assert agrees(Function((step,)), task.meta["cases"])


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "sorted(a)[::-1]",
        "[x*2 for x in a if x>3]",
        "[y for x in a for x in a]".replace("y", "x"),
        "a[-2:]+[1]",
        "len(set(a))",
    ],
)
def test_what_belongs_to_the_subset(text: str) -> None:
    tree = parse(text)
    assert tree is not None
    a = [3, 1, 4, 1, 5]
    assert evaluate(tree, a) == eval(text, {"a": a})


@pytest.mark.parametrize(
    "text",
    [
        *("", " a", "a\n", "b", "import os", "a.sort()", "a.__class__", "print(a)", "lambda: a", "(x:=a)"),
        *("sorted(a,key=len)", "'a'", "1.5", "100", "True", "...", "a if a else a", "a or a", "{1}", "a**2"),
        *("sorted(*a)", "a[0](a)", "(a)(a)", "f(a)", "x" * 161),
        *("[a for a in a]", "[x for x,x in a]", "1if a", "0x1", "eval(a)", "\uff41", "a;a", "a#"),
    ],
)
def test_what_does_not(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "a*99*99*99*99",
        "[*a,*a]*99*99",
        "99*a*99",
        "[x for x in a for x in a*9 for x in a*9]",
        "99*99*99"[:0] + "*".join(["99"] * 40),
    ],
)
def test_the_tree_walker_stops_at_what_grows(text: str) -> None:
    tree = parse(text)
    assert tree is not None
    with pytest.raises(ValueError, match="too"):
        evaluate(tree, list(range(9)))


def posed(family: Any, source: str, level: int = 1, prompt: str = "?") -> Task:
    """A task of a given function, judged on a few lists."""
    tree = parse(source)
    assert tree is not None
    cases = [((a,), evaluate(tree, a)) for a in ([3, 1, 2], [], [5, 5, 0, 9])]
    return Task(
        "k",
        family.name,
        prompt,
        source,
        level,
        "train",
        Task.of("t", "t", "t").provenance,
        {"shown": cases[:1], "cases": cases},
    )


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("sorted(a)[::-1]", 1),
        ("[-x for x in sorted([-x for x in a])]", 1),
        ("sorted(a[::-1])[::-1]", 1),
        ("sorted(a)", 0),
        ("[3,2,1]", 0),
        ("a[9]", 0),
        ("[x for x in a for x in a for x in a for x in a for x in a*99*99*99]", 0),
    ],
)
def test_behaviour_decides(answer: str, score: float) -> None:
    family = ListFn()
    task = posed(family, "sorted(a)[::-1]")
    assert family.verify(task, answer) == score
    assert family.verify_all([(task, answer), (task, "sorted(a)[::-1]")]) == [score, 1]
    assert family.verify(Task.of("listfn", "?", None, meta={"shown": [], "cases": []}), answer) is None


def test_what_is_shown_is_judged_apart() -> None:
    family = ListFn()
    task = posed(family, "sorted(a)[::-1]")
    assert family.verify(family.visible(task), "[3,2,1]") == 1


def test_behaviours_are_equal_where_programs_are() -> None:
    family = ListFn()
    task = posed(family, "sorted(a)[::-1]")
    same, too, other, error, outside = family.behaviours(
        [(task, text) for text in ("sorted(a)[::-1]", "sorted(a[1:]+a[:1])[::-1]", "sorted(a)", "a[0]", "import os")]
    )
    assert same == too != other
    assert error is not None
    assert "IndexError" in error
    assert outside is None


def test_a_program_to_repair_fails_what_is_shown() -> None:
    family = Bugs()
    for task in family.generate(2, 10, 0):
        program, _, _ = task.prompt.partition("|")
        assert family.verify(family.visible(task), program) == 0
        assert family.verify(family.visible(task), task.answer or "") == 1


def test_a_repair_that_failed_is_the_next_program_to_repair() -> None:
    [task] = Bugs().generate(1, 1, 0)
    again = Bugs().retry(task, "a[1:]")
    assert again.prompt == "a[1:]|" + task.prompt.partition("|")[2]
    assert again.key == task.key
    assert Bugs().retry(task, "a[1") is task


def test_a_missing_definition_is_judged_in_its_program() -> None:
    family = Partial()
    task = posed(family, "sorted(a)[:2]", prompt="f(sorted(a))|...=")
    assert family.verify(task, "a[:2]") == family.verify(task, "a[:1]+a[1:2]") == 1
    assert family.verify(task, "a[:1]") == family.verify(task, "sorted(a)[2:]") == 0
    assert family.verify(task, "f(a)") == 0


def test_a_function_from_its_tests_is_any_python() -> None:
    family = TestsAsPrompt()
    [task] = [task for task in family.generate(1, 200, 0) if task.answer == "def f(a):\n    return a[::-1]"][:1]
    assert task.prompt.startswith("assert f([")
    assert family.verify(task, "import copy\ndef f(a):\n    b = copy.copy(a)\n    b.reverse()\n    return b\n") == 1
    assert family.verify(task, "def f(a):\n    a.reverse()") == 0
    assert family.verify(task, "def f(a):\n    while True:\n        pass") == 0


def calls(*given: tuple[str, dict[str, Any]]) -> str:
    return json.dumps([{"name": name, "arguments": arguments} for name, arguments in given])


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        (calls(("take", {"n": 2})), 1),
        (calls(("slice", {"start": 0, "stop": 2})), 1),
        (calls(("reverse", {}), ("reverse", {}), ("take", {"n": 2})), 1),
        (calls(("take", {"n": 3})), 0),
        (calls(("take", {"n": "2"})), 0),
        (calls(("take", {"n": True})), 0),
        (calls(("take", {"n": 10**9})), 0),
        (calls(("take", {"n": 2, "m": 1})), 0),
        (calls(("Take", {"n": 2})), 0),
        (calls(), 0),
        ('[{"name": "take", "arguments": {"n": 2}, "result": [1]}]', 0),
        ('{"name": "take", "arguments": {"n": 2}}', 0),
    ],
)
def test_a_call_is_judged_by_what_it_does(answer: str, score: float) -> None:
    family = ToolCalls()
    assert family.verify(posed(family, "a[:2]"), answer) == score


def test_no_operation_of_a_drawn_function_is_idle() -> None:
    rng = random.Random(0)
    assert any(drawn(2, rng).source == "sorted(sorted(a))" for _ in range(20_000))
    answers = [task.answer for task in ListFn().generate(2, 500, 0)]
    assert "sorted(sorted(a))" not in answers
    assert "a[::-1][::-1]" not in answers


def test_answers_that_share_a_child_do_not_share_a_fate() -> None:
    """One that takes all the memory fails alone, whatever stands beside it."""
    family = ListFn()
    task = posed(family, "sorted(a)[::-1]")
    texts = ["sorted(a)[::-1]", "a*99*99*99*99*99*99", "a[9]", "import os", "sorted(a[::-1])[::-1]"]
    assert family.verify_all([(task, text) for text in texts]) == [1, 0, 0, 0, 1]
    assert family.verify_all([]) == []


def test_many_answers_are_judged_in_their_order() -> None:
    tasks = ListFn().generate(1, 150, 0)
    pairs = [(task, other.answer or "") for task in tasks for other in (task, tasks[0])]
    expected = [ListFn().recheck(*pair) for pair in pairs]
    assert ListFn().verify_all(pairs) == expected
    assert sum(score == 0 for score in expected) > 100
