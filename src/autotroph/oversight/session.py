"""What a session holds in memory and nobody may turn: the loop's settings, the run's objects, the environment."""

from __future__ import annotations

import os
import types
from collections.abc import Iterator
from typing import Any

from autotroph.core.budget import Meter
from autotroph.core.errors import RedLine
from autotroph.oversight.processes import MARK, adopts
from autotroph.state import State, newest, standing
from autotroph.store.run import Run

INHERITED = ("AUTOTROPH_", "PYTHON", "LD_")
"""Beginnings of environment variables that change what a process does that is started from here."""

SETTINGS = {
    "gate": "gate",
    **dict.fromkeys(("monitors", "guard", "knobs", "oversight"), "policy"),
    **dict.fromkeys(("cycles", "target_level", "mastery", "adaptive", "require_gap"), "policy"),
}
"""A setting of the loop -> the rule that protects it."""


class Session:
    """The settings as they were at the start, to be compared with later. `loop`: a `loop.Loop`; it lies above here."""

    def __init__(self, run: Run, loop: Any):
        self._run, self._loop = run, loop
        self._settings = dict(self._now())
        self._parts = [(rule, owner, dict(vars(owner))) for rule, owner in (("ledger", run), ("policy", loop.stages))]
        self._objects = [
            *(("ledger", one) for one in (run, *vars(run).values())),
            *(("policy", one) for one in (loop, *vars(loop).values())),
            *(("gate" if name == "gate" else "policy", one) for name, one in vars(loop.stages).items()),
        ]
        self._patches = [_patches(one) for _, one in self._objects]
        self._environment = _environment()
        self._adopts = adopts()
        self._budget = run.budget
        self._spent = dict[str, float]()

    def check(self) -> None:
        """Raises RedLine for what is no more what it was."""
        for name, value in self._now():
            if value != self._settings[name]:
                raise RedLine(SETTINGS[name], f"{name} is {value}, and the session began with {self._settings[name]}")
        for rule, owner, parts in self._parts:
            for name, part in vars(owner).items():
                if part is not parts.get(name):
                    raise RedLine(rule, f"{type(owner).__name__}.{name} was replaced")
        for (rule, one), before in zip(self._objects, self._patches, strict=True):
            for name in _patches(one) - before:
                raise RedLine(rule, f"{type(one).__name__}.{name} was replaced in one object")
        environment = _environment()
        for name in sorted(environment.keys() | self._environment):
            if environment.get(name) != self._environment.get(name):
                raise RedLine("kill switch" if name == MARK else "policy", f"environment: {name} was changed")
        if adopts() != self._adopts:
            raise RedLine("kill switch", "the run's process has ceased to adopt orphans")

    def check_state(self, state: State) -> None:
        """Raises RedLine for a state that does not follow from the ledger, and for a meter that was tampered with."""
        for name, due in {"run_seed": self._run.start["config"]["seed"], **standing(self._run)}.items():
            if (given := getattr(state, name)) != due:
                raise RedLine("policy", f"the state's {name} is {given}, and by the ledger it is {due}")
        meter, spent, committed = state.meter, state.meter.counters(), newest(self._run).data["meter"]
        if type(meter) is not Meter or _patches(meter) or meter.journal is not self._run.journal:
            raise RedLine("budget", "the meter was replaced")
        if meter.budget != self._budget:
            raise RedLine("budget", f"the caps are {meter.budget!r}, and the session began with {self._budget!r}")
        for name, value in spent.items():
            if meter._paid[name] < value:
                raise RedLine(
                    "budget", f"the meter has counted {value:.6g} {name}, and {meter._paid[name]:.6g} as paid"
                )
            if value < (least := max(self._spent.get(name, 0), committed[name])):
                raise RedLine("budget", f"the meter has counted {least:.6g} {name}, and now {value:.6g}")
        self._spent = spent

    def _now(self) -> Iterator[tuple[str, str]]:
        for name in SETTINGS:
            value = self._loop.stages.gate if name == "gate" else getattr(self._loop, name)
            yield name, f"{type(value).__name__} {value!r}"


def _patches(one: Any) -> set[str]:
    """Methods of the object's class that the object itself has something else for."""
    own = getattr(one, "__dict__", {})
    return {name for name in own if isinstance(getattr(type(one), name, None), types.FunctionType | property)}


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(INHERITED)}
