"""Promotions that wait for a person: what an approval lets through, and the replays that it does not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from overseen import RECIPE, TINY, copy, flip, rechained, rows

from autotroph.cli.main import invoke
from autotroph.core.errors import ApprovalNeeded, AutotrophError, RedLine
from autotroph.loop import Recorder, run_loop
from autotroph.oversight import approvals, redline
from autotroph.recipes import registry
from autotroph.store.run import Run

SETTINGS = TINY | {"rounds": 2, "oversight": "approve"}


def drive(folder: Path) -> None:
    """Go on with the run for as long as it goes."""
    with Run.open(folder) as run:
        recipe = registry.find(run.start["recipe"])
        run_loop(run, recipe.build(recipe.configure(run.start["config"])), Recorder())


def begun(folder: Path, **settings: Any) -> Path:
    config = registry.find(RECIPE).configure(SETTINGS | settings)
    Run.create(folder, {"recipe": RECIPE, "config": config.model_dump(mode="json")}).close()
    with pytest.raises(ApprovalNeeded):
        drive(folder)
    return folder


def candidate(folder: Path) -> str:
    with Run.open(folder, write=False) as run:
        asked = approvals.pending(run.ledger)
    assert asked is not None
    return str(asked.data["proposal"]["candidate"]["id"])


def approve(folder: Path, *flags: str) -> int:
    return invoke(["approve", str(folder), candidate(folder), *flags])


def verdicts(folder: Path) -> list[str]:
    with Run.open(folder, write=False) as run:
        return [cycle.decision.verdict for cycle in run.record().cycles]


def kinds(folder: Path) -> list[str]:
    return [row[2] for row in rows(folder)]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that waits for its first promotion."""
    return begun(tmp_path_factory.mktemp("runs") / "asking")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another run of the same seed, so with the very same candidate, which was approved."""
    folder = begun(tmp_path_factory.mktemp("runs") / "other")
    assert approve(folder) == 0
    assert invoke(["approve", str(folder), "--budget", "tokens=99000000"]) == 0
    assert invoke(["approve", str(folder), "--code"]) == 0
    return folder


@pytest.fixture(scope="module")
def asking_again(asking: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has had its first promotion approved, and waits for the second."""
    folder = copy(asking, tmp_path_factory.mktemp("runs") / "again")
    assert approve(folder) == 0
    with pytest.raises(ApprovalNeeded):
        drive(folder)
    return folder


@pytest.fixture
def run(asking: Path, tmp_path: Path) -> Path:
    return copy(asking, tmp_path / "r")


