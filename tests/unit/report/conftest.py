from __future__ import annotations

import pytest

from autotroph.core.decision import Decision
from autotroph.store.record import CycleRecord, RunRecord, Sample

POISON = "<script>alert(1)</script>"


def cycle(number: int, verdict: str = "promote", **changes) -> CycleRecord:
    fields = {
        "cycle": number,
        "level": 7 + number,
        "mastered": 7 + number,
        "champion": "policy-a",
        "candidate": "policy-b",
        "decision": Decision(
            verdict, "proven better", "policy-a", "policy-b", 41, 2, 157, p_value=0.001, alpha=0.025, look=number + 1
        ),
        "champion_accuracy": {6: (0.99, 200), 7: (0.1, 200)},
        "candidate_accuracy": {6: (1.0, 200), 7: (0.8, 200)},
        "metrics": {"generated": 400, "kept": 100, "label_accuracy": 0.97, "self_made_share": 0.5, "depth": 1},
        "rejected": {"no majority": 300},
        "samples": (Sample(level=7, prompt="1+1=", answer="2", gold="2", status="right"),),
    }
    return CycleRecord(**(fields | changes))


@pytest.fixture
def record() -> RunRecord:
    """Three cycles, one of each verdict; the last is poisoned and measured on one level alone."""
    return RunRecord(
        id="run-7",
        recipe="self-grow",
        config={"optimize": {"lr": 0.001}},
        machine={"cores": 2},
        versions={"autotroph": "0.1.0"},
        seed=3,
        base="policy-0",
        champion="policy-b",
        taught=6,
        base_accuracy={5: (1.0, 200), 6: (0.99, 200), 16: (0.0, 200), 17: (0.0, 200)},
        champion_accuracy={5: (1.0, 200), 6: (1.0, 200), 16: (0.975, 200), 17: (0.5, 200)},
        refined={"base": {"greedy": 0.3, "vote@5": 0.4}, "champion": {"greedy": 0.8, "vote@5": 0.85}},
        cycles=(
            cycle(0),
            cycle(1, "hold"),
            cycle(2, "roll back", candidate_accuracy={7: (0.2, 200)}, poisoned=True),
        ),
        seconds=754.0,
        tokens=1_234_567,
        finished=True,
    )


@pytest.fixture
def hostile(record: RunRecord) -> RunRecord:
    """The same run with markup in every text that a model, a verifier or a user can choose."""
    sample = Sample(
        level=7, prompt=POISON, answer=f"\x00\u202e\ud800{POISON}", gold=POISON, status=POISON, reason=POISON
    )
    decision = Decision("hold", POISON, POISON, POISON, 1, 1, 1)
    changed = cycle(
        0,
        decision=decision,
        candidate=POISON,
        samples=(sample, sample.model_copy(update={"status": "rejected"})),
        rejected={POISON: 3},
        metrics={POISON: 1.0},
    )
    update = dict.fromkeys(("id", "recipe", "base", "champion"), POISON)
    update |= {name: {POISON: {POISON: POISON}} for name in ("config", "machine")}
    update |= {"refined": {POISON: {POISON: 0.5}}}
    update |= {"versions": {POISON: POISON}, "cycles": (changed,)}
    return record.model_copy(update=update)
