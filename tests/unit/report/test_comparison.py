"""Recipes side by side: what is refused, what is computed, and how it is shown."""

from typing import Any

import pytest

from autotroph.cli.compare import parsed
from autotroph.comparison import Contest, summary
from autotroph.core.errors import AutotrophError
from autotroph.evaluate.claim import Trial
from autotroph.recipes.sides import pooled_accuracy
from autotroph.report.comparison import comparison_markdown, sparkline


def test_sides_have_the_task_the_algorithm_and_their_own_settings() -> None:
    settings = {"picker": "verifier", "steps": 7}
    sides = Contest(["grpo:rloo", "grpo", "rejection_sampling"], "copy", 3, 1e9, settings=settings).sides()
    common = {"task": "copy", "level": 3, "steps": 7}
    assert {name: dict(side.settings) for name, side in sides.items()} == {
        "grpo:rloo": {**common, "algorithm": "rloo"},
        "grpo": common,
        "rejection_sampling": {**common, "picker": "verifier"},
    }


@pytest.mark.parametrize(
    ("names", "changes", "expected"),
    [
        (["grpo"], {}, "two or more"),
        (["grpo", "grpo"], {}, "two or more"),
        (["grpo", "gropo"], {}, "did you mean 'grpo'"),
        (["grpo", "grpo:rlo"], {}, "algorithm = 'rlo'"),
        (["grpo", "rejection_sampling:rloo"], {}, "unknown key 'algorithm'"),
        (["grpo", "nft"], {"settings": {"picker": "judge"}}, "no recipe here has 'picker'"),
        (["grpo", "nft"], {"seeds": 1}, "--seeds 2"),
        (["grpo", "nft"], {"flops": 0.0}, "--flops"),
    ],
)
def test_what_cannot_be_compared_is_refused(names: list[str], changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(AutotrophError, match=expected):
        Contest(**{"names": names, "task": "copy", "level": 3, "flops": 1e9, **changes}).sides()


def test_settings_are_read_as_toml_or_as_text() -> None:
    assert parsed("base.train.rows=150") == {"base": {"train": {"rows": 150}}}
    assert parsed("schedule=constant") == {"schedule": "constant"}
    assert parsed("rate=0.5") == {"rate": 0.5}
    with pytest.raises(AutotrophError, match="KEY=VALUE"):
        parsed("rate")


def trials(*values: float) -> list[Trial]:
    return [Trial(value, {"flops": 2e9}, curve=(0.0, value)) for value in values]


def test_a_summary_by_hand() -> None:
    """Values 60, 70, 80: s = 10, t(2) = 4.3027; differences 10, 10, 10 to the first side have no spread."""
    found = summary(trials(60, 70, 80), [50, 60, 70])
    assert found["mean"] == 70
    assert found["interval"] == pytest.approx((70 - 4.3027 * 10 / 3**0.5, 70 + 4.3027 * 10 / 3**0.5), abs=1e-3)
    assert (found["difference"], found["difference_interval"]) == (10, pytest.approx((10, 10)))
    assert found["flops"] == 2e9


def test_levels_of_few_tasks_count_as_few() -> None:
    assert pooled_accuracy({1: (0.0, 1), 2: (1.0, 99)}) == 99


def test_curves_are_stretched_and_averaged() -> None:
    assert sparkline([[0, 100]]) == "▁▁▁▁▁▁██████"
    assert sparkline([[0, 0, 0], [100, 100, 100]]) == "▅" * 12


def test_the_table_has_a_row_for_each_side() -> None:
    sides = {name: summary(trials(*values), [50, 60]) for name, values in (("a", (50, 60)), ("b", (60, 70)))}
    page = comparison_markdown({"flops": 1e9, "sides": sides})
    assert page.splitlines()[2].startswith("| a | 0.0 | 55.0 (")
    assert "| +10.0 (10.0 to 10.0) | 2.00x |" in page.splitlines()[3]
