"""Event files for TensorBoard in the run's folder: `tensorboard --logdir runs` shows them all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.summary_v2 import hparams_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from autotroph.store.runs import State
from autotroph.track.metrics import flat


class Tensorboard:
    def __init__(self, folder: Path):
        self._writer = EventFileWriter(str(folder))

    def begin(self, run: str, config: Mapping[str, Any], step: int) -> int:
        """The start of a session makes TensorBoard forget whatever an earlier one wrote of `step` and after."""
        now = time.time()
        self._writer.add_event(Event(wall_time=now, step=step, session_log=SessionLog(status=SessionLog.START)))
        if step == 0:
            self._writer.add_event(Event(wall_time=now, summary=hparams_pb(flat(config), trial_id=run)))
        self._writer.flush()
        return step

    def log(self, step: int, at: float, metrics: Mapping[str, float]) -> None:
        values = [Summary.Value(tag=name, simple_value=value) for name, value in metrics.items()]
        self._writer.add_event(Event(wall_time=at, step=step, summary=Summary(value=values)))
        self._writer.flush()

    def end(self, state: State) -> None:
        self._writer.close()
