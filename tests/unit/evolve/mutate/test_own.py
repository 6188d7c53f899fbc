"""Agents that edit themselves, in a real jail."""

from __future__ import annotations

import random

import pytest

from autotroph.core.budget import Meter
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.own import Own
from autotroph.evolve.protocols import Parent, Surroundings
from autotroph.sandbox.jail import Jail

META = """
STEP = 1

def edit(files, outcomes, feedback, seed):
    return {
        "main.py": files["main.py"] + f"# {outcomes} {feedback} {seed % 2} by {STEP}\\n",
        "meta.py": files["meta.py"].replace(f"STEP = {STEP}", f"STEP = {STEP + 1}"),
    }
"""


def agent(meta: str = META) -> Candidate:
    return Candidate.of({"main.py": "x = 1\n", "meta.py": meta, "eval.py": "judge()\n"}, frozen=("eval.py",))


def child(jail: Jail, parent: Candidate, fixed: Candidate | None = None) -> Candidate:
    asked = Parent(parent, 0.5, {0: 0.5}, {0: "half"})
    return Own(jail, fixed).edit([asked], Surroundings(random.Random(0), Meter())).candidate


def test_what_edits_is_inherited_and_edited(jail: Jail) -> None:
    first = child(jail, agent())
    second = child(jail, first)
    assert "# {0: 0.5} {0: 'half'}" in first.text("main.py")
    assert [one.text("meta.py").splitlines()[1] for one in (first, second)] == ["STEP = 2", "STEP = 3"]
    assert second.text("main.py").rstrip().endswith("by 2")


def test_a_fixed_editor_stays_what_it_was(jail: Jail) -> None:
    second = child(jail, child(jail, agent(), agent()), agent())
    assert second.text("main.py").rstrip().endswith("by 1")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return {'eval.py': 'accept()'}", "frozen"),
        ("return {}", "nothing is changed"),
        ("return {'../x': 'y'}", "leads out"),
        ("return 'done'", "gave str"),
        ("return {'main.py': 7}", "gave dict"),
        ("return {1: 'x'}", "gave dict"),
        ("raise ValueError", "raised ValueError"),
        ("import os; os._exit(0)", "ended with ok"),
    ],
)
def test_edits_that_are_refused(jail: Jail, body: str, why: str) -> None:
    with pytest.raises(NoEdit, match=why):
        child(jail, agent(f"def edit(files, outcomes, feedback, seed):\n    {body}\n"))
