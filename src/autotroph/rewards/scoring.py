"""Where groups are scored: what verifiers are asked is counted, kept before it is used, and not asked twice."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from autotroph.core.budget import Meter
from autotroph.core.protocols import RewardFn
from autotroph.core.task import stable_hash
from autotroph.core.trace import Group, digest
from autotroph.rewards.asked import ask

FIRST, LONGEST = 64, 5.0
"""Groups that are scored before anything is known of their pace, and seconds of verification that a crash may take."""


def scored(groups: Sequence[Group], rewards: Sequence[RewardFn], meter: Meter) -> list[Group]:
    """The groups with every reward's score on each trace. Raises BudgetExceeded before what goes beyond a cap."""
    each = sum(reward.verifier_calls for reward in rewards)
    if not each:
        return _score(groups, rewards)
    names = ",".join(reward.name for reward in rewards)
    name, parts = meter.replayed(stable_hash("verify", names, digest(groups)))
    kept = [rewards for answer in parts.values() for rewards in json.loads(answer)]
    done = [
        replace(group, traces=tuple(replace(t, rewards=r) for t, r in zip(group.traces, own, strict=True)))
        for group, own in zip(groups, kept, strict=False)
    ]
    rate = FIRST / LONGEST
    while len(done) < len(groups):
        batch = groups[len(done) : len(done) + max(1, int(rate * min(LONGEST, meter.left("seconds") / 2)))]
        totals = list(accumulate(each * len(group.traces) for group in batch))
        fit = max(1, sum(total <= meter.left("verifier_calls") for total in totals))
        batch, calls, begun = batch[:fit], totals[fit - 1], time.monotonic()
        with meter.unit(verifier_calls=calls):
            found = _score(batch, rewards)
            meter.spend(verifier_calls=calls)
            answer = json.dumps([[dict(trace.rewards) for trace in group.traces] for group in found])
            meter.record(name, len(done), answer.encode(), {"verifier_calls": calls})
        rate = len(batch) / (time.monotonic() - begun)
        done += found
    return done


def _score(groups: Sequence[Group], rewards: Sequence[RewardFn]) -> list[Group]:
    for reward in rewards:
        groups = ask(reward, groups)
    return list(groups)
