"""What an attack is after, outside the jail: secrets, listeners, a process, folders; and what it reached of that."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

NOBODY = 65534
LEAK = "AUTOTROPH_TEST_KEY"


class Scene:
    """One per test. `facts` fill the blanks of an attack's program; `reached` collects what listeners heard."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.secret = secrets.token_hex(16)
        self.reached: list[str] = []
        self._stack = stack
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        self.home, self.packages = folder / "home", folder / "packages"
        for each in (self.home, self.packages):
            each.mkdir()
            each.chmod(0o755)
        (self.home / "key").write_text(self.secret)
        (self.packages / "private").write_text(self.secret)
        (self.packages / "private").chmod(0o600)
        (self.packages / "own").touch(0o644)
        if os.getuid() == 0:
            os.chown(self.packages / "own", NOBODY, NOBODY)
        writable = self.packages / "writable"
        writable.mkdir()
        writable.chmod(0o777)
        self.decoy = subprocess.Popen(["sleep", "600"], user=NOBODY if os.getuid() == 0 else None)
        stack.callback(self._end_decoy)
        stack.enter_context(_environment(LEAK, self.secret))
        first = os.memfd_create("inherited")
        self.inherited = fcntl.fcntl(first, fcntl.F_DUPFD, 60)
        os.close(first)
        stack.callback(os.close, self.inherited)
        os.pwrite(self.inherited, self.secret.encode(), 0)
        self.abstract = f"\0autotroph-{self.secret}"
        self.tcp = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))[1]
        self.udp = self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))[1]
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, self.abstract)
        for name, kind in (("stream", socket.SOCK_STREAM), ("datagram", socket.SOCK_DGRAM)):
            self._listen(socket.AF_UNIX, kind, str(self.packages / name))
            (self.packages / name).chmod(0o777)
        self._fifo(self.packages / "fifo")

    @property
    def facts(self) -> dict[str, object]:
        return {
            "host_home": str(self.home),
            "decoy": self.decoy.pid,
            "supervisor": os.getpid(),
            "tcp": self.tcp,
            "udp": self.udp,
            "abstract": self.abstract,
            "leak": LEAK,
        }

    def touched(self, output: str) -> list[str]:
        """What the attack reached, by its own word or by what we see."""
        with contextlib.suppress(OSError):
            if os.read(self.fifo, 100):
                self.reached.append("the FIFO")
        found = [*self.reached]
        if "THROUGH" in output:
            found.append("its own word")
        if self.secret in output:
            found.append("the secret")
        if self.decoy.poll() is not None:
            found.append("the process")
        if list((self.packages / "writable").iterdir()):
            found.append("the folder")
        if (self.packages / "own").stat().st_mode & 0o777 != 0o644:
            found.append("the mode of a file")
        return found

    def _listen(self, family: int, kind: int, address: object) -> object:
        listener = socket.socket(family, kind)
        listener.bind(address)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            listener.listen()
        thread = threading.Thread(target=self._hear, args=(listener, kind, f"{family.name} {kind.name}"), daemon=True)  # type: ignore[attr-defined]
        thread.start()

        def stop() -> None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

        self._stack.callback(stop)
        return listener.getsockname()

    def _hear(self, listener: socket.socket, kind: int, name: str) -> None:
        with contextlib.suppress(OSError):
            heard = listener.accept() if kind == socket.SOCK_STREAM else listener.recv(100)
            if heard:
                self.reached.append(name)

    def _fifo(self, path: Path) -> None:
        os.mkfifo(path)
        path.chmod(0o666)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._stack.callback(os.close, reader)
        self.fifo = reader

    def _end_decoy(self) -> None:
        self.decoy.kill()
        self.decoy.wait()


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
