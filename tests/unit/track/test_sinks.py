"""The real trackers, each in its real process, read back by their own means: every step once, whatever was killed."""

from __future__ import annotations

import importlib
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tracked import add_cycle, add_end, begun

from autotroph.store.run import Run
from autotroph.track.sink import SINKS, home
from autotroph.track.trackers import Trackers

Steps = list[tuple[int, float]]
"""(step, `spent/tokens`) in the order in which the tracker has them."""


def tensorboard(folder: Path) -> Steps:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(home(folder, "tensorboard"))).Reload().Scalars("spent/tokens")
    return [(event.step, event.value) for event in found]


def mlflow(folder: Path) -> Steps:
    from mlflow import MlflowClient

    client = MlflowClient()
    experiment = client.get_experiment_by_name("autotroph")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.params["learner.lr"] == "0.5"
    assert run.info.status == "FINISHED"
    return sorted((m.step, m.value) for m in client.get_metric_history(run.info.run_id, "spent/tokens"))


def trackio(folder: Path) -> Steps:
    storage = importlib.import_module("trackio.sqlite_storage").SQLiteStorage
    (run,) = storage.get_runs("autotroph")
    return [(row["step"], row["spent/tokens"]) for row in storage.get_logs("autotroph", run)]


def wandb(folder: Path) -> Steps:
    """Of all offline folders, in the order in which they were written, as `wandb sync` would send them."""
    from wandb.proto.wandb_internal_pb2 import Record

    steps, codes = [], []
    for path in sorted(home(folder, "wandb").glob("wandb/offline-run-*/*.wandb")):
        for text in log_records(path.read_bytes()):
            record = Record()
            record.ParseFromString(text)
            if record.HasField("history"):
                row = {
                    ".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in record.history.item
                }
                steps.append((row["_step"], row["spent/tokens"]))
            if record.HasField("exit"):
                codes.append(record.exit.exit_code)
    assert codes[-1] == 0
    return steps


def log_records(data: bytes) -> Iterator[bytes]:
    """Of a file in the format of LevelDB's log, after a header of 7 bytes: in blocks of 32 KiB, pieces of checksum (4
    bytes), length (2), kind (1: whole, 2: first, 3: middle, 4: last) and content."""
    at, parts = 7, b""
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = struct.unpack_from("<HB", data, at + 4)
        parts += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield parts
            parts = b""


READ: dict[str, Callable[[Path], Steps]] = {
    "mlflow": mlflow,
    "tensorboard": tensorboard,
    "trackio": trackio,
    "wandb": wandb,
}
WHOLE: Steps = [(0, 100.0), (1, 200.0), (2, 300.0), (3, 1000.0)]


@pytest.fixture(autouse=True)
def own_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    for name in ("WANDB_MODE", "WANDB_PROJECT", "TRACKIO_PROJECT", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def deliver(folder: Path, name: str) -> None:
    trackers = Trackers([name], print)
    trackers.start(folder)
    (found,) = trackers.wait(300)
    assert found.problem is None, (home(folder, name) / "log").read_text()


@pytest.mark.parametrize("name", SINKS)
def test_a_run_that_is_stopped_and_resumed_has_each_step_once(tmp_path: Path, name: str) -> None:
    pytest.importorskip(name, reason=f"pip install 'autotroph[{name}]'")
    folder = tmp_path / "my run"
    with begun(folder) as run:
        add_cycle(run, 0)
        add_cycle(run, 1, "hold")
    deliver(folder, name)
    with Run.open(folder) as run:
        add_cycle(run, 2)
        add_end(run)
    deliver(folder, name)
    assert READ[name](folder) == WHOLE
    deliver(folder, name)
    assert READ[name](folder) == WHOLE


@pytest.mark.parametrize("name", ["mlflow", "tensorboard", "trackio"])
def test_a_step_that_was_told_but_not_noted_is_not_doubled(tmp_path: Path, name: str) -> None:
    """Killed between the two. W&B offline is not asked: it keeps what it is told without looking at what it has."""
    pytest.importorskip(name, reason=f"pip install 'autotroph[{name}]'")
    folder = tmp_path / "r"
    with begun(folder) as run:
        for cycle in range(3):
            add_cycle(run, cycle)
    deliver(folder, name)
    noted = home(folder, name) / "progress.json"
    noted.write_text(json.dumps(json.loads(noted.read_text()) | {"step": 2}))
    with Run.open(folder) as run:
        add_end(run)
    deliver(folder, name)
    assert READ[name](folder) == WHOLE


def test_tensorboard_has_the_configuration_and_the_times_of_the_ledger(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import SESSION_START_INFO_TAG, parse_session_start_info_plugin_data

    folder = tmp_path / "r"
    with begun(folder) as run:
        add_cycle(run, 0)
        at = run.ledger.since(2, 1)[0].at / 1e6
    deliver(folder, "tensorboard")
    events = EventAccumulator(str(home(folder, "tensorboard"))).Reload()
    assert events.Scalars("level")[0].wall_time == pytest.approx(at, abs=1e-3)
    metadata = events.SummaryMetadata(SESSION_START_INFO_TAG)
    hparams = parse_session_start_info_plugin_data(metadata.plugin_data.content).hparams
    assert hparams["learner.lr"].number_value == 0.5
    assert hparams["recipe"].string_value == "grpo"
