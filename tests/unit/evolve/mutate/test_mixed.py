"""Mutators of mutators, what is known already, names, and limits of size."""

import random
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from evolve.mutate.programs import PROGRAMS, child

from autotroph.core.errors import AutotrophError
from autotroph.evolve.candidate import Candidate, NoEdit
from autotroph.evolve.mutate.chain import Chain
from autotroph.evolve.mutate.mixed import Mixed
from autotroph.evolve.mutate.novelty import Known, Novel
from autotroph.evolve.mutate.registry import mixture, mutator, names
from autotroph.evolve.mutate.syntax import Syntax
from autotroph.evolve.protocols import Edit


@dataclass(frozen=True)
class Writes:
    """Writes one of its texts; with none, it makes nothing."""

    name: str
    texts: tuple[str, ...] = ()
    parents: int = 1
    draws: int = 1

    def edit(self, parents, around) -> Edit:
        for _ in range(self.draws):
            text = around.rng.choice(self.texts or ("",))
        if not self.texts:
            raise NoEdit(f"nothing at {around.rng.random()}", "nothing")
        return Edit(parents[0].candidate.edited({"a.py": text}), f"by {self.name}")


START = Candidate.of({"a.py": "x = 1\n"})


def test_draws_are_by_weight() -> None:
    mixed = Mixed(((Writes("one", ("1",)), 3.0), (Writes("other", ("2",)), 1.0), (Writes("never", ("3",)), 0.0)))
    found = Counter(child(mixed, START, seed=seed).mutator for seed in range(400))
    assert set(found) == {"one", "other"}
    assert 260 < found["one"] < 340  # 300 expected, standard deviation 8.7


def test_another_is_drawn_where_one_makes_nothing() -> None:
    mixed = Mixed(((Writes("empty"), 1000.0), (Writes("full", ("2",)), 1.0)))
    edit = child(mixed, START)
    assert (edit.mutator, edit.failed, edit.note) == ("full", (("empty", "nothing"),), "by full")
    with pytest.raises(NoEdit) as caught:
        child(Mixed(((Writes("empty"), 1.0), (Writes("void"), 1.0)), tries=3), START)
    assert caught.value.kind == "no edit found"
    assert sorted(set(caught.value.failed)) == [("empty", "nothing"), ("void", "nothing")]
    assert len(caught.value.failed) == 3


def test_how_much_one_draws_changes_nothing_for_the_others() -> None:
    def after(draws: int) -> Edit:
        mixed = Mixed(((Writes("empty", draws=draws), 1e9), (Writes("full", tuple("abcdefgh")), 1.0)))
        return child(mixed, START)

    assert after(1) == after(50)


def test_weights_that_are_none() -> None:
    for weights in ((), (0.0,), (1.0, -1.0), (float("nan"),)):
        with pytest.raises(AutotrophError, match="weights"):
            Mixed(tuple((Writes("one"), weight) for weight in weights))


def test_a_mixture_takes_as_many_parents_as_any_of_its_parts() -> None:
    assert mixture({"syntax": 3, "crossover": 1}).parents == 2
    assert Chain((mutator("crossover"), mutator("syntax"))).parents == 2


def test_a_chain_edits_one_after_another() -> None:
    chain = Chain((Writes("one", ("y = 1\n",)), Writes("empty"), Syntax(more=0.0)))
    edit = child(chain, START)
    assert edit.mutator == "one+syntax"
    assert edit.failed == (("empty", "nothing"),)
    assert edit.note.startswith("by one; a.py: ")
    assert edit.candidate.text("a.py") != "y = 1\n"


def test_a_chain_that_makes_nothing() -> None:
    with pytest.raises(NoEdit, match="empty: nothing"):
        child(Chain((Writes("empty"),)), START)
    with pytest.raises(NoEdit, match="nothing is changed"):
        child(Chain((Writes("there", ("y = 1\n",)), Writes("back", ("x = 1\n",)))), START)


def test_an_empty_diff_is_refused() -> None:
    with pytest.raises(NoEdit, match="nothing is changed"):
        child(Writes("same", ("x = 1\n",)), START)


def kind(known: Known, text: str, **more: str) -> str | None:
    try:
        known.check(Candidate.of({"a.py": text, **more}))
    except NoEdit as error:
        return error.kind
    return None


def test_what_is_known() -> None:
    known = Known()
    known.add(START)
    known.add(START)
    assert len(known) == 1
    assert kind(known, "x = 1\n") == "duplicate"
    assert kind(known, "x  =  1  # so\n") == "duplicate program"
    assert kind(known, "x = 2\n") is None
    assert kind(known, "x = 1\n", more="1") is None
    known.add(Candidate.of({"a.py": "no program at all ("}))
    assert kind(known, "no program at all ( ") is None


