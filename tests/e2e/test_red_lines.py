"""Forbidden self-edits: each one is noticed before the next commit counts, recorded, preserved, and locks the run."""

from __future__ import annotations

import builtins
import dataclasses
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
import scipy.stats
from overseen import RECIPE, Opened, copy, database, flip, opened, rechained, rows

from autotroph.cli.main import invoke
from autotroph.core.budget import Budget, Meter
from autotroph.core.decision import Decision
from autotroph.core.errors import ApprovalNeeded, Locked, RedLine
from autotroph.evaluate import audit, benchmark, evidence, gate, monitors, statistics
from autotroph.evaluate.gate import PairedGate
from autotroph.evaluate.monitors import Monitors
from autotroph.loop import Recorder, run_loop
from autotroph.oversight import approvals, processes, redline, request, signals, switch
from autotroph.oversight.proposal import Proposal
from autotroph.recipes import registry
from autotroph.report import html
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.guard import Guard
from autotroph.store import ledger, merkle, sources
from autotroph.store.ledger import GENESIS, Ledger
from autotroph.store.record import Alarm, Change
from autotroph.store.run import Run

Act = Callable[[Opened, pytest.MonkeyPatch], object]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package's source, that a test may edit; the loaded code is the real one."""
    place = copy(sources.package(), tmp_path / "autotroph")
    monkeypatch.setattr(sources, "package", lambda: place)
    monkeypatch.setattr("autotroph.oversight.code.package", lambda: place)
    sources.protected.cache_clear()
    yield place
    sources.protected.cache_clear()


def wrapped(function: Any) -> Any:
    """Another function that does the same: even that is refused, as nobody can tell what it will do next."""
    return lambda *args, **kwargs: function(*args, **kwargs)


def patch(owner: Any, name: str) -> Act:
    return lambda on, monkeypatch: monkeypatch.setattr(owner, name, wrapped(getattr(owner, name)))


def turn(name: str, value: Any, of: Callable[[Opened], Any] = lambda on: on.loop) -> Act:
    """Set a field of a frozen object."""
    return lambda on, _: object.__setattr__(of(on), name, value)


def sql(statement: str) -> Act:
    """Through a second connection."""

    def act(on: Opened, _: Any) -> None:
        with database(on.folder) as db:
            db.execute(statement)

    return act


def added(kind: str, **data: Any) -> Act:
    """A forged event with a chain that fits."""
    return lambda on, _: rechained(on.folder, [*rows(on.folder), [0, 0, kind, json.dumps(data), ""]])


def edited_start(on: Opened, _: Any) -> None:
    events = rows(on.folder)
    start = json.loads(events[0][3])
    start["config"]["budget"]["tokens"] = None
    events[0][3] = json.dumps(start, sort_keys=True)
    rechained(on.folder, events)


def raw_bytes(on: Opened, _: Any) -> None:
    """A recorded figure, in the file itself."""
    for name in ("ledger.sqlite", "ledger.sqlite-wal"):
        path = on.folder / name
        path.write_bytes(path.read_bytes().replace(b'"kept": ', b'"kepT": '))


def swapped_ledger(on: Opened, _: Any) -> None:
    """By one that lacks the last event."""
    with database(on.folder) as db, apsw.Connection(str(on.folder / "other")) as other:
        with other.backup("main", db, "main") as backup:
            backup.step()
        other.execute("DELETE FROM event WHERE seq = 2")
    os.replace(on.folder / "other", on.folder / "ledger.sqlite")


def cut_log(on: Opened, _: Any) -> None:
    on.run.ledger.append("note", {})
    os.truncate(on.folder / "ledger.sqlite-wal", 40)


def weights(on: Opened, policy: str = "champion") -> Path:
    name = on.proposal.candidate.id if policy == "candidate" else getattr(on.state, policy).id
    return on.folder / "policies" / name / "model.safetensors"


def altered_in_secret(on: Opened, _: Any) -> None:
    """With the time of change as it was, as far as it can be set."""
    path, info = weights(on), weights(on).stat()
    flip(path)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def linked_out(on: Opened, _: Any) -> None:
    path = weights(on)
    shutil.move(path, on.folder.parent / "elsewhere")
    path.symlink_to(on.folder.parent / "elsewhere")


