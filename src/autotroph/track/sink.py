"""What a tracker has to do, and which ones there are."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from autotroph.core.errors import AutotrophError
from autotroph.store.runs import State

PROJECT = "autotroph"
"""Where a tracker files its runs, unless its own settings say otherwise."""

SINKS = {
    "mlflow": "autotroph.track.sinks.mlflow:Mlflow",
    "tensorboard": "autotroph.track.sinks.tensorboard:Tensorboard",
    "trackio": "autotroph.track.sinks.trackio:Trackio",
    "wandb": "autotroph.track.sinks.wandb:Wandb",
}
"""Name -> class. The name is also that of the package that it needs and of the extra that installs it."""


class Sink(Protocol):
    """One tracker, told of one run, in a process of its own: it may raise, hang or die.

    The class is called with a folder for what the tracker keeps locally.
    """

    def begin(self, run: str, config: Mapping[str, Any], step: int) -> int:
        """Open the tracker's run, or open it again. `run` is its name, the same every time; `step` is the first one
        that was not delivered. Returns the first one that the tracker wants: it may know better."""

    def log(self, step: int, at: float, metrics: Mapping[str, float]) -> None:
        """Deliver one step; `at`: when it happened, in seconds since 1970."""

    def end(self, state: State) -> None:
        """Close the tracker's run, which may be opened again if the run was stopped or has crashed."""


def parse(names: str) -> tuple[str, ...]:
    """ "tensorboard,wandb" as names of sinks; one with a colon is a class of the user's: "module:Class".

    Raises AutotrophError for a name that nobody has, and for a package that is not installed. Nothing is imported.
    """
    found = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in found:
        if ":" in name:
            continue
        if name not in SINKS:
            near = difflib.get_close_matches(name, SINKS, n=1, cutoff=0.4)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(SINKS)}, and your own module:Class"
            raise AutotrophError(f"unknown tracker '{name}'; {hint}")
        require(name, name)
    return found


def require(package: str, extra: str) -> None:
    """Raises AutotrophError where a package is not installed; imports nothing."""
    if importlib.util.find_spec(package) is None:
        raise AutotrophError(f"{package} is not installed; pip install 'autotroph[{extra}]'")


def load(name: str, folder: Path) -> Sink:
    """Import a sink's module and make the sink."""
    module, _, attribute = SINKS.get(name, name).partition(":")
    sink: Sink = getattr(importlib.import_module(module), attribute)(folder)
    return sink


def home(folder: Path, name: str) -> Path:
    """Where a run keeps what belongs to one of its trackers."""
    return folder / "track" / name.replace(":", ".")