def test_what_is_near() -> None:
    known, text = Known(threshold=0.8), "".join(f"word{i} = other{i} + {i}\n" for i in range(40))
    known.add(Candidate.of({"a.py": text}))
    assert kind(known, text.replace("word20", "changed")) == "near duplicate"
    assert kind(known, text.replace("other", "changed")) is None
    assert kind(Known(), text) is None
    for threshold in (0.0, 1.0, -1.0, 2.0):
        with pytest.raises(ValueError, match="threshold"):
            Known(threshold=threshold)


def test_only_what_is_new_is_passed_on_and_what_is_not_is_counted() -> None:
    known = Known()
    known.add(Candidate.of({"a.py": "y = 1\n"}))
    inner = Writes("w", ("y = 1\n", "y = 2\n"))
    seen = [child(Novel(inner, known, tries=20), START, seed=seed) for seed in range(20)]
    assert {edit.candidate.text("a.py") for edit in seen} == {"y = 2\n"}
    assert {failed for edit in seen for failed in edit.failed} == {("w", "duplicate")}
    with pytest.raises(NoEdit) as caught:
        child(Novel(Writes("w", ("y = 1\n",)), known, tries=3), START)
    assert (caught.value.kind, caught.value.failed) == ("duplicate", (("w", "duplicate"),) * 3)
    with pytest.raises(NoEdit, match="nothing at"):
        child(Novel(Writes("empty"), known), START)


def test_names() -> None:
    assert names() == ["constants", "crossover", "llm", "merge", "own", "prune", "replay", "syntax", "text"]
    for name in names():
        if name != "llm":
            assert mutator(name).parents in (1, 2, 3)
    assert mutator("syntax", more=0.0) == Syntax(more=0.0)
    assert mutator(f"{__name__}:Writes", name="own").name == "own"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("syntx", {}, "did you mean 'syntax'"),
        ("zzzz", {}, "there are constants"),
        ("registry", {}, "no mutator"),
        ("syntax", {"speed": 1}, "unexpected keyword argument 'speed'"),
        ("nowhere.at.all:M", {}, "No module named"),
        ("nowhere.py:M", {}, "no such file"),
    ],
)
def test_names_that_are_none(name: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(AutotrophError, match=message):
        mutator(name, **settings)


def test_a_mutator_in_a_file_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from autotroph.evolve.protocols import Edit\n\n\nclass Mine:\n    name, parents = 'mine', 1\n\n"
        "    def edit(self, parents, around):\n"
        "        return Edit(parents[0].candidate.edited({'a.py': 'x = 7\\n'}))\n"
    )
    assert child(mutator(f"{tmp_path / 'mine.py'}:Mine"), START).candidate.text("a.py") == "x = 7\n"


def test_the_mutator_of_the_documentation(tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "mutators.md").read_text()
    code = next(part.split("```")[0] for part in page.split("```python\n") if "class Shout" in part)
    (tmp_path / "mine.py").write_text(code)
    shout = mutator(f"{tmp_path / 'mine.py'}:Shout")
    assert child(shout, Candidate.of({"a.txt": "so"})).candidate.text("a.txt") == "SO"
    assert all(f"| `{name}` |" in page for name in names())


def test_the_same_seed_makes_the_same_child_of_a_mixture() -> None:
    mixed = mixture({"syntax": 3, "crossover": 1, "constants": 1}, {"constants": {"integers": True}})
    for seed in range(30):
        parents = [Candidate.of({"a.py": random.Random(seed + i).choice(PROGRAMS)}) for i in range(2)]
        assert child(mixed, *parents, seed=seed) == child(mixed, *parents, seed=seed)


def test_a_child_that_is_too_large_is_no_edit() -> None:
    many = {f"{i}.py": "" for i in range(2000)}
    for changes in ({"a.py": "x" * (9 << 20)}, many, {"../a": "1"}, {"\ud800": "1"}, {"a/" * 99 + "a": "1"}):
        with pytest.raises(NoEdit):
            START.edited(changes)
    with pytest.raises(NoEdit, match="no text"):
        START.edited({"a.py": "\ud800"})


def test_a_folder_of_a_gigabyte_or_of_too_many_files_is_refused_at_once(tmp_path: Path) -> None:
    large, many = tmp_path / "large", tmp_path / "many"
    large.mkdir()
    many.mkdir()
    with open(large / "data", "wb") as file:
        file.truncate(1 << 30)
    for i in range(1100):
        (many / str(i)).touch()
    for folder in (large, many):
        begun = time.process_time()
        with pytest.raises(AutotrophError, match="more than 1000 files or 8 MB"):
            Candidate.read(folder)
        assert time.process_time() - begun < 2.0


def test_a_folder_without_bottom_is_refused(tmp_path: Path) -> None:
    now = tmp_path
    for _ in range(110):
        now /= "d"
        now.mkdir()
    with pytest.raises(AutotrophError, match="100 deep"):
        Candidate.read(tmp_path)


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    candidate = Candidate({"a.py": b"x = 1\n", "b\udcff/c": b"1"})
    candidate.write(tmp_path)
    assert Candidate.stored(tmp_path) == candidate
    with pytest.raises(AutotrophError, match="too long to be kept"):
        Candidate({"a" * 256: b"1"})
