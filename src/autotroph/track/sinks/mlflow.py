"""MLflow, wherever MLFLOW_TRACKING_URI says; MLflow's own default is mlflow.db in the current folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, Param

from autotroph.store.runs import State
from autotroph.track.metrics import flat
from autotroph.track.sink import PROJECT

TAG = "autotroph.run"
STATUS: Mapping[State, str] = {"finished": "FINISHED", "stopped": "KILLED", "crashed": "FAILED"}
"""What MLflow calls it."""

PARAMS = 100
"""That MLflow takes at once."""


class Mlflow:
    def __init__(self, folder: Path):
        self._client = MlflowClient()

    def begin(self, run: str, config: Mapping[str, Any], step: int) -> int:
        """A step that is told twice, with the same time, stays one in MLflow's database."""
        project = os.environ.get("MLFLOW_EXPERIMENT_NAME", PROJECT)
        experiment = self._client.get_experiment_by_name(project)
        where = experiment.experiment_id if experiment else self._client.create_experiment(project)
        found = self._client.search_runs([where], f"tags.`{TAG}` = '{run}'")
        self._id = (found[0] if found else self._client.create_run(where, tags={TAG: run}, run_name=run)).info.run_id
        self._client.update_run(self._id, "RUNNING")
        params = [Param(name, str(value)) for name, value in flat(config).items()]
        for first in range(0, len(params), PARAMS):
            self._client.log_batch(self._id, params=params[first : first + PARAMS])
        return step

    def log(self, step: int, at: float, metrics: Mapping[str, float]) -> None:
        milliseconds = int(at * 1000)
        self._client.log_batch(self._id, [Metric(name, value, milliseconds, step) for name, value in metrics.items()])

    def end(self, state: State) -> None:
        self._client.set_terminated(self._id, STATUS.get(state, "KILLED"))
