"""What the recipes without labels share, and what the claims about them read from a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.optimize.gro import GRO
from autotroph.recipes import co_reward, srt
from autotroph.recipes.bases import misled
from autotroph.recipes.label_free import LabelFreeConfig, VoteConfig, one_level
from autotroph.rewards.confidence import NegativeEntropy
from autotroph.rewards.heuristic import FormatReward, MajorityAgreement
from autotroph.rewards.shuffled import Shuffled
from autotroph.rewards.verifiable import Verifiable
from autotroph.store.record import RunRecord
from autotroph.tasks.addition import Addition


def test_a_share_of_the_rows_has_the_answer_to_another_task() -> None:
    tasks = Addition().generate(3, 200, 0)
    noisy = misled(tasks, 0.25, 0)
    changed = [(a, b) for a, b in zip(tasks, noisy, strict=True) if a.answer != b.answer]
    assert 45 <= len(changed) <= 50  # 50 are handed on; two of them may by chance have the same sum
    assert all(a.key == b.key for a, b in zip(tasks, noisy, strict=True))
    assert sorted(str(task.answer) for task in tasks) == sorted(str(task.answer) for task in noisy)
    assert misled(tasks, 0.0, 0) == tasks


def test_one_level_is_the_second_unless_it_is_named() -> None:
    assert list(one_level(Addition(), None)) == [2]
    assert list(one_level(Addition(), 7)) == [7]
    with pytest.raises(AutotrophError, match="no level 0"):
        one_level(Addition(), 0)


@pytest.mark.parametrize(
    ("reward", "kind"),
    [("own", NegativeEntropy), ("verifier", Verifiable), ("format", FormatReward), ("shuffled", Shuffled)],
)
def test_what_stands_in_the_place_of_a_reward(reward: str, kind: type) -> None:
    config = LabelFreeConfig.model_validate({"reward": reward})
    assert isinstance(config.rewarded(Addition(), NegativeEntropy()), kind)


def test_a_family_that_cannot_rephrase_is_refused() -> None:
    with pytest.raises(AutotrophError, match="cannot rephrase its problems; use --task addition"):
        co_reward.build(co_reward.Config(task="copy"))


def test_the_control_of_co_reward_keeps_each_wordings_own_vote() -> None:
    optimize = co_reward.build(co_reward.Config(crossed=False)).stages.optimize
    assert isinstance(optimize, GRO)
    assert isinstance(optimize.rewards[0], MajorityAgreement)


def record(base: float, *cycles: tuple[float, bool]) -> RunRecord:
    """A run of so many cycles: accuracy of the candidate, and whether the monitor gave an alarm."""

    def level(mean: float) -> dict[int, tuple[float, int]]:
        return {2: (mean, 100)}

    rows = [
        SimpleNamespace(
            cycle=i,
            candidate_accuracy=level(mean),
            metrics={"dev_accuracy": mean},
            alarms=[SimpleNamespace(monitor="kl_base")] if alarm else [],
        )
        for i, (mean, alarm) in enumerate(cycles)
    ]
    return cast(RunRecord, cast(Any, SimpleNamespace(base_accuracy=level(base), cycles=rows)))


def test_rise_and_fall_is_the_smaller_of_both() -> None:
    assert srt.rise_and_fall(record(0.6, (0.9, False), (0.2, True))) == pytest.approx(30)
    assert srt.rise_and_fall(record(0.6, (0.8, False), (0.75, True))) == pytest.approx(5)
    assert srt.rise_and_fall(record(0.6, (0.7, False), (0.9, False))) == 0
    assert srt.rise_and_fall(record(0.6, (0.5, False), (0.1, False))) == 0


def test_the_lead_of_an_alarm_is_counted_to_two_points_below_the_peak() -> None:
    early = srt.foresight(record(0.6, (0.9, False), (0.89, True), (0.8, True)))
    assert early == {"peak": pytest.approx(90), "alarm": 2, "lost": 3, "lead": 1, "kept": pytest.approx(89)}
    late = srt.foresight(record(0.6, (0.9, False), (0.8, False), (0.7, True)))
    assert (late["lead"], late["kept"]) == (-1, pytest.approx(70))
    dip = srt.foresight(record(0.6, (0.8, True), (0.7, False), (0.9, False), (0.6, False)))
    assert (dip["alarm"], dip["lost"]) == (1, 4)
    never = srt.foresight(record(0.6, (0.7, False), (0.9, False)))
    assert (never["alarm"], never["lost"], never["lead"], never["kept"]) == (3, 3, 0, pytest.approx(90))


def test_votes_are_watched_by_their_distance_from_the_base() -> None:
    assert VoteConfig().monitors.kl_base.high == 0.1
    assert VoteConfig().threshold == 0.25
