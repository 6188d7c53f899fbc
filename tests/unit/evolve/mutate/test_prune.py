"""Prompts that become shorter."""

import pytest
from evolve.mutate.programs import child
from hypothesis import given, settings
from hypothesis import strategies as st

from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.prune import UNITS, Prune


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1), st.sampled_from(list(UNITS)), st.integers(0, 2**32))
def test_pruning_shortens_by_one_to_four_units(text: str, unit, seed: int) -> None:
    parent = Candidate.of({"prompt.txt": text})
    before = len(UNITS[unit].findall(text))
    if before < 2:
        with pytest.raises(NoEdit):
            child(Prune(unit), parent, seed=seed)
        return
    edit = child(Prune(unit), parent, seed=seed)
    after = edit.candidate.text("prompt.txt")
    assert 0 < len(after) < len(text)
    assert f"{edit.note.split()[1]} of {before}" in edit.note
    assert 1 <= int(edit.note.split()[1]) <= 4
    kept = iter(text)
    assert all(sign in kept for sign in after)  # what is left is in its old order
    assert child(Prune(unit), parent, seed=seed) == edit


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("word", {" b.\nc", "a\nc", "a b."}),
        ("piece", {" b.\nc", "a.\nc", "a b\nc", "a b."}),
        ("line", {"\nc", "a b."}),
    ],
)
def test_units(unit, expected: set[str]) -> None:
    one = Prune(unit, most=1)
    assert {child(one, Candidate.of({"p.md": "a b.\nc"}), seed=s).candidate.text("p.md") for s in range(60)} == expected


def test_only_texts_that_are_open_are_pruned() -> None:
    candidate = Candidate.of({"main.py": "x = 1\n", "a.txt": "one two", "fixed.txt": "a b c"}, frozen=("fixed.*",))
    for seed in range(10):
        changed = child(Prune(), candidate, seed=seed).candidate
        assert changed.text("a.txt") != "one two"
        assert changed.files["main.py"] == candidate.files["main.py"]
    with pytest.raises(NoEdit, match="no file to edit"):
        child(Prune(), Candidate.of({"main.py": "x = 1\n"}))
