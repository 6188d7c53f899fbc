"""The Abstraction and Reasoning Corpus (arXiv:1911.01547), from its JSON files: a grid, or a program that makes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.task import Provenance, Split, Task, split_of, stable_hash
from autotroph.tasks.code.executed import Executed
from autotroph.tasks.family import ASCII
from autotroph.tasks.listed import Listed

Row = Annotated[list[Annotated[int, Field(ge=0, le=9)]], Field(min_length=1, max_length=30)]
Grid = Annotated[list[Row], Field(min_length=1, max_length=30)]


SIGNATURE = "\ndef transform(grid: list[list[int]]) -> list[list[int]]:\n"


class Pair(Config):
    input: Grid
    output: Grid


class Puzzle(Config):
    train: Annotated[list[Pair], Field(min_length=1)]
    test: Annotated[list[Pair], Field(min_length=1)]


def written(grid: Sequence[Sequence[int]]) -> str:
    """One line a row, one digit a cell."""
    return "\n".join("".join(map(str, row)) for row in grid)


def prompt(shown: Sequence[Pair], question: Sequence[Sequence[int]]) -> str:
    pairs = "".join(f"in\n{written(pair.input)}\nout\n{written(pair.output)}\n" for pair in shown)
    return f"{pairs}in\n{written(question)}\nout\n"


class Arc(Listed):
    """As "arc:<file or folder>": a task for each test grid, whose answer is the grid to be found, exactly.

    Puzzles in a folder named `evaluation` are sealed; those in one named `training` are train, a twentieth of them dev;
    for any other the hash of the prompt decides, as for all tasks.
    """

    kind = "arc"
    levels = range(1, 2)
    alphabet = "0123456789\ninout"

    def __init__(self, source: str | Path) -> None:
        self.name = f"{self.kind}:{source}"
        self.tasks = [task for path, puzzle in puzzles(Path(source)) for task in self.posed(path, puzzle)]

    def posed(self, path: Path, puzzle: Puzzle) -> Iterator[Task]:
        for pair in puzzle.test:
            yield self.task(path, prompt(puzzle.train, pair.input), written(pair.output), {})

    def task(self, path: Path, text: str, answer: str | None, meta: dict[str, Any]) -> Task:
        key = stable_hash(self.kind, text)
        split = split_of(key)
        folder: dict[str, Split] = {"evaluation": "sealed", "training": "train" if split == "sealed" else split}
        return Task(key, self.name, text, answer, 1, folder.get(path.parent.name, split), Provenance(str(path)), meta)

    def max_answer(self, level: int) -> int:
        return max(len(task.answer or "") for task in self.tasks)


class ArcPrograms(Executed, Arc):
    """As "arc_programs:<file or folder>": a task for each puzzle; the answer is Python with `transform(grid)`.

    It is judged on the test grids; the train pairs are what it may be tried on.
    """

    kind = "arc_programs"
    entry = "transform"
    alphabet = ASCII

    def posed(self, path: Path, puzzle: Puzzle) -> Iterator[Task]:
        shown, cases = ([((pair.input,), pair.output) for pair in pairs] for pairs in (puzzle.train, puzzle.test))
        text = prompt(puzzle.train, puzzle.test[0].input) + SIGNATURE
        yield self.task(path, text, None, {"shown": shown, "cases": cases})

    def program(self, task: Task, answer: str) -> str | None:
        return answer

    def max_answer(self, level: int) -> int:
        return 2000


def puzzles(source: Path) -> Iterator[tuple[Path, Puzzle]]:
    """Raises AutotrophError for what is no puzzle, and where there is none."""
    paths = [source] if source.is_file() else sorted(source.rglob("*.json"))
    if not paths:
        raise AutotrophError(f"arc '{source}': no .json file; give one, or a folder of them")
    for path in paths:
        try:
            yield path, Puzzle.model_validate(json.loads(path.read_text()), strict=True)
        except (OSError, ValueError, RecursionError) as error:
            what = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
            raise AutotrophError(f"{path}: no ARC puzzle ({what}); it needs train and test pairs of grids") from error
