import pytest
from rich.console import Console

from autotroph.evolve.arena import Contest, Trial
from autotroph.report.arena import arena_chart, arena_markdown, arena_tables, summary


def trials(*skills, solved=None):
    return [Trial(skill, skill + 0.1, 10, solved) for skill in skills]


TRIALS = {"nk": {"random": trials(0.1, 0.3), "best_of_n": trials(0.2, 0.2), "hgm": trials(0.4, 0.5, solved=70)}}
FOUND = summary(Contest(tuple(TRIALS["nk"]), ("nk",), 100, 2), TRIALS)


def test_differences_are_paired_by_seed():
    hgm = FOUND["landscapes"]["nk"]["hgm"]
    # differences .3 and .2: mean .25, standard error .05, t of one degree of freedom 12.706
    assert hgm["against"]["random"]["mean"] == pytest.approx(0.25)
    assert hgm["against"]["random"]["interval"] == pytest.approx((0.25 - 12.706 * 0.05, 0.25 + 12.706 * 0.05), abs=1e-3)
    assert hgm["against"]["best_of_n"]["mean"] == pytest.approx(0.25)
    assert FOUND["landscapes"]["nk"]["random"]["against"].keys() == {"best_of_n"}


def test_a_median_is_given_where_most_have_solved_it():
    assert FOUND["landscapes"]["nk"]["hgm"]["median_solved"] == 70
    assert FOUND["landscapes"]["nk"]["random"]["median_solved"] is None


def test_tables_begin_with_the_best():
    lines = arena_markdown(FOUND).splitlines()
    assert [line.split(" | ")[0] for line in lines[5:]] == ["| hgm", "| random", "| best_of_n"]
    assert "2 of 2" in lines[5]
    console = Console(width=160, record=True)
    console.print(*arena_tables(FOUND))
    assert "100 evaluations, 2 seeds" in console.export_text()


def test_the_picture_has_a_panel_for_each_landscape():
    (panel,) = arena_chart(FOUND).data
    assert panel.y[-1] == "hgm"
    assert panel.x[-1] == pytest.approx(0.45)
