"""Where candidates are run: once in a jail of their own, or one after the other in warm ones."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeGuard

from autotroph.sandbox.directory import Directory
from autotroph.sandbox.outcome import DEFAULTS, Calls, Limits, Outcome, Usage
from autotroph.sandbox.worker import Damaged, Worker

IMPORTS = (
    "bisect", "collections", "copy", "decimal", "fractions", "functools", "hashlib", "heapq", "itertools", "json",
    "math", "operator", "random", "re", "statistics", "string", "threading", "typing",
)  # fmt: skip
"""What most programs import; a warm Python has it already."""

LOST = Outcome("killed", "", "", (), -9, Usage(0, 0, 0))
"""Of a candidate whose jail died with it, twice."""

Input = str | Calls
"""Text on standard input of a whole program, or calls of one of its functions."""


def run(program: str, input: Input = "", limits: Limits = DEFAULTS) -> Outcome:
    """One program in a jail that is made for it and gone after it."""
    with Jail(workers=1, imports=()) as jail:
        return jail.run(program, input, limits)


class Jail:
    """Warm jails, each with a Python that has imported `imports`; `packages` are further folders to import from.

    Every candidate gets a fresh child, which shares nothing with the one before it. With `fresh` it gets a whole jail,
    which is gone after it; the next one starts while it runs. A jail that does not answer is replaced, and its
    candidate run again in the new one, once. May be used by several threads: `workers` of them at a time, the others
    wait.
    """

    def __init__(
        self,
        workers: int | None = None,
        imports: Sequence[str] = IMPORTS,
        packages: Sequence[Path] = (),
        down: frozenset[str] = frozenset(),
        fresh: bool = False,
    ) -> None:
        self._make: Callable[[], Worker] = lambda: Worker(imports, packages, down)
        self._fresh = fresh
        self._free: list[Worker] = []
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(workers or os.cpu_count() or 1)

    def __enter__(self) -> Jail:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, program: str, input: Input = "", limits: Limits = DEFAULTS) -> Outcome:
        """Runs a program in a fresh child of a warm jail. Raises AutotrophError where no jail can be had."""
        if isinstance(input, str):
            return self.order({"kind": "script", "source": program}, input, limits)
        order = {"kind": "calls", "source": program, "function": input.function, "arguments": list(input.arguments)}
        return self.order(order, "", limits)

    def call(self, directory: Directory, main: str, calls: Calls, limits: Limits = DEFAULTS) -> Outcome:
        """As `run`, of a program that is a folder: `main` is the file whose function is called, the others are there to
        be imported and read. A `main` that is absent or no text is a program that raises.
        """
        source = directory.files.get(main, b"raise FileNotFoundError('no %s')" % main.encode()).decode(errors="replace")
        others = {name: data for name, data in directory.files.items() if name != main}
        order = {"kind": "calls", "source": source, "function": calls.function, "arguments": list(calls.arguments)}
        return self.order({**order, "files": others} if others else order, "", limits)

    def command(
        self,
        directory: Directory,
        command: Sequence[str],
        stdin: str = "",
        limits: Limits = DEFAULTS,
        collect: Sequence[str] = (),
    ) -> Outcome:
        """Runs a command in a folder of the directory's files. `collect`: files to have back, in `outcome.files`."""
        order = {"kind": "command", "files": dict(directory.files), "command": list(command), "collect": list(collect)}
        outcome = self.order(order, stdin, limits)
        named = (answer.value for answer in outcome.answers)
        files = {name: data for name, data in filter(_is_file, named) if name in collect}
        return replace(outcome, answers=(), files=files)

    def order(self, order: Mapping[str, Any], stdin: str, limits: Limits) -> Outcome:
        """As `run`, for what the runner inside knows to do."""
        with self._slots:
            for _ in range(2):
                with suppress(Damaged):
                    return self._once(self._taken(), order, stdin, limits)
        return LOST

    def pair(self, program: Mapping[str, Any], tests: Mapping[str, Any], limits: Limits) -> Outcome:
        """Two orders in two jails that can talk to each other; the outcome is that of `tests`.

        Neither begins before both jails are ready: the time of the one would run while the other still starts.
        """
        to_program, to_tests = os.pipe(), os.pipe()
        with self._slots, ThreadPoolExecutor(1) as other:
            first, second = self._taken(), self._taken()
            for worker in (first, second):
                worker.ready()
            other.submit(self._alone, first, program, limits, (to_program[0], to_tests[1]))
            return self._alone(second, tests, limits, (to_tests[0], to_program[1]))

    def _alone(self, worker: Worker, order: Mapping[str, Any], limits: Limits, extra: Sequence[int]) -> Outcome:
        with suppress(Damaged):
            return self._once(worker, order, "", limits, extra)
        return LOST

    def _taken(self) -> Worker:
        """One that nobody else uses, and that nobody has killed while it waited."""
        with self._lock:
            while self._free:
                worker = self._free.pop()
                if worker.alive:
                    return worker
                worker.close()
        return self._make()

    def _once(
        self, worker: Worker, order: Mapping[str, Any], stdin: str, limits: Limits, extra: Sequence[int] = ()
    ) -> Outcome:
        if self._fresh:
            return self._used_up(worker, order, stdin, limits, extra)
        outcome = worker.run(order, stdin, limits, extra)
        with self._lock:
            self._free.append(worker)
        return outcome

    def _used_up(
        self, worker: Worker, order: Mapping[str, Any], stdin: str, limits: Limits, extra: Sequence[int]
    ) -> Outcome:
        """The worker's only candidate; meanwhile the next worker starts."""
        following = self._make()
        with self._lock:
            self._free.append(following)
        try:
            return worker.run(order, stdin, limits, extra)
        finally:
            worker.close()

    def close(self) -> None:
        """Ends the jails that are not at work."""
        with self._lock:
            for worker in self._free:
                worker.close()
            self._free.clear()


def _is_file(claim: object) -> TypeGuard[tuple[str, bytes]]:
    match claim:
        case (str(), bytes()):
            return True
    return False