def store_linked_out(on: Opened, _: Any) -> None:
    shutil.move(on.folder / "policies", on.folder.parent / "policies")
    (on.folder / "policies").symlink_to(on.folder.parent / "policies")


def only(on: Opened, store: str) -> Path:
    """Some file of the committed cycle's artifact."""
    cycle = on.run.ledger.last("cycle")
    assert cycle is not None
    name = cycle.data["rows"] if store == "rows" else cycle.data["ruling"]["evidence"]
    return sorted((on.folder / store / name).iterdir())[0]


def propose(**changes: Any) -> Act:
    def act(on: Opened, _: Any) -> None:
        on.proposal = dataclasses.replace(on.proposal, **changes)

    return act


def edit(name: str) -> Act:
    def act(on: Opened, _: Any) -> None:
        path = sources.package() / name
        path.write_text(path.read_text() + "\n# improved\n")

    return act


def edited_in_secret(on: Opened, _: Any) -> None:
    path = sources.package() / "state.py"
    info = path.stat()
    path.write_text(path.read_text().replace("roll back", "promote  "))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def source_linked(on: Opened, _: Any) -> None:
    path = sources.package() / "evaluate" / "gate.py"
    other = path.with_name("other.txt")
    other.write_text("# everything passes\n")
    path.unlink()
    path.symlink_to(other)


