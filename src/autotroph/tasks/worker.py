"""Foreign code in a child process: a function that runs too long is killed with its process, whatever it is doing.

The child is a fresh interpreter (`python -m autotroph.tasks.worker`), never a fork, so it inherits neither threads nor
locks, and the caller's main module is not run again. Values cross as JSON, so nothing that the child sends is executed.
It keeps a hanging function from stopping the loop; it is no jail against hostile code.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.modules import named

STARTUP = 60.0
"""Seconds that the child may take to start and to import the function's module."""


class Worker:
    """Calls one function in a child that is started when needed and started anew after a timeout or a crash.

    `target`: "package.module:function" or "path/to/file.py:function"; its arguments and its value are plain JSON, its
    output is discarded. `timeout`: seconds that one call may take. `failures` counts the calls without a value, `error`
    says what was wrong with the last of them. Calls from several threads wait for one another.
    """

    def __init__(self, target: str, timeout: float) -> None:
        self.target = target
        self.timeout = timeout
        self.failures = {"timeout": 0, "error": 0}
        self.error: str | None = None
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._kill: Callable[[], object] = lambda: None

    def call(self, *args: Any) -> Any | None:
        """The function's value; None where it raised, crashed or ran out of time. Never raises."""
        with self._lock:
            try:
                ok, value = self._ask(list(args))
                kind, problem = "error", value
            except TimeoutError as error:
                ok, kind, problem = False, "timeout", str(error)
            except (AutotrophError, OSError, EOFError) as error:
                ok, kind, problem = False, "error", f"the process ended: {error or type(error).__name__}"
            if ok:
                return value
            self.failures[kind] += 1
            self.error = problem
            return None

    def start(self) -> None:
        """Starts the child. Raises AutotrophError when the function cannot be imported."""
        ours, theirs = Pipe()
        command = [sys.executable, "-m", __name__, self.target, str(theirs.fileno()), str(self.timeout)]
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(sys.path)},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self._connection = ours
        self._kill = weakref.finalize(self, _kill, process, ours)
        try:
            ok, problem = self._receive(STARTUP)
        except (OSError, EOFError) as error:
            ok, problem = False, f"{type(error).__name__} {error}"
        if not ok:
            self.close()
            raise AutotrophError(
                f"'{self.target}' cannot be imported: {problem}; give module:function or path/to/file.py:function"
            )

    def close(self) -> None:
        """Ends the child and whatever it started; the next call starts another."""
        self._kill()
        self._connection = None

    def _ask(self, args: list[Any]) -> tuple[bool, Any]:
        if self._connection is None:
            self.start()
        assert self._connection is not None
        try:
            self._connection.send_bytes(json.dumps(args).encode())
            return self._receive(self.timeout)
        except BaseException:  # also a KeyboardInterrupt: its late reply must not become the next call's
            self.close()
            raise

    def _receive(self, timeout: float) -> tuple[bool, Any]:
        assert self._connection is not None
        if not self._connection.poll(timeout):
            raise TimeoutError(f"no answer within {timeout:g} s")
        ok, value = json.loads(self._connection.recv_bytes())
        return ok, value


def _kill(process: subprocess.Popen[bytes], connection: Connection) -> None:
    connection.close()
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def attempt(function: Callable[..., Any], *args: Any) -> bytes:
    """The JSON of [True, value] or of [False, what was raised]."""
    try:
        return json.dumps([True, function(*args)]).encode()
    except BaseException as error:
        return json.dumps([False, f"{type(error).__name__}: {error}"]).encode()


def serve(target: str, connection: Connection, timeout: float) -> None:
    """Answers calls until the other end is closed.

    A child whose parent was killed in the middle of a call would run on for ever; the watchdog ends it, from a thread
    that needs no interpreter lock.
    """
    function: Callable[..., Any] | None = None

    def find() -> None:
        nonlocal function
        function = named(target)

    connection.send_bytes(attempt(find))
    while function is not None:
        try:
            args = json.loads(connection.recv_bytes())
        except EOFError:
            return
        with open(os.devnull, "w") as nowhere:
            faulthandler.dump_traceback_later(timeout + 1, exit=True, file=nowhere)
            reply = attempt(function, *args)
            faulthandler.cancel_dump_traceback_later()
        connection.send_bytes(reply)


if __name__ == "__main__":
    serve(sys.argv[1], Connection(int(sys.argv[2])), float(sys.argv[3]))
