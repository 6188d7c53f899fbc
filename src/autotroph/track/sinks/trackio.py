"""Trackio: a database on this machine, in TRACKIO_DIR, unless TRACKIO_SPACE_ID or TRACKIO_SERVER_URL says otherwise."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trackio
from trackio.sqlite_storage import SQLiteStorage

from autotroph.store.runs import State
from autotroph.track.sink import PROJECT


class Trackio:
    def __init__(self, folder: Path):
        self._project = os.environ.get("TRACKIO_PROJECT", PROJECT)

    def begin(self, run: str, config: Mapping[str, Any], step: int) -> int:
        """Trackio writes behind our back; what its database has is what was delivered."""
        last = SQLiteStorage.get_last_step(self._project, run)
        self._run: Any = trackio.init(
            self._project,
            run,
            config=dict(config),
            resume="allow",
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        return step if last is None else last + 1

    def log(self, step: int, at: float, metrics: Mapping[str, float]) -> None:
        self._run.log(dict(metrics), step=step)

    def end(self, state: State) -> None:
        self._run.finish()
