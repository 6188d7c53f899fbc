"""A user's own tasks: one JSON object a line, scored by exact match or by the user's verifier."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.task import Provenance, Split, Task, split_of, stable_hash
from autotroph.tasks.family import ASCII
from autotroph.tasks.listed import Listed
from autotroph.tasks.worker import Worker

SHAPE = 'each line is {"prompt": str, "answer": str?, "level": int?, "split": "train|dev|sealed"?}'
ANSWER_LIMIT = 256
"""Characters that `max_answer` grants at least where a verifier decides."""


class Row(Config):
    prompt: str = Field(min_length=1)
    answer: str | None = None
    level: int = Field(1, ge=1)
    split: Split | None = None


class UserJsonl(Listed):
    """The tasks of a file, as "jsonl:<path>".

    Each line is {"prompt": str, "answer": str?, "level": int?, "split": "train|dev|sealed"?}; blank lines are skipped.
    A row without a split gets the one that its prompt's hash decides (10% sealed, 5% dev), wherever the file lies.

    `verifier`: "package.module:function" or "path/to/file.py:function", called as `verify(prompt, answer, gold)` in a
    worker process; it gives a score in [0, 1], a bool, or None for unscored. One that raises, gives anything else or
    takes longer than `timeout` seconds leaves the answer unscored, which `failures` counts. Without a verifier an
    answer counts when it equals the gold answer but for white space around it.
    """

    def __init__(self, path: str | Path, verifier: str | None = None, timeout: float = 10.0) -> None:
        self.path = Path(path)
        self.name = f"jsonl:{path}"
        self.failures = {"timeout": 0, "error": 0}
        self.worker: Worker | None = None
        if verifier is not None:
            self.worker = Worker(verifier, timeout)
            self.worker.failures = self.failures
            self.worker.start()
        self.tasks = self._read()
        levels = [task.level for task in self.tasks]
        self.levels = range(min(levels), max(levels) + 1)
        texts = "".join(task.prompt + (task.answer or "") for task in self.tasks)
        self.alphabet = "".join(sorted(set(texts) | (set(ASCII) if verifier else set())))

    def verify(self, task: Task, answer: str) -> float | None:
        """The verifier's score, or 1 for the gold answer and 0 for any other; None where it could not be scored."""
        if self.worker is None:
            return super().verify(task, answer.strip())
        score = self.worker.call(task.prompt, answer, task.answer)
        if score is None:
            return None
        if not isinstance(score, int | float) or not 0 <= score <= 1:
            self.failures["error"] += 1
            return None
        return float(score)

    def wrong_answers(self, task: Task) -> list[str]:
        """None where a verifier decides, as it may accept more than the gold answer."""
        return [] if self.worker else [miss for miss in super().wrong_answers(task) if miss.strip() != task.answer]

    def max_answer(self, level: int) -> int:
        longest = max((len(task.answer or "") for task in self.tasks if task.level == level), default=0)
        return max(longest, ANSWER_LIMIT) if self.worker else longest

    def _read(self) -> list[Task]:
        try:
            lines = self.path.read_text(encoding="utf-8-sig").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise AutotrophError(f"'{self.path}' cannot be read: {error}; give the path of a JSONL file") from error
        tasks: dict[str, Task] = {}
        first_line: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            task = self._task(line, f"'{self.path}' line {number}")
            if tasks.setdefault(task.key, task) != task:
                raise AutotrophError(
                    f"'{self.path}' line {number}: its prompt is that of line {first_line[task.key]} with another "
                    "answer, level or split; keep one of them"
                )
            first_line.setdefault(task.key, number)
        if not tasks:
            raise AutotrophError(f"'{self.path}' is empty; {SHAPE}")
        if not any(task.split == "sealed" for task in tasks.values()):
            raise AutotrophError(
                f"'{self.path}': none of its {len(tasks)} rows is sealed, so nothing can be evaluated; 10% are, by "
                'content: give 30 rows or more, or mark some with "split": "sealed"'
            )
        return list(tasks.values())

    def _task(self, line: str, where: str) -> Task:
        try:
            row = Row.model_validate_json(line, strict=True)
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(map(str, problem["loc"]))
            raise AutotrophError(f"{where}: {field + ': ' if field else ''}{problem['msg']}; {SHAPE}") from error
        if row.answer is None and self.worker is None:
            raise AutotrophError(f'{where}: no "answer"; add one, or give a verifier (module:function)')
        answer = row.answer if self.worker or row.answer is None else row.answer.strip()
        key = stable_hash("jsonl", row.prompt)
        return Task(
            key, self.name, row.prompt, answer, row.level, row.split or split_of(key), Provenance(str(self.path))
        )
