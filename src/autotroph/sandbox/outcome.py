"""What a candidate may use, what it is given, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

MB = 1 << 20

Status = Literal["ok", "error", "timeout", "memory", "killed"]
"""ended with exit code 0; with another; out of time; killed by the memory limit; ended by another signal. A description
of the process, never a verdict: a candidate ends as it likes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`wall` and `cpu`: seconds. `memory`: bytes, of each process and, where there are control groups, of all together
    with their files. `disk`: bytes of all files, and of any one output. `files`: their number. `processes`: with
    threads. `output`: bytes that are read of standard output, of standard error and of the answers."""

    wall: float = 5.0
    cpu: float = 5.0
    memory: int = 256 * MB
    disk: int = 16 * MB
    files: int = 1000
    processes: int = 16
    output: int = MB


DEFAULTS = Limits()


@dataclass(frozen=True, slots=True)
class Calls:
    """One function of a program is called on each of these arguments, which are plain data."""

    function: str
    arguments: Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one call gave: a value of plain data, or the name of what it raised and its text."""

    value: Any = None
    error: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds and bytes; `memory` is the peak of the candidate's first process."""

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All of it but `status` and `usage` is what the candidate says. `answers` are as many as it got to."""

    status: Status
    stdout: str
    stderr: str
    answers: tuple[Answer, ...]
    code: int
    usage: Usage
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def value(self) -> Any:
        """Of the first call; None where there is none."""
        return self.answers[0].value if self.answers else None
