"""What a run leaves behind for its readers: the report, `--json`, comparisons."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from autotroph.core.config import Config
from autotroph.core.decision import Decision

Accuracy = dict[int, tuple[float, int]]
"""Level -> (mean sealed score, number of scored tasks)."""


class Sample(Config):
    """One trace for people to look at. `status`: right | wrong (kept for training, and so) | rejected."""

    level: int
    prompt: str
    answer: str
    gold: str | None
    status: str
    reason: str | None = None


Response = Literal["warn", "warmer", "cooler", "more real", "hold", "stop"]


class Change(Config):
    """A knob that a monitor has turned, for the cycles to come."""

    knob: str
    old: float
    new: float


class Alarm(Config):
    """A monitor's figure that crossed its limit, and the response that was declared for it."""

    monitor: str
    value: float
    limit: float
    response: Response
    change: Change | None = None


class Signal(Config):
    """Something that a person may want to look at before the run goes on."""

    name: str
    what: str


class Gap(Config):
    """How much better than chance `picker` chose among the base's samples; scores are means over tasks, in [0, 1]."""

    picker: str
    tasks: int
    samples: int
    """Of each task."""
    mean: float
    """Score of a blind pick."""
    picked: float
    best: float
    """Score of the best sample: the ceiling of any pick."""
    gap: float
    low: float
    high: float
    """95% interval of `gap`."""
    unscored: int = 0
    """Tasks left out, as their pick could not be scored."""


class Strand(Config):
    """Training rows of one origin. `source`: of their tasks; `policy`: who answered, "gold" for gold answers; `depth`:
    generations of self-made data behind the answers, 0 for real ones."""

    source: str
    policy: str
    depth: int
    rows: int


class CycleRecord(Config):
    """One turn of the loop.

    `metrics` holds `generated`, `kept`, `label_accuracy` (share of kept labels that are right, known to the
    report alone), `self_made_share`, `depth`, `entropy`, `loss`, the figures of `evaluate.monitors`, `tokens`,
    `seconds` (of each stage, too: `acquire_seconds` and so on), and whatever a recipe adds.
    """

    cycle: int
    level: int
    """Hardest level that was tried."""
    mastered: int
    """Highest level that the champion has behind it, as selection sees it."""
    champion: str
    candidate: str
    decision: Decision
    champion_accuracy: Accuracy
    candidate_accuracy: Accuracy
    metrics: dict[str, float]
    rejected: dict[str, int]
    samples: tuple[Sample, ...]
    poisoned: bool = False
    lineage: tuple[Strand, ...] = ()
    """All that the cycle was fed."""
    alarms: tuple[Alarm, ...] = ()
    nothing: str | None = None
    """Why there was nothing to train on, where the cycle was held for that."""
    signals: tuple[Signal, ...] = ()
    """For oversight: with the mode "approve on yellow" a promotion waits for a person where there are any."""


class RunRecord(Config):
    """A whole run, as its ledger tells it."""

    id: str
    recipe: str
    config: dict[str, Any]
    machine: dict[str, Any]
    versions: dict[str, str]
    seed: int
    base: str
    champion: str
    taught: int
    """Highest level of the base model's training."""
    base_accuracy: Accuracy
    champion_accuracy: Accuracy
    refined: dict[str, dict[str, float]]
    """"base" and "champion" -> refiner -> mean sealed score of its answers."""
    cycles: tuple[CycleRecord, ...]
    seconds: float
    tokens: int
    finished: bool
    spent: dict[str, float] = Field(default_factory=dict)
    """All counters of the meter, `seconds` and `tokens` among them."""
    lost: dict[str, float] = Field(default_factory=dict)
    """What crashes have cost beside that, by counter: work that had to be done again."""
    gap: Gap | None = None
    """Measured on the base before the first cycle; None where it was not asked for."""
    events: int = 0
    root: str = ""
    """Merkle root over the ledger's `events` (RFC 9162)."""
    signer: str | None = None
    """The public key (Ed25519) that signs the ledger; None: it is not signed."""