def test_each_promotion_waits_and_goes_on_as_it_would_have(
    asking_again: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run is the automatic one but for the decisions of a person; a rejected candidate is held."""
    run = copy(asking_again, tmp_path / "r")
    assert kinds(run) == ["start", "base", "pending", "answer", "cycle", "pending"]
    assert invoke(["resume", str(run)]) == 4
    shown = capsys.readouterr().err
    assert f"autotroph approve {run} {candidate(run)}" in shown.replace("\n", "")
    assert invoke(["reject", str(run), candidate(run), "--reason", "odd", "--by", "Ada"]) == 0
    assert invoke(["resume", str(run)]) == 0
    assert verdicts(run) == ["promote", "hold"]
    assert invoke(["verify", str(run)]) == 0, capsys.readouterr().out
    automatic = tmp_path / "automatic"
    config = registry.find(RECIPE).configure(SETTINGS | {"oversight": "automatic"})
    Run.create(automatic, {"recipe": RECIPE, "config": config.model_dump(mode="json")}).close()
    drive(automatic)
    with Run.open(run, write=False) as ours, Run.open(automatic, write=False) as theirs:
        (one, two), (due, other) = ours.record().cycles, theirs.record().cycles
    assert (one.candidate, one.decision) == (due.candidate, due.decision)
    assert two.candidate == other.candidate
    assert two.decision.reason == f"rejected by Ada (odd); else: {other.decision.reason}"


def test_a_promotion_on_yellow_alone(tmp_path: Path) -> None:
    """Without a signal the mode is automatic."""
    folder = tmp_path / "r"
    config = registry.find(RECIPE).configure(SETTINGS | {"oversight": "approve on yellow", "rounds": 1})
    Run.create(folder, {"recipe": RECIPE, "config": config.model_dump(mode="json")}).close()
    drive(folder)
    assert verdicts(folder) == ["promote"]


def test_a_touch_of_reward_code_is_held_for_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose rewards are patched while it runs."""
    from autotroph.rewards import combine

    folder = tmp_path / "r"
    recipe = registry.find(RECIPE)
    config = recipe.configure(SETTINGS | {"oversight": "approve on yellow", "rounds": 1})

    class Meddler(Recorder):
        def stage(self, cycle: int, name: str) -> None:
            monkeypatch.setattr(combine, "Weighted", None, raising=False)

    with Run.create(folder, {"recipe": RECIPE, "config": config.model_dump(mode="json")}) as run:
        with pytest.raises(ApprovalNeeded, match=r"would be promoted \(code\)"):
            run_loop(run, recipe.build(config), Meddler())
        asked = approvals.pending(run.ledger)
    assert "rewards.combine.Weighted" in asked.data["proposal"]["record"]["signals"][0]["what"]


# What the command refuses: nothing of it is written.

Say = Callable[[Path, Path], list[str]]
MISTAKEN: dict[str, tuple[int, Say]] = {
    "another candidate": (2, lambda run, other: ["approve", str(run), "0" * 64]),
    "the beginning of its hash": (2, lambda run, other: ["approve", str(run), candidate(run)[:8]]),
    "the champion": (2, lambda run, other: ["approve", str(run), json.loads(rows(run)[1][3])["policy"]["id"]]),
    "nothing": (2, lambda run, other: ["approve", str(run)]),
    "two things": (2, lambda run, other: ["approve", str(run), candidate(run), "--code"]),
    "its weights were altered": (2, lambda run, other: [*altered(run), "approve", str(run), candidate(run)]),
    "its evidence is gone": (2, lambda run, other: [*without_evidence(run), "approve", str(run), candidate(run)]),
    "approved before": (2, lambda run, other: [*first(approve(run)), "approve", str(run), candidate(run)]),
    "approved and now rejected": (2, lambda run, other: [*first(approve(run)), "reject", str(run), candidate(run)]),
    "rejected and now approved": (2, lambda run, other: [*rejected(run), "approve", str(run), candidate(run)]),
    "after it went on": (2, lambda run, other: ["approve", str(run), gone_on(run)]),
    "the run is locked": (5, lambda run, other: [*locked(run), "approve", str(run), candidate(run)]),
    "nothing waits": (2, lambda run, other: ["approve", str(nothing_waits(run)), "0" * 64]),
}


def first(code: int) -> list[str]:
    assert code == 0
    return []


def altered(run: Path) -> list[str]:
    flip(run / "policies" / candidate(run) / "model.safetensors")
    return []


def without_evidence(run: Path) -> list[str]:
    shutil.rmtree(run / "evidence")
    return []


def rejected(run: Path) -> list[str]:
    return first(invoke(["reject", str(run), candidate(run)]))


def gone_on(run: Path) -> str:
    name = candidate(run)
    assert approve(run) == 0
    with pytest.raises(ApprovalNeeded):
        drive(run)
    return name


def locked(run: Path) -> list[str]:
    with Run.open(run) as opened:
        redline.lock(opened, RedLine("weights", "planted"))
    return []


def nothing_waits(run: Path) -> Path:
    """The base alone."""
    rechained(run, rows(run)[:2])
    return run


@pytest.mark.parametrize("name", MISTAKEN)
def test_a_mistaken_approval_is_refused(name: str, run: Path, other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, say = MISTAKEN[name]
    arguments = say(run, other)
    before = rows(run)
    capsys.readouterr()
    assert invoke(arguments) == code
    assert capsys.readouterr().err.count("\n") == 1
    assert rows(run) == before


# What lies in a ledger with a chain that fits, and was given for something else.


def planted(run: Path, *events: list[Any]) -> None:
    rechained(run, [*rows(run), *events])


def given_by(other: Path, kind: str = "answer") -> list[Any]:
    return next(row for row in rows(other) if row[2] == kind)


def changed(row: list[Any], **fields: Any) -> list[Any]:
    data = json.loads(row[3])
    place = fields.pop("place", {})
    data = {**data, **fields, "place": {**data["place"], **place}}
    return [*row[:3], json.dumps(data, sort_keys=True), row[4]]


def own(run: Path) -> list[Any]:
    """A true approval of what waits, taken out of the ledger again."""
    before = rows(run)
    assert approve(run) == 0
    row = rows(run)[-1]
    rechained(run, before)
    return row


def pending_hash(run: Path) -> str:
    return str(rows(run)[2][4])


def spare(run: Path) -> Path:
    return copy(run, run.parent / "spare")


REPLAYED: dict[str, Callable[[Path, Path], object]] = {
    "of another run with the same candidate": lambda run, other: planted(run, given_by(other)),
    "of another run, made out for this one": lambda run, other: planted(
        run, changed(given_by(other), pending=pending_hash(run))
    ),
    "of another run, on this place's size": lambda run, other: planted(
        run, changed(given_by(other), pending=pending_hash(run), place={"size": 3})
    ),
    "of another run, on this ledger's inode": lambda run, other: planted(
        run,
        changed(given_by(other), pending=pending_hash(run), place={"ledger": (run / "ledger.sqlite").stat().st_ino}),
    ),
    "without its place": lambda run, other: planted(run, changed(own(run), place={"size": None})),
    "on another root": lambda run, other: planted(run, changed(own(run), place={"root": "0" * 64})),
    "of another cycle": lambda run, other: planted(run, changed(own(run), cycle=1)),
    "of another candidate": lambda run, other: planted(run, changed(own(run), candidate="0" * 64)),
    "of another pending event": lambda run, other: planted(run, changed(own(run), pending="0" * 64)),
    "that says something else": lambda run, other: planted(run, changed(own(run), answer="approved")),
    "one event later": lambda run, other: planted(run, [0, 0, "note", "{}", ""], own(run)),
    "twice": lambda run, other: twice(run),
    "before what it approves": lambda run, other: rechained(run, moved_up(run, own(run))),
    "for weights altered since": lambda run, other: (approve(run), altered(run)),
    "for weights replaced since": lambda run, other: (approve(run), replaced_weights(run)),
    "for evidence altered since": lambda run, other: (approve(run), altered_evidence(run)),
    "given in a copy, carried here": lambda run, other: planted(run, own(spare(run))),
    "given here, used in a copy": lambda run, other: in_a_copy(run),
    "a cap of another run": lambda run, other: planted(run, given_by(other, "budget"), own(run)),
    "a cap, made out for another size": lambda run, other: planted(
        run, changed(given_by(other, "budget"), place={"size": 3})
    ),
    "other code, of another run": lambda run, other: planted(run, given_by(other, "code")),
    "an unlocking of before": lambda run, other: unlocked_before(run),
}


def twice(run: Path) -> None:
    row = own(run)
    planted(run, row, row)


def moved_up(run: Path, row: list[Any]) -> list[list[Any]]:
    *before, last = rows(run)
    return [*before, row, last]


def replaced_weights(run: Path) -> None:
    """By the base's, which are sound."""
    base = json.loads(rows(run)[1][3])["policy"]["id"]
    shutil.rmtree(run / "policies" / candidate(run))
    shutil.copytree(run / "policies" / base, run / "policies" / candidate(run))


def altered_evidence(run: Path) -> None:
    flip(next((run / "evidence").glob("*/candidate.jsonl")))


def in_a_copy(run: Path) -> Path:
    assert approve(run) == 0
    return spare(run)


def unlocked_before(run: Path) -> None:
    locked(run)
    assert invoke(["unlock", str(run), "--reason", "looked at it"]) == 0
    row = rows(run)[-1]
    locked(run)
    (run / "locked.json").unlink()
    planted(run, row)


@pytest.mark.parametrize("name", REPLAYED)
def test_a_replayed_decision_is_refused(name: str, run: Path, other: Path) -> None:
    found = REPLAYED[name](run, other)
    run = found if isinstance(found, Path) else run
    with pytest.raises(AutotrophError) as refused:
        drive(run)
    assert "cycle" not in kinds(run), "it went on to the next cycle"
    assert isinstance(refused.value, RedLine) or "another copy" in str(refused.value)


def test_a_replay_of_an_earlier_cycles_approval(asking_again: Path, tmp_path: Path) -> None:
    run = copy(asking_again, tmp_path / "r")
    planted(run, rows(run)[3])
    with pytest.raises(RedLine, match="red line, approval"):
        drive(run)
    assert verdicts(run) == ["promote"]


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (lambda events: [*events[:2], *events[4:5]], "promoted without an approval"),
        (lambda events: [*events[:3], *events[4:5]], "promoted without an approval"),
        (lambda events: [*events[:3], changed(events[3], cycle=7), *events[4:]], "it is on cycle 7"),
        (lambda events: [*events[:2], events[3], events[2], events[4]], "nothing waited for it"),
        (lambda events: [*events[:3], changed(events[3], answer="reject"), *events[4:]], "not what a person was asked"),
    ],
)
def test_verify_knows_what_a_promotion_needs(
    forge: Any, words: str, asking_again: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copy(asking_again, tmp_path / "r")
    assert invoke(["verify", str(run)]) == 0
    rechained(run, forge(rows(run)))
    capsys.readouterr()
    assert invoke(["verify", str(run)]) == 1
    assert words in capsys.readouterr().out
