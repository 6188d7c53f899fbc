"""One jail from outside: starts it, hands it one candidate after the other, and ends it."""

from __future__ import annotations

import contextlib
import marshal
import os
import re
import signal
import socket
import subprocess
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.sandbox import bubblewrap, cgroup
from autotroph.sandbox.inside import plain
from autotroph.sandbox.outcome import Answer, Limits, Outcome, Status, Usage

STARTUP, GRACE = 60.0, 5.0
"""Seconds that a jail may take to start, and to say that a candidate whose time is up has gone."""
OVERHEAD = 64 << 20
"""Bytes that the memory of all processes may have beyond the candidate's: the warm Python's own."""


class Damaged(Exception):
    """The jail did not answer as it must; it is gone, and the candidate with it."""


class Worker:
    """A warm Python behind walls. One candidate at a time; not for several threads at once."""

    def __init__(
        self, imports: Sequence[str] = (), packages: Sequence[Path] = (), down: frozenset[str] = frozenset()
    ) -> None:
        bubblewrap.prove()
        self.down = down
        self._group = None if "memory" in down else cgroup.group()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        close = "descriptors" not in down
        told = theirs.dup()
        for each in (theirs, told):
            each.set_inheritable(not close)
        self._process = subprocess.Popen(
            bubblewrap.command(theirs.fileno(), told.fileno(), packages, down),
            pass_fds=[theirs.fileno(), told.fileno()] if close else (),
            close_fds=close,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        told.close()
        self._settings = {"down": sorted(down), "imports": list(imports), "path": bubblewrap.places(packages)}
        self._first: list[int] = []
        self._ready = False
        self.close = weakref.finalize(self, _end, self._process, self._first, self._control, self._group)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def run(self, order: Mapping[str, Any], stdin: str, limits: Limits, extra: Sequence[int] = ()) -> Outcome:
        """One candidate in a fresh child. `order` is for the runner inside; `extra`: descriptors that it also gets, and
        that are closed here.

        Raises Damaged where the jail itself did not answer.
        """
        with contextlib.ExitStack() as stack:
            try:
                self.ready()
                given = [_file(stack, stdin.encode(errors="surrogatepass")), *(_file(stack, b"") for _ in range(3))]
                given.append(_file(stack, _plain(order)))
                start = time.perf_counter()
                self._send(limits, [*given, *extra])
            finally:
                for fd in extra:
                    os.close(fd)
            report = self._receive(limits)
            wall = time.perf_counter() - start
            most = limits.disk if "output" in self.down else limits.output
            stdout, stderr, reply = (os.pread(fd, most, 0) for fd in given[1:4])
        answers = plain.decode_all(reply)
        return Outcome(
            _status(report),
            stdout.decode(errors="replace"),
            stderr.decode(errors="replace"),
            tuple(answer for answer in map(_answer, answers) if answer),
            report["code"],
            Usage(wall, report["cpu"], report["memory"]),
        )

    def _send(self, limits: Limits, fds: Sequence[int]) -> None:
        if self._group:
            self._group.limit(limits.memory + OVERHEAD)
        try:
            socket.send_fds(self._control, [marshal.dumps(asdict(limits))], fds)
        except OSError as error:
            self.close()
            raise Damaged(str(error)) from None

    def _receive(self, limits: Limits) -> dict[str, Any]:
        """The report on the candidate's end."""
        self._control.settimeout(None if "deadline" in self.down else limits.wall + GRACE)
        message = b""
        with contextlib.suppress(OSError):
            message = self._control.recv(4096)
        if not message:
            self.close()
            raise Damaged("the jail has ended or does not answer")
        report: dict[str, Any] = marshal.loads(message)
        return report

    def ready(self) -> None:
        """Waits until the Python inside has imported its modules. Raises AutotrophError where it cannot start."""
        if self._ready:
            return
        self._control.settimeout(STARTUP)
        try:
            process = int(re.findall(rb"\d+", self._control.recv(1000))[0])
            self._first.append(os.pidfd_open(process))
            if self._group:
                self._group.add(process)
            self._control.send(marshal.dumps(self._settings))
            while (message := self._control.recv(1000)) and message != b"ready":
                pass  # the rest of what bubblewrap tells
            self._ready = message == b"ready"
        except (OSError, IndexError):
            self._process.kill()
        if not self._ready:
            said = self._process.communicate()[1].decode(errors="replace").strip().splitlines()
            self.close()
            raise AutotrophError(f"the jail does not start: {said[-1] if said else 'no answer'}; see docs/sandbox.md")


def _file(stack: contextlib.ExitStack, data: bytes) -> int:
    """A file in memory that nobody else can open."""
    fd = os.memfd_create("jail")
    stack.callback(os.close, fd)
    os.pwrite(fd, data, 0)
    return fd


def _plain(order: Mapping[str, Any]) -> bytes:
    try:
        return marshal.dumps(dict(order))
    except ValueError as error:
        raise AutotrophError(f"arguments of a call: {error}; give plain data: numbers, texts, lists, dicts") from None


def _answer(claim: object) -> Answer | None:
    match claim:
        case (True, value):
            return Answer(value)
        case (False, str(error), str(message)):
            return Answer(None, error, message)
    return None


def _status(report: Mapping[str, Any]) -> Status:
    if report["late"]:
        return "timeout"
    if report["code"] < 0:
        return "memory" if report["code"] == -signal.SIGKILL else "killed"
    return "error" if report["code"] else "ok"


def _end(
    process: subprocess.Popen[bytes], first: list[int], control: socket.socket, group: cgroup.Group | None
) -> None:
    """Ends the jail. When the first Python in it is killed the kernel kills the warm one, and all others with that."""
    control.close()
    for fd in first:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        os.close(fd)
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    if group:
        group.close()
