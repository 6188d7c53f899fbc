"""Runs the candidate's code and writes down what came of it; what it writes is a claim, to be judged outside."""

from __future__ import annotations

import builtins
import marshal
import posix as os  # os itself takes longer to import than all else here
import sys

from . import plain

TYPE_CHECKING = False  # importing typing takes longer than all else that a fresh jail imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ModuleType = type(sys)
REPLY, CALLS, ANSWERS = 3, 5, 6
"""Descriptors: what the supervisor reads; what the other jail says, and what it is told."""
REHEARSAL = """
class A:
    def __init__(self, x): self.x = x
def f(x):
    try:
        y = sorted([a + 1 for a in x if a > 0], key=lambda a: -a)
        while len(y) > 2 and not y[0] < 1.5: y.pop()
        return {'a': (y, f'{A(x).x}', None)}
    except ValueError as error: raise TypeError from error
"""
CHUNK, MOST = 1 << 20, 1 << 24


def run(request: int) -> int:
    """Reads what is to be done from a descriptor, does it, and gives the exit code."""
    order = marshal.loads(read(request))
    os.close(request)
    return int(KINDS[order.pop("kind")](**order))


def rehearse() -> None:
    """Does once what every candidate needs, so that a child finds it done: a fork shares what Python has set up."""
    space: dict[str, Any] = {}
    for _ in range(10):
        exec(compile(REHEARSAL, "program.py", "exec"), space)
        plain.decode(plain.encode(attempt(lambda: space["f"]([3, 1, 2]))))


def script(source: str) -> int:
    """A whole program, which reads its input from descriptor 0 and ends as Python programs end."""
    code = end(lambda: load(source))
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    if "atexit" in sys.modules:
        sys.modules["atexit"]._run_exitfuncs()
    flush()
    return code


def calls(source: str, function: str, arguments: list[tuple[Any, ...]], files: dict[str, bytes] | None = None) -> int:
    """Defines the program and calls one function of it on each of the arguments; an answer is written at once.

    `files`: a folder to run in, from which the program can import.
    """
    if files:
        unpack(files)
        sys.path.insert(0, os.getcwd())
    code = end(lambda: load(source))
    if code:
        return code
    main = vars(sys.modules["__main__"])
    for given in arguments:
        say(attempt(lambda: main[function](*given)))  # noqa: B023
    flush()
    return 0


def serve(source: str) -> int:
    """Defines the program and answers calls of its functions from another jail, where the tests are."""
    code = end(lambda: load(source))
    main = vars(sys.modules["__main__"])
    while code == 0:
        asked = receive(CALLS)
        if asked is None:
            break
        name, arguments, keywords = asked
        answer = attempt(lambda: main[name](*arguments, **keywords))  # noqa: B023
        send(ANSWERS, answer)
    return code


def tests(tests: list[tuple[str, str]], functions: list[str]) -> int:
    """Runs tests, name and source, on functions whose code is in another jail; says for each whether it held."""
    for name, source in tests:
        proxies: dict[str, Any] = {function: proxy(function) for function in functions}
        held = attempt(lambda: exec(compile(source, name, "exec"), proxies))[0]  # noqa: B023
        say((True, (name, held)))
    return 0


def proxy(name: str) -> Callable[..., Any]:
    """Calls a function by its name on the other side; what it raises there is raised here, if Python knows it."""

    def function(*arguments: Any, **keywords: Any) -> Any:
        send(ANSWERS, (name, arguments, keywords))
        answer = receive(CALLS)
        if answer is None:
            raise RuntimeError("the program has ended")
        if answer[0]:
            return answer[1]
        kind = getattr(builtins, str(answer[1]), None)
        if not (isinstance(kind, type) and issubclass(kind, Exception)) or kind is AssertionError:
            kind = RuntimeError
        raise kind(f"{answer[1]}: {answer[2]}")

    return function


def test(files: dict[str, bytes], source: str, function: str) -> int:
    """Calls one test function of a source that is ours, in a folder that is the candidate's."""
    unpack(files)
    sys.path.insert(0, os.getcwd())
    module = ModuleType("the_test")
    answer = attempt(lambda: exec(compile(source, "the_test.py", "exec"), vars(module)))
    say(attempt(lambda: vars(module)[function]()) if answer[0] else answer)
    flush()
    return 0


def command(files: dict[str, bytes], command: list[str], collect: list[str]) -> int:
    """Runs a command in a folder of these files; then says what is in those that are to be collected."""
    from os import execvp

    unpack(files)
    child = os.fork()
    if child == 0:
        try:
            os.close(REPLY)
            execvp(command[0], command)
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(127)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for name in collect:
        try:
            with open(name, "rb") as file:
                say((True, (name, file.read(MOST))))
        except OSError:  # not there
            continue
    return status if status >= 0 else 128 - status


def unpack(files: dict[str, bytes]) -> None:
    """Their names have been checked outside; the folder is new and empty."""
    from os import makedirs, path

    os.mkdir("/tmp/work")
    os.chdir("/tmp/work")
    for name, data in files.items():
        makedirs(path.dirname(name) or ".", exist_ok=True)
        with open(name, "wb") as file:
            file.write(data)


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
        attempt(stream.flush)


def read(fd: int) -> bytes:
    return b"".join(iter(lambda: os.read(fd, CHUNK), b""))


def send(fd: int, value: object) -> None:
    """A value to the other jail, behind its length."""
    try:
        text = plain.encode(value)
    except plain.Unplain as error:
        text = plain.encode((False, "Unplain", str(error)))
    write(fd, len(text).to_bytes(4, "little") + text)


def receive(fd: int) -> Any:
    """A value from the other jail; None where it is gone or says nothing that can be read."""
    size = int.from_bytes(exactly(fd, 4), "little")
    if not 0 < size <= MOST:
        return None
    try:
        return plain.decode(exactly(fd, size))
    except plain.Unplain:
        return None


def exactly(fd: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = os.read(fd, size - len(data))
        if not more:
            return b""
        data += more
    return data


def write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


KINDS: dict[str, Callable[..., int]] = {each.__name__: each for each in (script, calls, serve, tests, test, command)}
