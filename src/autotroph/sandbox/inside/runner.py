"""Runs the candidate's code and writes down what came of it; what it writes is a claim, to be judged outside."""

from __future__ import annotations

import builtins
import marshal
import os
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import plain

REPLY = 3
CHUNK = 1 << 20


def run(request: int) -> int:
    """Reads what is to be done from a descriptor, does it, and gives the exit code."""
    order = marshal.loads(read(request))
    os.close(request)
    return int(KINDS[order.pop("kind")](**order))


def script(source: str) -> int:
    """A whole program, which reads its input from descriptor 0 and ends as Python programs end."""
    code = end(lambda: load(source))
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()
    flush()
    return code


def calls(source: str, function: str, arguments: list[tuple[Any, ...]]) -> int:
    """Defines the program and calls one function of it on each of the arguments; an answer is written at once."""
    code = end(lambda: load(source))
    if code:
        return code
    main = vars(sys.modules["__main__"])
    for given in arguments:
        say(attempt(lambda given=given: main[function](*given)))  # type: ignore[misc]
    flush()
    return 0


def attempt(action: Callable[[], object]) -> tuple[object, ...]:
    """(True, value), or (False, name of what was raised, its text)."""
    try:
        return True, action()
    except BaseException as error:
        return False, type(error).__name__, str(error)[:500]


def say(answer: tuple[object, ...]) -> None:
    try:
        text = plain.encode(answer)
    except BaseException as error:
        text = plain.encode((False, type(error).__name__, str(error)[:500]))
    write(REPLY, text)


def load(source: str) -> None:
    """Runs the source as the main module."""
    main = ModuleType("__main__")
    main.__builtins__ = builtins  # type: ignore[attr-defined]
    sys.modules["__main__"] = main
    sys.argv = ["program.py"]
    exec(compile(source, "program.py", "exec"), vars(main))


def end(action: Callable[[], object]) -> int:
    """The exit code that Python would end with; what was raised goes to standard error."""
    try:
        action()
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 0xFF
        sys.stderr.write(f"{error.code}\n")
        return 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass


def read(fd: int) -> bytes:
    return b"".join(iter(lambda: os.read(fd, CHUNK), b""))


def write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


KINDS: dict[str, Callable[..., int]] = {"script": script, "calls": calls}
