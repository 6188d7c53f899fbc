"""The audit: its arithmetic, that it finds planted faults, and that built-in verifiers have none."""

from __future__ import annotations

import ast
import json
import random
from pathlib import Path

import pytest

from autotroph.cli.main import invoke
from autotroph.core.errors import AutotrophError
from autotroph.core.task import Task
from autotroph.evaluate.audit import Audit, Rate, altered, audit, probes, same_value
from autotroph.tasks.addition import Addition
from autotroph.tasks.multiplication import Multiplication
from autotroph.tasks.registry import task_family
from autotroph.tasks.user_jsonl import UserJsonl

BUILT_IN = ["addition", "addition_forward", "multiplication", "copy", "reverse", "maze", "maze_walk"]


def accepted(found: Audit) -> set[str]:
    """Kinds of wrong answers of which some were accepted."""
    return {tally.kind for tally in found.kinds if tally.truth == "wrong" and tally.accepted}


def test_wilson_interval_by_hand() -> None:
    """10 of 100: centre (.1 + z^2/200) / (1 + z^2/100), z = 1.959964, so .055229 to .174366 (Wilson 1927)."""
    low, high = Rate(10, 100).interval
    assert (round(low, 6), round(high, 6)) == (0.055229, 0.174366)
    assert Rate(0, 0).interval == (0.0, 1.0)
    assert Rate(0, 0).share is None
    assert Rate(1, 4) + Rate(2, 6) == Rate(3, 10)


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("level", [1, 2, 5])
def test_built_in_verifiers_make_no_error_and_agree_with_their_second(name: str, level: int) -> None:
    found = audit(task_family(name), level, n=40)
    assert found.false_positives.n > 200
    assert found.false_positives.hits == found.false_negatives.hits == found.unscored == 0
    assert found.agreement is not None
    assert found.agreement.hits == found.agreement.n > 300


class Trusting(Addition):
    """Accepts whatever holds the gold answer somewhere."""

    def verify(self, task: Task, answer: str) -> float | None:
        return float(task.answer in answer)


class Lenient(Addition):
    """Reads an answer as Python's int does, raises on 5,000 digits, refuses leading zeros, and cannot read some."""

    def verify(self, task: Task, answer: str) -> float | None:
        if not answer.strip().isdecimal():
            return None
        return float(int(answer) == int(task.answer) and not answer.startswith("0"))


def test_a_verifier_that_looks_for_the_gold_answer_anywhere_is_found_out() -> None:
    found = audit(Trusting(), 3, n=50)
    assert {"gold hedged with another", "gold and its end again"} <= accepted(found)
    assert "one character changed" not in accepted(found)
    assert found.false_negatives.hits == 0
    assert found.agreement is not None
    assert found.agreement.hits < found.agreement.n
    hedged = next(tally for tally in found.kinds if tally.kind == "gold hedged with another")
    assert hedged.rate == Rate(100, 100)
    prompt, gold, answer = hedged.examples[0]
    assert gold is not None
    assert gold in answer
    assert prompt.endswith("=")


def test_unscored_enters_no_rate_and_refused_gold_is_a_false_negative() -> None:
    found = audit(Lenient(), 3, n=100)
    tasks = Lenient().generate(3, 100, 0)
    zeros = sum(task.answer.startswith("0") for task in tasks)
    assert zeros > 0
    assert found.false_negatives == Rate(zeros, 100)
    kinds = {tally.kind: tally for tally in found.kinds}
    assert kinds["prompt injection"].rate == Rate(0, 0)
    assert kinds["prompt injection"].unscored == 300
    assert kinds["huge number"].unscored == 100
    assert kinds["full-width digits"].accepted == 100
    assert kinds["superscript digits"].unscored == 100
    assert "full-width digits" not in accepted(found)


def test_a_change_of_the_steps_of_a_multiplication_is_no_false_positive() -> None:
    """Its contract scores the product alone, and the second verifier says so."""
    found = audit(Multiplication(), 3, n=100)
    changed = next(tally for tally in found.kinds if tally.kind == "one character changed")
    assert 0 < changed.scored < 100
    assert changed.accepted == 0


def test_a_task_without_gold_answers_cannot_be_audited(tmp_path: Path) -> None:
    verifier = tmp_path / "v.py"
    verifier.write_text("def verify(prompt, answer, gold):\n    return 1.0\n")
    rows = [{"prompt": "a", "split": "train"}, {"prompt": "b", "split": "sealed"}]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(AutotrophError, match="no task of level 1 has a gold answer"):
        audit(UserJsonl(tmp_path / "t.jsonl", f"{verifier}:verify"), 1)


def test_probes_are_inert() -> None:
    """No probe that parses as Python holds a call, an attribute, a name to look up that does anything, or a power."""
    tasks = Addition().generate(3, 20, 0) + task_family("multiplication").generate(2, 20, 0)
    for task in tasks:
        for probe in probes(task, task_family(task.family), tasks, random.Random(0)):
            try:
                tree = ast.parse(probe.answer.strip(), mode="eval")
            except (SyntaxError, ValueError):
                continue
            active = (ast.Attribute, ast.Subscript, ast.Pow, ast.Lambda, ast.Await, ast.NamedExpr)
            assert not [node for node in ast.walk(tree) if isinstance(node, active)], probe
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            assert all(isinstance(call.func, ast.BinOp | ast.Constant) for call in calls), probe


def test_one_character_of_its_own_kind_changes() -> None:
    rng = random.Random(0)
    for _ in range(50):
        assert sum(a != b for a, b in zip("Ab-12", altered("Ab-12", rng), strict=True)) == 1
        assert altered("7", rng).isdigit()
        assert altered("Z", rng).isupper()
    assert altered("(+)", rng) == "(+)"
    assert same_value("7.", "7.0")
    assert not same_value("7", "70")


def test_audit_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["audit", "multiplication", "--level", "2", "--n", "10", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["false_positives"]["hits"] == 0
    assert found["false_positives"]["n"] == sum(
        kind["accepted"]["n"] for kind in found["kinds"] if kind["truth"] == "wrong"
    )
    assert found["tasks"] == 10
    assert invoke(["audit", "addition"]) == 0
    assert "near miss" in capsys.readouterr().out
    assert invoke(["audit", "adition"]) == 2
    assert "did you mean 'addition'" in capsys.readouterr().err
    assert invoke(["audit", "addition", "--level", "0"]) == 2
