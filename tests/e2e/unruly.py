"""A verifier that misuses its process: it starts children that do what they can to outlive their run.

Used as `jsonl:...` with `--verifier unruly.py:verify`. Each process writes a file with its number into the folder that
`UNRULY` names.
"""

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(os.environ["UNRULY"])
RUN = Path(os.environ["AUTOTROPH_RUN"])


def verify(prompt: str, answer: str, gold: str | None) -> float:
    if not (FOLDER / "ready").exists():
        for kind in KINDS:
            start(kind)
        while len(list(FOLDER.glob("*.*"))) < len(KINDS):
            time.sleep(0.01)
        (FOLDER / "ready").touch()
        time.sleep(1000)
    return 0.0


def start(kind: Callable[[], None]) -> None:
    if os.fork() == 0:
        try:
            kind()
        finally:
            os._exit(0)


def known(name: str) -> None:
    (FOLDER / f"{name}.{os.getpid()}").touch()


def deaf() -> None:
    """Ignores whatever can be ignored."""
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    known("deaf")
    while True:
        time.sleep(1)


def daemon() -> None:
    """Has forked twice, left its session, and become another program without an environment."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        return
    known("daemon")
    os.execve("/bin/sleep", ["sleep", "1000"], {})


def stopped() -> None:
    """Does not run at all."""
    known("stopped")
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(1000)


def headless() -> None:
    """Its first thread has ended, so that it looks like a zombie."""
    threading.Thread(target=time.sleep, args=(1000,)).start()
    known("headless")
    ctypes.CDLL(None).syscall(60, 0)  # exit(2): of the thread, not of the process


def reviver() -> None:
    """Wakes everybody who was stopped, all the time."""
    os.setsid()
    known("reviver")
    while True:
        for path in FOLDER.glob("*.*"):
            if not path.name.startswith("stopped"):
                try:
                    os.kill(int(path.suffix[1:]), signal.SIGCONT)
                except (OSError, ValueError):
                    continue


def bomb() -> None:
    """Forks a hundred times a second; each child lives for a second and is an orphan."""
    known("bomb")
    while True:
        if os.fork() == 0:
            if os.fork() == 0:
                os.setsid()
                time.sleep(1)
            os._exit(0)
        os.wait()
        time.sleep(0.01)


def vandal() -> None:
    """Takes away what the kill switch might want to read."""
    deadline = time.monotonic() + 1000
    known("vandal")
    while time.monotonic() < deadline:
        for name in ("ledger.lock", "stop.json"):
            (RUN / name).unlink(missing_ok=True)
        time.sleep(0.01)


KINDS = (deaf, daemon, stopped, headless, reviver, bomb, vandal)
