"""SRT: practise on one's own majority vote; accuracy rises, and then falls.

Source: Can Large Reasoning Models Self-Train? (arXiv:2505.21444).

Each cycle takes `steps` on-policy GRPO steps. The majority answer of a group is its label, r(y) = 1 where y is equal to
it, as long as at least `threshold` of the group gave it; else the group is left out. The vote is right more often than
a single answer, which lifts accuracy. But what is maximised is agreement, and in the end answers agree that are wrong:
the reward goes on rising while accuracy falls. How far the policy has gone from the base, `kl_base`, needs no label;
beyond `monitors.kl_base.high` there is an alarm.

The base has read gold rows of which 30% have the answer to another task. Accuracy is that of drawn answers.

Scaled down: a model of well under 5M parameters on additions of two digits, groups of 8, a hundred steps at a rate that
brings the collapse so soon; no curriculum.
"""

from __future__ import annotations

from collections.abc import Mapping

from autotroph.evaluate.claim import Claim
from autotroph.loop import Loop
from autotroph.recipes.label_free import VoteConfig, practise
from autotroph.recipes.sides import Practised, mean_accuracy
from autotroph.rewards.heuristic import MajorityAgreement
from autotroph.store.record import RunRecord

SOURCE = "arXiv:2505.21444"
Config = VoteConfig
FALL = 2.0
"""Points below the peak at which accuracy counts as lost."""
LONG = {"sealed": 300, "exact": 500, "monitors": {"tasks": 32}}
"""Of a side: the tasks that tell accuracy after each cycle, drawn and exact, and those that the monitor asks about."""
FINE = {**LONG, "steps": 5, "cycles": 21}
"""The same steps, looked at three times as often."""


def build(config: VoteConfig) -> Loop:
    return practise(config, MajorityAgreement(threshold=config.threshold))


def curve(record: RunRecord) -> list[float]:
    """Sealed accuracy of the base and after each cycle, in points."""
    return [mean_accuracy(record.base_accuracy), *(mean_accuracy(c.candidate_accuracy) for c in record.cycles)]


def rise_and_fall(record: RunRecord) -> float:
    """The smaller of what a run has gained at its peak and of what it has lost since, in points."""
    values = curve(record)
    return min(max(values) - values[0], max(values) - values[-1])


def foresight(record: RunRecord) -> Mapping[str, float]:
    """`peak`; `alarm`, the cycle of the monitor's first; `lost`, the first one after the peak `FALL` below it; `lead`,
    between them; `kept`, the accuracy at the alarm.

    By `dev_accuracy`, in points: it has no noise of drawing. Cycles count from 1; one past the last stands for never.
    """
    values = [100 * cycle.metrics["dev_accuracy"] for cycle in record.cycles]
    peak, never = max(values), len(values) + 1
    lost = next((i for i in range(values.index(peak) + 2, never) if values[i - 1] < peak - FALL), never)
    alarm = next((c.cycle + 1 for c in record.cycles if any(a.monitor == "kl_base" for a in c.alarms)), never)
    kept = values[min(alarm, never - 1) - 1]
    return {"peak": peak, "alarm": float(alarm), "lost": float(lost), "lead": float(lost - alarm), "kept": kept}


CLAIM = Claim(
    says="self-training on majority votes first improves accuracy and then, trained for long, collapses",
    reported="gains like those of RL with labels at first, then a sudden and complete collapse; figures not read",
    measure="the smaller of the gain at the peak and of the loss since then, points of sealed accuracy",
    ours=Practised("srt", FINE, rise_and_fall, beside=foresight),
    baseline=Practised("srt", {**FINE, "reward": "verifier"}, rise_and_fall, beside=foresight),
    control=Practised("srt", {**FINE, "reward": "shuffled"}, rise_and_fall, beside=foresight),
    against="the same steps with labels",
    without="telling who was in the majority: rewards are dealt anew in each group",
    margin=FALL,
    note="The limit of the monitor, .1 nats a token, was set on seeds 100 and 101; the rate is one at which a hundred "
    "steps are long.",
)
