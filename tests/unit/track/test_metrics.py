"""What of an event becomes figures, beside figures that were worked out by hand."""

import re
from pathlib import Path

import pytest
from tracked import CONFIG, add_cycle, add_end, begun, record

from autotroph.core.decision import Decision
from autotroph.track.follow import follow
from autotroph.track.metrics import flat, of_cycle, points


def test_a_cycle_as_names_and_numbers() -> None:
    # champion: (0.5 * 2 + 0 * 6) / 8; candidate: (1 * 2 + 0.5 * 6) / 8
    assert of_cycle(record(1), {"tokens": 200, "lost": {"tokens": 30}}) == {
        "level": 3,
        "mastered": 2,
        "accuracy/champion": 0.125,
        "accuracy/candidate": 0.625,
        "level_2/champion": 0.5,
        "level_3/champion": 0.0,
        "level_2/candidate": 1.0,
        "level_3/candidate": 0.5,
        "gate/verdict": 1,
        "gate/gained": 3,
        "gate/lost": 1,
        "gate/kept": 6,
        "gate/unscored": 0,
        "gate/difference": 0.2,
        "gate/low": 0.1,
        "gate/high": 0.3,
        "gate/p_value": 0.25,
        "gate/alpha": 0.05,
        "cycle/entropy": 1.25,
        "cycle/acquire_seconds": 1.5,
        "rejected/no_majority": 4,
        "alarms": 1,
        "alarm/entropy": 0.25,
        "spent/tokens": 200,
        "lost/tokens": 30,
    }


def test_what_was_not_measured_has_no_entry() -> None:
    bare = record(0, decision=Decision("hold", "too few", "p0", "p1"), champion_accuracy={}, candidate_accuracy={})
    found = of_cycle(bare, {"lost": {}})
    assert found["gate/verdict"] == 0
    assert not {"accuracy/champion", "gate/difference", "gate/low", "gate/p_value"} & found.keys()


def test_the_end_has_the_step_after_the_last_cycle(tmp_path: Path) -> None:
    with begun(tmp_path / "r") as run:
        for cycle, verdict in enumerate(("promote", "hold", "roll back")):
            add_cycle(run, cycle, verdict)
        add_end(run)
    *cycles, end = points(follow(tmp_path / "r"))
    assert [(point.step, point.metrics["gate/verdict"]) for point in cycles] == [(0, 1), (1, 0), (2, -1)]
    assert end.step == 3
    assert end.metrics.pop("spent/tokens") == 1000
    assert {name: value for name, value in end.metrics.items() if not name.startswith("spent/")} == {
        "final/base": 0.25,
        "final/champion": 0.75,
        "final_level_2/base": 0.25,
        "final_level_2/champion": 0.75,
        "refined/base/greedy": 0.25,
        "refined/champion/vote_5": 0.75,
    }


def test_every_name_is_documented(tmp_path: Path) -> None:
    told = (Path(__file__).parents[3] / "docs" / "tracking.md").read_text().partition("## What is told")[2]
    documented = {name.partition("/")[0] for row in told.splitlines() for name in re.findall(r"`([\w/.]+)`", row)}
    with begun(tmp_path / "r") as run:
        add_cycle(run, 0)
        add_cycle(run, 1)
        add_end(run)
    names = {name.partition("/")[0] for point in points(follow(tmp_path / "r")) for name in point.metrics}
    assert {re.sub(r"\d+", "N", name) for name in names} <= documented


def test_a_configuration_is_flat() -> None:
    assert flat(CONFIG) == {
        "seed": 7,
        "budget.tokens": 5000,
        "budget.seconds": "None",
        "learner.lr": 0.5,
        "learner.note": "None",
    }


@pytest.mark.parametrize("odd", ["vote@5", "größer als 3", "a'b\"c"])
def test_names_are_such_as_every_tracker_takes(odd: str) -> None:
    found = of_cycle(record(0, metrics={odd: 1.0}), {"lost": {}})
    (name,) = (name for name in found if name.startswith("cycle/"))
    assert name.isascii()
    assert all(char.isalnum() or char in "_./-" for char in name)
