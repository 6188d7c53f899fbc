"""The command that starts a jail: which parts of the system it sees, and nothing else."""

from __future__ import annotations

import compileall
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from autotroph.core.errors import AutotrophError

INSIDE = Path(__file__).parent / "inside"
START = "import sys; sys.path.insert(0, '/jail'); from inside.zygote import main; main(int(sys.argv[1]))"
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
INSTALL = "apt-get install bubblewrap"


def command(control: int, told: int, packages: Sequence[Path], down: frozenset[str]) -> list[str]:
    """bubblewrap with a Python in it, which is told more through the descriptor `control`. `told`: the descriptor
    to which bubblewrap writes the number of that process.

    `packages`: folders to import from, mounted as `places` says. `down`: walls that are left out.
    """
    mode = "--bind" if "read_only" in down else "--ro-bind"
    mounts = [*system(mode), "--bind", "/proc", "/proc", "--dev", "/dev"]
    mounts += ["--perms", "1777", "--tmpfs", "/tmp"]
    mounts += ["--ro-bind", "/", "/host"] if "filesystem" in down else []
    for source, place in zip([INSIDE, *packages], ["/jail/inside", *places(packages)], strict=True):
        mounts += [*parents(place), mode, str(source.resolve()), place]
    walls = (
        ["--unshare-uts"] + ["--unshare-net"] * ("network" not in down) + ["--clearenv"] * ("environment" not in down)
    )
    rights = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"] if os.getuid() == 0 else ["--unshare-user"]
    for name, value in {**ENVIRONMENT, "PATH": f"{interpreter().parent}:{ENVIRONMENT['PATH']}"}.items():
        walls += ["--setenv", name, value]
    python = [str(interpreter()), "-S", "-s", "-P", "-X", "utf8", "-c", START, str(control)]
    return [
        tool(),
        "--info-fd",
        str(told),
        *walls,
        *rights,
        *mounts,
        "--remount-ro",
        "/dev",
        "--remount-ro",
        "/",
        "--chdir",
        "/tmp",
        *python,
    ]


def places(packages: Sequence[Path]) -> list[str]:
    """Where the jail sees these folders."""
    return [f"/packages/{number}" for number in range(len(packages))]


def system(mode: str) -> list[str]:
    """Programs and libraries of the system, and Python itself. No /etc, no /home, no /var, no /run, no /sys."""
    mounts = [mode, "/usr", "/usr"]
    for folder in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(folder):
            mounts += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            mounts += [mode, folder, folder]
    for path in ("/etc/ld.so.cache", "/etc/alternatives", sys.base_prefix):
        if os.path.exists(path) and not path.startswith("/usr"):
            mounts += [*parents(path), mode, path, path]
    return mounts


def parents(path: str) -> list[str]:
    """The folders above a mount, open to all: bubblewrap would make them for its own user alone."""
    above = reversed(Path(path).parents[:-1])
    return [word for folder in above for word in ("--perms", "0755", "--dir", str(folder))]


def interpreter() -> Path:
    """The Python that this one was made from, which needs no folder of a project."""
    return Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def tool() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise AutotrophError(f"no jail for model-written code: bubblewrap is missing; install it: {INSTALL}")
    return found


@functools.cache
def prove() -> None:
    """Raises AutotrophError where bubblewrap is missing or may not do its work on this system."""
    compileall.compile_dir(INSIDE, quiet=2)  # the jail sees this folder read-only and would compile it each time
    isolate = ["--unshare-net"] + ["--unshare-user"] * (os.getuid() != 0)
    trial = subprocess.run([tool(), *isolate, "--ro-bind", "/", "/", "true"], capture_output=True, text=True)
    if trial.returncode:
        said = (trial.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise AutotrophError(
            f"no jail for model-written code: bubblewrap does not work here ({said}); allow user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0) or run as root"
        )
