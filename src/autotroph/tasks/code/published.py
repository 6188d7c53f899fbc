"""HumanEval (arXiv:2107.03374) and MBPP (arXiv:2108.07732), from files in the formats in which they are published.

Their tests are programs that say themselves whether they hold, which an answer that runs beside them could forge. So
they run in a jail of their own, where the function that they test is a call into the jail of the answer.
"""

from __future__ import annotations

import ast
import doctest
import gzip
import json
import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Provenance, Split, Task, stable_hash
from autotroph.models.hub import fetched
from autotroph.sandbox import verdict
from autotroph.tasks.code.executed import LIMITS, Executed, jail, together
from autotroph.tasks.family import ASCII
from autotroph.tasks.listed import Listed

FILES = [f"{folder}*{ending}" for folder in ("", "*/") for ending in (".jsonl", ".jsonl.gz", ".parquet")]
PAGE = "docs/code_tasks.md"
MISTAKES = (KeyError, TypeError, AttributeError, ValueError, IndexError, SyntaxError, StopIteration)
ANSWER_LIMIT = 2000
"""Characters that `max_answer` grants at least."""
FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Problem:
    """A row of a file: `context` comes before a solution, `shown` and `tests` are tests of the function `entry`."""

    id: str
    prompt: str
    context: str
    solution: str
    entry: str
    shown: Sequence[str]
    tests: Sequence[str]
    split: Split


class Published(Executed, Listed):
    """The problems of `source`: a file, a folder of such files, or a hub id. An answer is Python, fenced or not."""

    kind: str
    levels = range(1, 2)

    def __init__(self, source: str | Path) -> None:
        self.name = f"{self.kind}:{source}"
        self.problems = {stable_hash(self.kind, one.id): one for one in self._problems(source)}
        self.tasks = [
            Task(key, self.name, one.prompt, one.solution, 1, one.split, Provenance(one.id), _meta(one))
            for key, one in self.problems.items()
        ]
        texts = "".join(task.prompt + (task.answer or "") for task in self.tasks)
        self.alphabet = "".join(sorted(set(ASCII + texts)))

    @abstractmethod
    def problem(self, row: Mapping[str, Any]) -> Problem:
        """Raises what is in MISTAKES for a row of another format."""

    def _problems(self, source: str | Path) -> Iterator[Problem]:
        for where, row in rows(source):
            try:
                yield self.problem(row)
            except MISTAKES as error:
                what = f"{type(error).__name__}: {error}"
                raise AutotrophError(f"{where}: not a row of {self.kind} ({what}); see {PAGE}") from error

    def program(self, task: Task, answer: str) -> str:
        """What comes before a solution and the answer, or the answer alone where it has the whole function."""
        problem, fenced = self.problems[task.key], FENCED.search(answer)
        code = fenced[1] if fenced else answer
        whole = re.search(rf"^(def {problem.entry}\b|{problem.entry} *=)", code, re.MULTILINE)
        return (problem.context.partition(f"def {problem.entry}")[0] if whole else problem.context) + code

    def verify_all(self, pairs: Sequence[tuple[Task, str]]) -> list[float | None]:
        return together([partial(self._tested, *pair) for pair in pairs])

    def _tested(self, task: Task, answer: str) -> float | None:
        """1 where all tests hold, else 0; None where there is none to run."""
        tests = {str(number): test for number, test in enumerate(task.meta["cases"])}
        if not tests:
            return None
        entry = self.problems[task.key].entry
        return float(verdict.asserts(jail(), self.program(task, answer), [entry], tests, LIMITS).passed)

    def wrong_answers(self, task: Task) -> list[str]:
        """Those of which no published test should think well: nothing, and programs that only end."""
        entry = self.problems[task.key].entry
        return ["", f"{entry} = 0", "raise SystemExit", "import os\nos._exit(0)", f"def {entry}(*given):\n    exit()"]

    def equivalent_answers(self, task: Task) -> list[str]:
        return [f"```python\n{task.answer}\n```", self.problems[task.key].context + (task.answer or "")]

    def max_answer(self, level: int) -> int:
        return max(ANSWER_LIMIT, *(len(task.answer or "") for task in self.tasks))


