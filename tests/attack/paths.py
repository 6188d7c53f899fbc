"""The three ways in which a candidate is run, or two candidates one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from attacks import Attack
from scene import Scene

from autotroph.sandbox import Directory, Jail, Limits, Outcome
from autotroph.sandbox.jail import IMPORTS

small = Limits(wall=0.6, cpu=1, memory=128 << 20, disk=8 << 20, files=200, processes=16, output=64 << 10)
Path_ = Callable[[Sequence[str], Sequence[Path], Limits, frozenset[str]], list[Outcome]]


def fresh(programs: Sequence[str], packages: Sequence[Path], limits: Limits, down: frozenset[str]) -> list[Outcome]:
    with Jail(workers=1, imports=(), packages=packages, down=down, fresh=True) as jail:
        return [jail.run(program, "", limits) for program in programs]


def warm(programs: Sequence[str], packages: Sequence[Path], limits: Limits, down: frozenset[str]) -> list[Outcome]:
    with Jail(workers=1, imports=IMPORTS, packages=packages, down=down) as jail:
        return [jail.run(program, "", limits) for program in programs]


def directory(programs: Sequence[str], packages: Sequence[Path], limits: Limits, down: frozenset[str]) -> list[Outcome]:
    folders = [Directory({"attack.py": program.encode()}) for program in programs]
    with Jail(workers=1, imports=(), packages=packages, down=down) as jail:
        return [jail.command(folder, ["python3", "attack.py"], "", limits) for folder in folders]


PATHS: dict[str, Path_] = {"fresh": fresh, "warm": warm, "directory": directory}


def attempt(attack: Attack, path: str, scene: Scene, down: frozenset[str] = frozenset()) -> list[str]:
    """What the attack reached on this path; nothing where the walls hold."""
    programs = [text % scene.facts for text in (attack.program, attack.after) if text is not None]
    limits = replace(small, wall=attack.seconds)
    outcomes = PATHS[path](programs, [scene.packages], limits, down)
    for outcome in outcomes:
        if outcome.usage.wall > limits.wall + 1:
            scene.reached.append("the time")
        if max(len(outcome.stdout), len(outcome.stderr), len(outcome.answers)) > limits.output:
            scene.reached.append("the supervisor's memory")
    return scene.touched("\n".join(outcome.stdout for outcome in outcomes))
