"""The package's own source files that a run must not change while it runs, and what they hash to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import autotroph

PROTECTED: Mapping[str, Literal["red", "yellow"]] = MappingProxyType(
    {
        "core": "red",
        "store": "red",
        "evaluate": "red",
        "oversight": "red",
        "loop.py": "red",
        "state.py": "red",
        "verify.py": "red",
        "select/guard.py": "red",
        "select": "yellow",
        "rewards": "yellow",
        "tasks": "yellow",
    }
)
"""red: gate, ledger, policy, budget, kill switch, and what they rest on. yellow: rewards, filters, tools."""


def package() -> Path:
    return Path(autotroph.__path__[0])


def part(name: str) -> str:
    """The key of `PROTECTED` that a protected file, named as in `files`, belongs to; "verifier" is one of its own."""
    return name if name in PROTECTED else name.split("/")[0]


def colour(name: str) -> Literal["red", "yellow"]:
    """Of a protected file; the verifier that a user gave is yellow, an evaluator red: it is all that judges."""
    return "red" if part(name) == "evaluator" else PROTECTED.get(part(name), "yellow")


@cache
def protected() -> tuple[Path, ...]:
    """Every protected file of the package."""
    places = [package() / name for name in PROTECTED]
    return tuple(sorted({path for at in places for path in ([at] if at.is_file() else at.rglob("*.py"))}))


def files(config: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """(name, path) of every protected file: the package's, and the verifier or evaluator of a run's configuration."""
    for path in protected():
        yield path.relative_to(package()).as_posix(), path
    verifier = str(config.get("verifier") or "").rpartition(":")[0]
    if verifier.endswith(".py"):
        yield "verifier", Path(verifier)
    if evaluator := config.get("evaluator"):
        for path in sorted(filter(Path.is_file, Path(evaluator).rglob("*"))):
            yield f"evaluator/{path.relative_to(evaluator).as_posix()}", path


def digest(path: Path) -> str:
    """SHA-256 of a file; empty where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def sources(config: Mapping[str, Any]) -> dict[str, str]:
    """Protected part -> SHA-256 of what `sha256sum` would print of its files, in the order of names."""
    lines: dict[str, str] = {}
    for name, path in files(config):
        lines[part(name)] = f"{lines.get(part(name), '')}{digest(path)}  {name}\n"
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in lines.items()}
