"""Runs as Prometheus sees them: computed from ledger, meter and lock when somebody asks, so never out of date.

A run whose process was killed is told as crashed by the next scrape, for nobody has to live to say so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer, make_wsgi_app
from prometheus_client.registry import Collector

from autotroph.core.errors import AutotrophError
from autotroph.store.disk import clear_disk_errors
from autotroph.store.journal import marked
from autotroph.store.record import CycleRecord
from autotroph.store.run import Run
from autotroph.store.runs import Listed, State, runs
from autotroph.track.metrics import mean

ADDRESS = "127.0.0.1"
HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
"""By which a scraper on this machine may call us; a page on the web that resolves its own name to us uses that."""

FAMILIES = {
    "run_state": (GaugeMetricFamily, "1 for the state that the run is in", ("run", "state")),
    "run_info": (GaugeMetricFamily, "always 1", ("run", "recipe", "champion")),
    "run_readable": (GaugeMetricFamily, "1 where the ledger can be read", ("run",)),
    "last_event_timestamp_seconds": (GaugeMetricFamily, "when the ledger got its last event", ("run",)),
    "cycles": (CounterMetricFamily, "cycles that are committed", ("run",)),
    "level": (GaugeMetricFamily, "level that the champion has reached", ("run",)),
    "champion_accuracy": (GaugeMetricFamily, "mean sealed score of the champion in the last cycle", ("run",)),
    "champion_level_accuracy": (GaugeMetricFamily, "the same of one level", ("run", "level")),
    "verdicts": (CounterMetricFamily, "what the gate has said", ("run", "verdict")),
    "alarms": (CounterMetricFamily, "alarms of monitors", ("run", "monitor", "response")),
    "spent": (GaugeMetricFamily, "paid so far, what is under way at its worst", ("run", "resource")),
    "cap": (GaugeMetricFamily, "hard cap of the budget, where there is one", ("run", "resource")),
}
"""Name, after autotroph_ -> kind, meaning, labels."""

Sample = tuple[str, float, tuple[str, ...]]
"""Name of the family, value, labels beside the run's."""


class Runs(Collector):
    """The runs in a folder or directly below it; each scrape looks anew."""

    def __init__(self, folder: Path):
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        made = {name: kind(f"autotroph_{name}", text, labels=labels) for name, (kind, text, labels) in FAMILIES.items()}
        for listed in runs(self._folder):
            for name, value, labels in samples(listed):
                made[name].add_metric([listed.folder, *labels], value)
        return made.values()


def samples(listed: Listed) -> Iterator[Sample]:
    """Of one run; where its ledger cannot be read, only that it cannot, and the run's state."""
    for state in get_args(State):
        yield "run_state", state == listed.state, (state,)
    try:
        with Run.open(Path(listed.folder), write=False) as run:
            figures = list(_figures(run)) if listed.problem is None else []
    except (AutotrophError, ValueError, KeyError):
        figures = []
    yield "run_readable", bool(figures), ()
    yield from figures


def _figures(run: Run) -> Iterator[Sample]:
    """Raises ValueError or KeyError where an event is not what we write."""
    base, ledger = run.ledger.last("base"), run.ledger
    (newest,) = ledger.since(len(ledger) - 1, 1)
    yield "last_event_timestamp_seconds", newest.at / 1e6, ()
    cycles = [event.data for event in ledger.events("cycle")]
    records = [CycleRecord.model_validate(data["record"]) for data in cycles]
    yield "cycles", len(cycles), ()
    for verdict, count in Counter(record.decision.verdict for record in records).items():
        yield "verdicts", count, (verdict,)
    alarms = [(alarm.monitor, alarm.response) for record in records for alarm in record.alarms]
    for labels, count in Counter(alarms).items():
        yield "alarms", count, labels
    champion = base.data["policy"]["id"] if base else ""
    if records:
        record, champion = records[-1], cycles[-1]["state"]["champion"]["id"]
        accuracy = record.candidate_accuracy if record.decision.promoted else record.champion_accuracy
        if (overall := mean(accuracy)) is not None:
            yield "champion_accuracy", overall, ()
        for level, (score, _) in accuracy.items():
            yield "champion_level_accuracy", score, (str(level),)
    if base:
        yield "level", cycles[-1]["state"]["level"] if cycles else base.data["taught"], ()
    yield "run_info", 1, (run.start["recipe"], champion)
    for resource, amount in _paid(run).items():
        yield "spent", amount, (resource,)
    for resource, cap in run.budget.model_dump(exclude_none=True).items():
        yield "cap", cap, (resource,)


def _paid(run: Run) -> dict[str, float]:
    """What caps are held to: as the ledger has it, lost work included, or as it is marked since then."""
    found = (run.ledger.last(kind) for kind in ("end", "cycle", "gap", "base"))
    latest = next((event for event in found if event is not None), None)
    meter = latest.data["meter"] if latest else {"lost": {}}
    paid = {name: amount + meter["lost"].get(name, 0) for name, amount in meter.items() if name != "lost"}
    mark = marked(run.folder)
    return {name: max(paid.get(name, 0), mark.get(name, 0)) for name in {**paid, **mark}}


def registry(folder: Path) -> CollectorRegistry:
    """Raises AutotrophError where there is no such folder."""
    made = CollectorRegistry(auto_describe=True)  # looks at once
    made.register(Runs(folder))
    return made


def write(folder: Path, out: Path) -> None:
    """All figures as one file, replaced as a whole: for the textfile collector of node_exporter."""
    with clear_disk_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(str(out), registry(folder))


def server(folder: Path, port: int) -> WSGIServer:
    """Ready to serve on loopback alone. Raises AutotrophError where the port is taken."""
    try:
        return make_server(ADDRESS, port, _guarded(make_wsgi_app(registry(folder))), ThreadingWSGIServer, _Quiet)
    except OSError as error:
        raise AutotrophError(f"port {port}: {error}; give another with --port") from error


def _guarded(app: Callable[..., Any]) -> Callable[..., Any]:
    """Refuses who calls us by another name, and whoever asks for a web page."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if HOST.fullmatch(environ.get("HTTP_HOST", "")) and "HTTP_ORIGIN" not in environ:
            return app(environ, start_response)  # type: ignore[no-any-return]
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"ask for http://{ADDRESS} or http://localhost, from no web page\n".encode()]

    return answer


class _Quiet(WSGIRequestHandler):
    timeout = 10
    """Seconds that a client may be silent."""

    def log_message(self, format: str, *arguments: Any) -> None: ...
