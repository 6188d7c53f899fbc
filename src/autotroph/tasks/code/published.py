"""HumanEval (arXiv:2107.03374) and MBPP (arXiv:2108.07732), from files in the formats in which they are published.

Their tests are programs that say themselves whether they pass, which an answer that runs beside them could forge. So
they run once, in the jail, on the reference solution, and only to see what they call it with. Those calls and what the
reference gave are the cases; answers get the calls, and their values are compared outside, as EvalPlus compares them
(arXiv:2305.01210). A value that tests would admit and that differs from the reference's is refused.
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
from pathlib import Path
from textwrap import indent
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.task import Provenance, Split, Task, stable_hash
from autotroph.models.hub import fetched
from autotroph.sandbox import Calls
from autotroph.tasks.code.executed import Executed, executed
from autotroph.tasks.family import ASCII
from autotroph.tasks.listed import Listed

FILES = [f"{folder}*{ending}" for folder in ("", "*/") for ending in (".jsonl", ".jsonl.gz", ".parquet")]
ANSWER_LIMIT = 2000
"""Characters that `max_answer` grants at least."""
FENCED = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)

TRACE = """
def trace():
    import copy
    def recorded(tests):
        calls, reference = [], {entry}
        def candidate(*given):
            kept = copy.deepcopy(given)
            value = reference(*given)
            calls.append((kept, copy.deepcopy(value)))
            return value
        tests(candidate)
        return calls
    return recorded(shown), recorded(check)
"""
"""Lists of (arguments, value): of the calls that the prompt shows, and of those that the tests make."""


@dataclass(frozen=True)
class Problem:
    """A row of a file. `context` comes before a solution; `shown` are statements that call the function, which `tests`
    define as `check(candidate)` to do, too."""

    id: str
    prompt: str
    context: str
    solution: str
    entry: str
    shown: Sequence[str]
    tests: str
    split: Split

    @property
    def traced(self) -> str:
        """A program whose function `trace` calls the reference as prompt and tests do."""
        tries = "".join(f"try:\n    {line}\nexcept Exception:\n    pass\n" for line in self.shown)
        shown = f"def shown({self.entry}):\n" + indent(tries + "pass\n", "    ")
        return "\n".join([self.context + self.solution, self.tests, shown, TRACE.format(entry=self.entry)])


class Published(Executed, Listed):
    """The problems of `source`: a file, a folder of such files, or a hub id. An answer is Python, fenced or not.

    `left_out` names those whose reference fails its own tests, or gives what is no plain data.
    """

    kind: str
    levels = range(1, 2)

    def __init__(self, source: str | Path) -> None:
        self.name = f"{self.kind}:{source}"
        problems = [self._problem(row, where) for where, row in rows(source)]
        outcomes = executed([(problem.traced, Calls("trace", [()])) for problem in problems])
        traces = [outcome.value for outcome in outcomes]
        self.left_out = [one.id for one, trace in zip(problems, traces, strict=True) if not (trace and trace[1])]
        self.problems = {stable_hash(self.kind, one.id): one for one in problems if one.id not in self.left_out}
        self.tasks = [
            Task(key, self.name, one.prompt, one.solution, 1, one.split, Provenance(one.id), _cases(trace))
            for (key, one), trace in zip(self.problems.items(), filter(lambda t: t and t[1], traces), strict=True)
        ]
        if not self.tasks:
            raise AutotrophError(f"task '{self.name}': no problem whose reference passes its tests; check the file")
        texts = "".join(task.prompt + (task.answer or "") for task in self.tasks)
        self.alphabet = "".join(sorted(set(ASCII + texts)))

    @abstractmethod
    def problem(self, row: Mapping[str, Any]) -> Problem:
        """Raises KeyError for a row that lacks a field."""

    def _problem(self, row: Mapping[str, Any], where: str) -> Problem:
        try:
            return self.problem(row)
        except (KeyError, TypeError, SyntaxError, StopIteration) as error:
            raise AutotrophError(f"{where}: not a row of {self.kind} ({type(error).__name__}: {error}); see {PAGE}") from error

    def program(self, task: Task, answer: str) -> str | None:
        problem, fenced = self.problems[task.key], FENCED.search(answer)
        code = fenced[1] if fenced else answer
        whole = re.search(rf"^(?:async )?def {problem.entry}\b|^{problem.entry} *=", code, re.MULTILINE)
        context = problem.context.partition(f"def {problem.entry}")[0] if whole else problem.context
        return f"{context}{code}\nf = {problem.entry}\n"

    def wrong_answers(self, task: Task) -> list[str]:
        entry, ends = self.problems[task.key].entry, ["raise SystemExit", "import os\nos._exit(0)"]
        nothing = [] if all(value is None for _, value in task.meta["cases"]) else [f"def {entry}(*given):\n    pass"]
        return ["", f"{entry} = print", *ends, *nothing]

    def equivalent_answers(self, task: Task) -> list[str]:
        return [f"```python\n{task.answer}\n```", self.problems[task.key].context + (task.answer or "")]

    def max_answer(self, level: int) -> int:
        return max(ANSWER_LIMIT, *(len(task.answer or "") for task in self.tasks))


class HumanEval(Published):
    """As "humaneval:<file or hub id>"; the prompt is to be gone on with. All are sealed: there is nothing to practise.

    Rows: task_id, prompt, canonical_solution, test, entry_point. Calls in the docstring's doctests are what is shown.
    """

    kind = "humaneval"

    def problem(self, row: Mapping[str, Any]) -> Problem:
        prompt, shown = row["prompt"], doctest.DocTestParser().get_examples(row["prompt"])
        return Problem(
            row["task_id"],
            prompt,
            prompt,
            row["canonical_solution"],
            row["entry_point"],
            [one.source.strip() for one in shown if one.source.count("\n") == 1],
            row["test"],
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
            tests[:1],
            f"def check({entry}):\n" + indent("\n".join(tests), "    "),
            "sealed" if 11 <= number <= 510 else "dev" if 511 <= number <= 600 else "train",
        )


PAGE = "docs/code_tasks.md"


def _entry(code: str, test: str) -> str:
    """The first function of the code that the test calls."""
    defined = {node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
    called = [node.func for node in ast.walk(ast.parse(test.strip())) if isinstance(node, ast.Call)]
    return next(one.id for one in called if isinstance(one, ast.Name) and one.id in defined)


def _cases(trace: Any) -> dict[str, Any]:
    return {"shown": trace[0], "cases": trace[1]}


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
        raise AutotrophError(f"{path}: reading parquet needs pyarrow; pip install pyarrow, or give a .jsonl file") from None
    except (OSError, ValueError, EOFError) as error:
        raise AutotrophError(f"{path}: cannot be read ({error}); give JSON lines, gzipped or not, or parquet") from error
