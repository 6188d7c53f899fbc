"""Weights & Biases; offline unless WANDB_MODE=online says otherwise. `wandb sync` sends an offline run later."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from autotroph.store.runs import State
from autotroph.track.sink import PROJECT

EXIT_CODES: Mapping[State, int] = {"finished": 0, "stopped": 255, "crashed": 1}
"""What W&B makes of them: finished, killed, failed."""


class Wandb:
    def __init__(self, folder: Path):
        self._folder = folder

    def begin(self, run: str, config: Mapping[str, Any], step: int) -> int:
        """Online, W&B knows which step comes next; offline it always says 0."""
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            id=run,
            name=run,
            resume="allow",
            mode="online" if os.environ.get("WANDB_MODE") == "online" else "offline",
            dir=self._folder,
            config=dict(config),
            settings=wandb.Settings(
                console="off", silent=True, disable_git=True, disable_code=True, x_disable_stats=True
            ),
        )
        return self._run.starting_step or step

    def log(self, step: int, at: float, metrics: Mapping[str, float]) -> None:
        self._run.log({**metrics, "_timestamp": at}, step=step, commit=True)

    def end(self, state: State) -> None:
        self._run.finish(exit_code=EXIT_CODES.get(state, 255))