def new_code(on: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    code = PairedGate.decide.__code__
    monkeypatch.setattr(PairedGate.decide, "__code__", code.replace(co_name="decide_kindly"))


def fake_module(on: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "autotroph.evaluate.gate", types.ModuleType("autotroph.evaluate.gate"))


def replaced_lock(on: Opened, _: Any) -> None:
    (on.folder / "ledger.lock").unlink()
    (on.folder / "ledger.lock").write_text("in use\n")


FORBIDDEN: dict[str, tuple[str, Act]] = {
    # the gate, in memory
    "gate: its method": ("code", patch(PairedGate, "decide")),
    "gate: its method's code": ("code", new_code),
    "gate: its method's defaults": (
        "code",
        lambda on, m: m.setattr(PairedGate.decide, "__defaults__", (9,)),
    ),
    "gate: its method, in one object": ("gate", lambda on, m: vars(on.loop.stages.gate).update(decide=len)),
    "gate: a setting": ("gate", lambda on, m: vars(on.loop.stages.gate).update(alpha=0.99)),
    "gate: another one": ("gate", turn("gate", PairedGate(off=True), lambda on: on.loop.stages)),
    "gate: its module": ("code", fake_module),
    "gate: its statistics": ("code", patch(statistics, "mcnemar")),
    "gate: what it imports": ("code", patch(scipy.stats, "binomtest")),
    "gate: a builtin": ("code", patch(builtins, "sum")),
    "gate: a global that hides a builtin": ("code", lambda on, m: m.setattr(gate, "max", min, raising=False)),
    "gate: a method that its class did not have": (
        "code",
        lambda on, m: m.setattr(Decision, "__getattr__", lambda self, name: "promote", raising=False),
    ),
    "gate: a property of its decision": ("code", lambda on, m: m.setattr(Decision, "promoted", property(bool))),
    "evaluation: the sealed suite": ("code", patch(benchmark.SealedSuite, "run")),
    "evaluation: how evidence is read": ("code", patch(evidence, "read")),
    "monitors: what they turn": ("code", patch(monitors, "turned")),
    "monitors: their table of responses": ("code", lambda on, m: m.setattr(monitors, "KNOBS", {})),
    "evaluation: a table, in place": ("code", lambda on, m: m.setitem(audit.FORMS, "none", {})),
    "loop: what holds a candidate": ("code", lambda on, m: m.setattr("autotroph.loop.held", lambda one, _: one)),
    # the ledger
    "ledger: a row": ("ledger", sql("UPDATE event SET data = '{}' WHERE seq = 1")),
    "ledger: a row, with its chain": ("ledger", edited_start),
    "ledger: the last row gone": ("ledger", sql("DELETE FROM event WHERE seq = 2")),
    "ledger: all rows gone": ("ledger", sql("DELETE FROM event")),
    "ledger: a row in front": ("ledger", sql("UPDATE event SET seq = seq + 1 WHERE seq = 2")),
    "ledger: its table": ("ledger", sql("DROP TABLE event")),
    "ledger: a forged cycle": ("ledger", added("cycle", record={})),
    "ledger: a forged approval": ("ledger", added("answer", answer="approve", by="root", reason="")),
    "ledger: a forged cap": ("ledger", added("budget", caps={"tokens": None})),
    "ledger: a forged unlocking": ("ledger", added("unlock", by="root", reason="")),
    "ledger: a forged approval of code": ("ledger", added("code", code={})),
    "ledger: bytes of the file": ("ledger", raw_bytes),
    "ledger: the file replaced": ("ledger", swapped_ledger),
    "ledger: the file deleted": ("ledger", lambda on, m: (on.folder / "ledger.sqlite").unlink()),
    "ledger: the log cut": ("ledger", cut_log),
    "ledger: how it appends": ("code", patch(Ledger, "append")),
    "ledger: how it appends, in one object": ("ledger", lambda on, m: vars(on.run.ledger).update(append=print)),
    "ledger: its hash": ("code", patch(ledger, "chain_hash")),
    "ledger: its tree": ("code", patch(merkle, "root")),
    "ledger: SHA-256 itself": ("code", patch(hashlib, "sha256")),
    "ledger: JSON itself": ("code", patch(json, "dumps")),
    "ledger: another one": ("ledger", lambda on, m: setattr(on.run, "ledger", Ledger(on.run.ledger.path))),
    "ledger: what its writer remembers": ("ledger", lambda on, m: setattr(on.run.ledger, "_head", GENESIS)),
    # policy: settings, state, environment
    "policy: monitors off": ("policy", turn("monitors", Monitors(tasks=0, vendi_ngram={"low": None}))),
    "policy: guard off": ("policy", turn("guard", Guard(real_floor=0))),
    "policy: more cycles": ("policy", turn("cycles", 10_000)),
    "policy: nobody asked": ("policy", turn("oversight", "approve on yellow")),
    "policy: a setting in place": ("policy", lambda on, m: vars(on.loop.guard).update(real_floor=0.0)),
    "policy: a knob that no monitor has": ("policy", propose(knobs={"learning_rate": 9.0})),
    "policy: a knob that no monitor has turned": ("policy", propose(knobs={"real_floor": 0.0})),
    "policy: a knob of the state": ("policy", lambda on, m: on.state.knobs.update(real_floor=0.0)),
    "policy: the champion": (
        "policy",
        lambda on, m: turn("champion", on.proposal.candidate, lambda on: on.state)(on, m),
    ),
    "policy: the level": ("policy", turn("level", 99, lambda on: on.state)),
    "policy: the seed": ("policy", turn("run_seed", 99, lambda on: on.state)),
    "policy: the verifier": ("policy", turn("verify", lambda task, answer: 1.0, lambda on: on.loop.stages)),
    "environment: where Python looks": ("policy", lambda on, m: m.setenv("PYTHONPATH", "/tmp")),
    "environment: what is loaded first": ("policy", lambda on, m: m.setenv("LD_PRELOAD", "/tmp/x.so")),
    "environment: the mark is gone": ("kill switch", lambda on, m: m.delenv(processes.MARK)),
    "environment: another mark": ("kill switch", lambda on, m: m.setenv(processes.MARK, "/tmp")),
    # the budget
    "budget: a cap": ("budget", turn("budget", Budget(tokens=10**12), lambda on: on.state.meter)),
    "budget: no cap": ("budget", turn("budget", Budget(), lambda on: on.state.meter)),
    "budget: a cap in place": ("budget", lambda on, m: vars(on.state.meter.budget).update(tokens=None)),
    "budget: the meter set back": ("budget", turn("tokens", 0, lambda on: on.state.meter)),
    "budget: what was paid": ("budget", lambda on, m: on.state.meter._paid.update(tokens=0)),
    "budget: where it is kept": ("budget", turn("journal", None, lambda on: on.state.meter)),
    "budget: how the meter counts": ("budget", lambda on, m: vars(on.state.meter).update(spend=print)),
    "budget: how the meter checks": ("code", patch(Meter, "check")),
    "budget: another meter": ("budget", turn("meter", Meter(), lambda on: on.state)),
    # the kill switch
    "switch: the lock deleted": ("ledger", lambda on, m: (on.folder / "ledger.lock").unlink()),
    "switch: the lock replaced": ("ledger", replaced_lock),
    "switch: orphans let go": ("kill switch", lambda on, m: processes._adopt(False)),
    "switch: how it is pulled": ("code", patch(switch, "pull")),
    "switch: how a request is read": ("code", lambda on, m: m.setattr(request, "read", lambda folder: None)),
    "switch: how a signal is sent": ("code", patch(signal, "pidfd_send_signal")),
    "switch: how a red line locks": ("code", patch(redline, "refuse_locked")),
    "switch: how an approval is checked": ("code", lambda on, m: m.setattr(approvals, "mismatch", lambda *_: None)),
    # weights and other evidence
    "weights: the champion's": ("weights", lambda on, m: flip(weights(on))),
    "weights: the champion's, in secret": ("weights", altered_in_secret),
    "weights: the candidate's": ("weights", lambda on, m: flip(weights(on, "candidate"))),
    "weights: the base's": ("weights", lambda on, m: flip(weights(on, "base"))),
    "weights: linked out of the store": ("weights", linked_out),
    "weights: a second name elsewhere": ("weights", lambda on, m: os.link(weights(on), on.folder.parent / "copy")),
    "weights: the store linked out": ("weights", store_linked_out),
    "weights: the champion gone": ("weights", lambda on, m: shutil.rmtree(weights(on).parent)),
    "weights: a file beside them": ("weights", lambda on, m: (weights(on).parent / "code.py").write_text("x")),
    "evidence: deleted": ("weights", lambda on, m: shutil.rmtree(only(on, "evidence").parent)),
    "evidence: altered": ("weights", lambda on, m: flip(only(on, "evidence"))),
    "rows: altered": ("weights", lambda on, m: only(on, "rows").write_text("{}\n")),
    "rows: not to be read": ("weights", lambda on, m: (only(on, "rows").unlink(), only_folder(on).mkdir())),
    # the source
    "source: the gate": ("code", edit("evaluate/gate.py")),
    "source: the gate, elsewhere": ("code", source_linked),
    "source: the budget": ("code", edit("core/budget.py")),
    "source: the switch": ("code", edit("oversight/switch.py")),
    "source: the guard": ("code", edit("select/guard.py")),
    "source: the state, in secret": ("code", edited_in_secret),
    "source: the ledger gone": ("code", lambda on, m: (sources.package() / "store" / "ledger.py").unlink()),
}
SOURCE = {name for name in FORBIDDEN if name.startswith("source")}


def only_folder(on: Opened) -> Path:
    cycle = on.run.ledger.last("cycle")
    assert cycle is not None
    return on.folder / "rows" / cycle.data["rows"] / "rows.jsonl"


def meddle(folder: Path, proposal: Proposal, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patches are taken back before the run is locked."""
    with opened(folder, proposal) as on, monkeypatch.context() as patches:
        act(on, patches)
        on.commit()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_self_edit(
    name: str,
    half: tuple[Path, Proposal],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if name in SOURCE:
        request.getfixturevalue("package")
    folder, rule = copy(half[0], tmp_path / "r"), FORBIDDEN[name][0]
    with pytest.raises(RedLine, match=rf"^red line, {rule}: "):
        meddle(folder, half[1], FORBIDDEN[name][1], monkeypatch)
    finding = json.loads((folder / "preserved" / "1" / "finding.json").read_text())
    assert finding["rule"] == rule
    if (folder / "ledger.sqlite").is_file() and not name.startswith("ledger"):
        with Run(folder, write=False) as run:
            assert len(list(run.ledger.events("cycle"))) == 1
            assert run.ledger.last("red line").data["what"] == finding["what"]
            with pytest.raises(Locked, match="autotroph unlock"):
                redline.refuse_locked(run)
    assert (folder / "locked.json").is_file()


def reader(on: Opened, _: Any) -> None:
    with Run.open(on.folder, write=False) as run:
        html.write(run.record(), on.folder / "report.html")


def checkpoint(on: Opened, _: Any) -> None:
    """What a visitor with a database shell does to the files."""
    db = apsw.Connection(str(on.folder / "ledger.sqlite"))
    db.wal_checkpoint()
    db.close()


def touched_source(on: Opened, _: Any) -> None:
    (sources.package() / "evaluate" / "gate.py").touch()


def rewritten_source(on: Opened, _: Any) -> None:
    path = sources.package() / "evaluate" / "gate.py"
    path.write_text(path.read_text())


def turned_knob(on: Opened, _: Any) -> None:
    alarm = Alarm(
        monitor="entropy",
        value=1.0,
        limit=2.0,
        response="more real",
        change=Change(knob="real_floor", old=0.05, new=0.15),
    )
    record = on.proposal.record.model_copy(update={"alarms": (alarm,)})
    on.proposal = dataclasses.replace(on.proposal, record=record, knobs={"real_floor": 0.15})


def another_run(on: Opened, _: Any) -> None:
    Run.create(on.folder.parent / "other", {"recipe": "grpo", "config": {}}).close()


LEGITIMATE: dict[str, Act] = {
    "nothing": lambda on, m: None,
    "a monitor turns a knob": turned_knob,
    "a report is written": reader,
    "a reader looks": lambda on, m: Run.open(on.folder, write=False).record(),
    "a database shell checkpoints": checkpoint,
    "the folder is copied": lambda on, m: shutil.copytree(on.folder, on.folder.parent / "export"),
    "the champion is loaded": lambda on, m: on.state.load(on.state.champion),
    "the meter counts": lambda on, m: on.state.meter.spend(tokens=9, flops=1e9, verifier_calls=3),
    "an artifact is added": lambda on, m: on.run.rows.put(
        lambda work: (work / "rows.jsonl").write_text(""), lambda _: "f"
    ),
    "the run writes an event": lambda on, m: on.run.ledger.append("note", {"said": "x"}),
    "a file lies in the run's folder": lambda on, m: (on.folder / "notes.txt").write_text("mine"),
    "weights are made read-only": lambda on, m: weights(on).chmod(0o444),
    "source is touched": touched_source,
    "source is written as it was": rewritten_source,
    "other source is edited": edit("report/table.py"),
    "rewards are edited": edit("rewards/verifiable.py"),
    "rewards are patched": patch(Verifiable, "score"),
    "a report's function is patched": patch(html, "render"),
    "a function of ours is wrapped by nobody": lambda on, m: m.setattr(
        random, "gammavariate", wrapped(random.gammavariate)
    ),
    "another variable is set": lambda on, m: m.setenv("OMP_NUM_THREADS", "1"),
    "a child comes and goes": lambda on, m: subprocess.run([sys.executable, "-c", ""], check=True),
    "another run begins": another_run,
    "randomness is seeded": lambda on, m: random.seed(1),
    "a module is loaded late": lambda on, m: __import__("autotroph.tasks.maze"),
    "a stale request lies there": lambda on, m: request.path_of(on.folder).write_text(
        '{"by": "", "reason": "", "to": [1]}'
    ),
}


@pytest.mark.parametrize("name", LEGITIMATE)
def test_a_legitimate_act(
    name: str,
    half: tuple[Path, Proposal],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if "source" in name or "edited" in name:
        request.getfixturevalue("package")
    folder = copy(half[0], tmp_path / "r")
    with opened(folder, half[1]) as on, monkeypatch.context() as patches:
        LEGITIMATE[name](on, patches)
        on.overseer.safe_point()
        after = on.commit()
        signals_raised = on.run.record().cycles[-1].signals
    assert after.cycle == 2
    assert [signal.name for signal in signals_raised] == (["code"] if name.startswith("rewards") else [])
    assert not (folder / "preserved").exists()


def test_a_red_line_in_a_whole_run_and_the_way_out(
    half: tuple[Path, Proposal], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stage writes to the ledger: the run ends, its children with it, and only a person can let it go on."""
    folder = copy(half[0], tmp_path / "r")
    with Run.open(folder) as run:
        recipe = registry.find(RECIPE)
        loop = recipe.build(recipe.configure(run.start["config"]))
        source = Forger(loop.stages.source, folder)
        forged = dataclasses.replace(loop, stages=dataclasses.replace(loop.stages, source=source))
        with pytest.raises(RedLine, match=r"red line, ledger: .* event 2 was altered"):
            run_loop(run, forged, Recorder())
        assert source.child.wait(timeout=20) == -signal.SIGKILL
        assert len(list(run.ledger.events("cycle"))) == 1
    kept = folder / "preserved" / "1"
    assert {"ledger.sqlite", "finding.json"} < {path.name.split("-", 1)[-1] for path in kept.iterdir()}
    assert invoke(["resume", str(folder)]) == 5
    assert "autotroph unlock" in capsys.readouterr().err
    with database(folder) as db:
        db.execute("UPDATE event SET data = ? WHERE seq = 2", (source.was,))
    (folder / "locked.json").unlink()
    assert invoke(["resume", str(folder)]) == 5, "the event keeps it locked"
    assert invoke(["unlock", str(folder), "--reason", "restored"]) == 0
    assert invoke(["resume", str(folder)]) == 0
    assert invoke(["unlock", str(folder), "--reason", "again"]) == 2
    capsys.readouterr()
    assert invoke(["verify", str(folder), "--json"]) == 0, capsys.readouterr().out


class Forger:
    """A source that starts a process and improves the ledger."""

    def __init__(self, source: Any, folder: Path):
        self.source, self.folder = source, folder

    def propose(self, view: Any) -> Any:
        self.child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        with database(self.folder) as db:
            ((self.was,),) = db.execute("SELECT data FROM event WHERE seq = 2").fetchall()
            db.execute("UPDATE event SET data = replace(data, '0.5', '1.0') || ' ' WHERE seq = 2")
        return self.source.propose(view)


def test_a_budget_is_raised_by_a_person_alone(
    half: tuple[Path, Proposal], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, forged = copy(half[0], tmp_path / "r"), copy(half[0], tmp_path / "forged")
    assert invoke(["approve", str(folder), "--budget", "tokens=20000000,dollars=none", "--by", "Ada"]) == 0
    with opened(folder, half[1]) as on:
        assert on.state.meter.budget == Budget(tokens=20_000_000)
        on.commit()
    for wrong in ("tokens=x", "tokns=3", "tokens"):
        assert invoke(["approve", str(folder), "--budget", wrong]) == 2
        assert capsys.readouterr().err.startswith("error: budget ")
    rechained(forged, [*rows(forged), [0, 0, "budget", json.dumps({"caps": {"tokens": None}}), ""]])
    assert invoke(["resume", str(forged)]) == 5
    assert "red line, approval: event 3, 'budget': it was given after None events" in capsys.readouterr().err


def test_other_code_is_asked_for(half: tuple[Path, Proposal], tmp_path: Path, package: Path) -> None:
    folder = copy(half[0], tmp_path / "r")
    (package / "core" / "budget.py").write_text("# another version\n")
    for _ in range(2):
        with pytest.raises(ApprovalNeeded, match="with other code in core;"), opened(folder, half[1]):
            pass
    assert invoke(["approve", str(folder), "--code", "--reason", "upgraded"]) == 0
    with opened(folder, half[1]) as on:
        on.commit()


def test_pace_is_a_signal_only_while_three_cycles_are_too_fast() -> None:
    """Gains of 1 point each for 1e9 operations, then three of 3 points; by hand: the median is 1, the limit 2."""
    slow, fast = (0.01, 1e9), (0.03, 1e9)
    assert not list(signals.pace(cycles(slow, slow, slow, fast, fast)))
    assert [signal.name for signal in signals.pace(cycles(slow, slow, slow, fast, fast, fast))] == ["pace"]
    assert not list(signals.pace(cycles(slow, slow, slow, fast, slow, fast)))
    assert not list(signals.pace(cycles(slow, slow, fast, fast, fast))), "too little to compare with"
    assert not list(signals.pace(cycles(slow, slow, slow, (0.03, 3e9), fast, fast))), "as much more compute"
    held = cycles(slow, slow, slow, (0.03, 1e9), (0.04, 1e9), (0.05, 1e9), promoted=False)
    assert not list(signals.pace(held)), "all were compared with the same champion: no faster"


def cycles(*gains: tuple[float, float], promoted: bool = True) -> list[Any]:
    decision = types.SimpleNamespace
    return [
        types.SimpleNamespace(metrics={"flops": flops}, decision=decision(difference=gain, promoted=promoted))
        for gain, flops in gains
    ]