class HumanEval(Published):
    """As "humaneval:<file or hub id>"; the prompt is to be gone on with. All are sealed: there is nothing to practise.

    Rows: task_id, prompt, canonical_solution, test, entry_point. The docstring's doctests are what is shown.
    """

    kind = "humaneval"

    def problem(self, row: Mapping[str, Any]) -> Problem:
        prompt, shown = row["prompt"], _doctests(row["prompt"], row["entry_point"])
        return Problem(
            row["task_id"],
            prompt,
            prompt,
            row["canonical_solution"],
            row["entry_point"],
            [f"assert repr({one.source.strip()}) == {one.want.strip()!r}" for one in shown if one.want],
            [f"{row['test']}\ncheck({row['entry_point']})"],
            "sealed",
        )


class MBPP(Published):
    """As "mbpp:<file or hub id>"; the prompt is what is asked and the first of the tests.

    Rows: task_id, text (sanitized: prompt), code, test_list, test_setup_code (sanitized: test_imports). Ids of the
    published test split, 11 to 510, are sealed, 511 to 600 dev, all others train.
    """

    kind = "mbpp"

    def problem(self, row: Mapping[str, Any]) -> Problem:
        tests, code, number = row["test_list"], row["code"].replace("\r\n", "\n"), int(row["task_id"])
        setup = "\n".join(row["test_imports"]) if "test_imports" in row else row["test_setup_code"]
        entry = _entry(code, tests[0])
        text = row["prompt"] if "prompt" in row else row["text"]
        return Problem(
            f"mbpp/{number}",
            f"{text.strip()}\n{tests[0]}\n",
            f"{setup}\n",
            code,
            entry,
            [f"{setup}\n{tests[0]}"],
            [f"{setup}\n{test}" for test in tests],
            "sealed" if 11 <= number <= 510 else "dev" if 511 <= number <= 600 else "train",
        )


def _doctests(prompt: str, entry: str) -> list[doctest.Example]:
    """Those in the docstring of a function."""
    defined = {node.name: node for node in ast.walk(ast.parse(prompt)) if isinstance(node, ast.FunctionDef)}
    return doctest.DocTestParser().get_examples(ast.get_docstring(defined[entry]) or "")


def _entry(code: str, test: str) -> str:
    """The first function of the code that the test calls."""
    defined = {node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
    called = [node.func for node in ast.walk(ast.parse(test.strip())) if isinstance(node, ast.Call)]
    return next(one.id for one in called if isinstance(one, ast.Name) and one.id in defined)


def _meta(problem: Problem) -> dict[str, Any]:
    return {"shown": problem.shown, "cases": problem.tests}


def rows(source: str | Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(where it stands, row) of every row of a file, of the files of a folder, or of those of a dataset on the hub."""
    paths = [Path(source)]
    if not paths[0].is_file():
        folder = fetched(source, kind="dataset", files=FILES)
        paths = sorted(path for pattern in FILES for path in folder.glob(pattern))
    if not paths:
        raise AutotrophError(f"dataset '{source}': no {' or '.join(FILES[:3])}; see {PAGE}")
    for path in paths:
        for number, row in enumerate(_read(path), 1):
            yield f"{path}, row {number}", row


def _read(path: Path) -> list[Mapping[str, Any]]:
    """Raises AutotrophError for a file that is not in the format that its name says."""
    try:
        if path.suffix == ".parquet":
            from pyarrow import parquet

            found: list[Mapping[str, Any]] = parquet.read_table(path).to_pylist()
            return found
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        return [json.loads(line) for line in data.decode().splitlines() if line.strip()]
    except ImportError:
        raise AutotrophError(f"{path}: parquet needs pyarrow; pip install pyarrow, or give a .jsonl file") from None
    except (OSError, ValueError, EOFError) as error:
        raise AutotrophError(
            f"{path}: cannot be read ({error}); give JSON lines, gzipped or not, or parquet"
        ) from error
