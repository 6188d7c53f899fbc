"""The loop end to end: it must improve, refuse a planted failure, and resume to the same end."""

import html
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import PRACTICE, SMALL, finish, start

from autotroph.acquire.replay import Poisoned
from autotroph.cli.main import invoke
from autotroph.core.decision import Report, Result
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import short
from autotroph.core.protocols import Source, View
from autotroph.core.trace import Group
from autotroph.evaluate.refinement import compare, outcome
from autotroph.loop import Recorder, run_loop
from autotroph.recipes import length_generalisation as recipe
from autotroph.report.html import render
from autotroph.report.sentences import refinement_sentence
from autotroph.state import State
from autotroph.store import lineage
from autotroph.store.run import Run
from autotroph.tasks.registry import task_family


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run without any failure."""
    folder = tmp_path_factory.mktemp("runs") / "clean"
    with start(folder, "length_generalisation", **SMALL) as run:
        finish(run)
        (folder / "report.txt").write_text(html.unescape(render(run.record())))
    return folder


UNFILTERED = {"members": 1, "filter": "none", "entropy": 0, "steps": 60, "gate": {"off": True}}
"""Every self-made row is kept, right or wrong, and every candidate is promoted."""


@pytest.fixture(scope="module")
def unfiltered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "unfiltered"
    with start(folder, "length_generalisation", **(SMALL | UNFILTERED)) as run:
        finish(run)
    return folder


def test_the_loop_improves_its_model(clean: Path) -> None:
    record = Run.open(clean, write=False).record()
    before, after = record.base_accuracy[2][0], record.champion_accuracy[2][0]
    assert record.finished
    assert any(cycle.decision.promoted for cycle in record.cycles)
    assert after > before + 0.5, f"level 2: {before:.2f} -> {after:.2f}"


def test_the_ledger_of_a_run_holds_together(clean: Path) -> None:
    with Run.open(clean, write=False) as run:
        run.ledger.check()
        kinds = [event.kind for event in run.ledger.events()]
        assert kinds == ["start", "base", "gap", *["cycle"] * len(run.record().cycles), "end"]
        assert set(run.start["versions"]) >= {"autotroph", "torch"}
        assert run.start["machine"]["cores"] >= 1


def test_a_promotion_says_what_sampling_the_champion_makes_of_its_gain(clean: Path) -> None:
    """And the ledger has the scores from which every figure of it follows."""
    cycles = Run.open(clean, write=False).record().cycles
    assert any(cycle.decision.promoted for cycle in cycles)
    for cycle in cycles:
        found = cycle.decision.refinement
        assert (found is not None) == cycle.decision.promoted
        if found is None:
            continue
        gained = {level for level, flips in cycle.decision.levels.items() if flips.gained > flips.lost}
        assert set(found.levels) == gained
        assert {one.candidate for one in found.comparisons if one.equal_cost} >= {"vote@5", "best@5"}
        for one in found.comparisons:
            sides = [
                Report(name, "", tuple(Result(str(i), 1, score) for i, score in enumerate(scores)), {}, cost=cost)
                for name, cost, scores in zip(
                    "ab", (one.champion_cost, one.candidate_cost), zip(*one.scores, strict=True), strict=True
                )
            ]
            assert compare(*sides, one.champion, one.candidate, one.equal_cost) == one
        assert outcome(found.comparisons) == found.outcome
        assert refinement_sentence(found) in (clean / "report.txt").read_text()


def test_every_self_made_row_has_its_lineage(unfiltered: Path) -> None:
    with Run.open(unfiltered, write=False) as run:
        rows = list(State.restore(run).history())
        assert rows
        assert all(rows)
        for groups in rows:
            for group in groups:
                assert group.task.level > SMALL["taught"]
                assert group.task.split == "train"
                assert group.task.provenance.depth >= 1
                assert all(trace.depth >= 1 and trace.policy for trace in group.traces)


def test_a_poisoned_round_is_refused(tmp_path: Path) -> None:
    """In the second round every label is wrong, gold rows included; the first round's champion stays."""
    with start(tmp_path / "poisoned", "length_generalisation", **SMALL) as run:
        loop = recipe.build(recipe.Config(**SMALL))
        bad = replace(loop.stages, source=Poisoned(loop.stages.source, at=1))
        run_loop(run, replace(loop, stages=bad, poison_cycle=1), Recorder())
        record = run.record()
    first, second = record.cycles
    assert first.decision.promoted
    assert second.poisoned
    assert second.decision.verdict == "roll back"
    assert record.champion == first.candidate


def test_poison_corrupts_every_label_of_its_round_and_no_other(tmp_path: Path) -> None:
    unfiltered = {"members": 1, "filter": "none", "entropy": 0}
    with start(tmp_path / "r", "length_generalisation", **SMALL, **unfiltered, poison_round=1) as run:
        finish(run)
        record = run.record()
    assert [cycle.poisoned for cycle in record.cycles] == [True, False]
    assert record.cycles[0].metrics["label_accuracy"] == 0.0


def test_a_reused_set_serves_its_looks_and_pays_for_them(tmp_path: Path) -> None:
    """Two rounds on one set: the same seed draws both, and the second look pays for what the first one said."""
    settings = {**SMALL, "gate": {"reuse": 2}}
    with start(tmp_path / "reused", "length_generalisation", **settings) as run:
        loop, drawn = recipe.build(recipe.Config(**settings)), []
        suite = loop.stages.suite
        spied = replace(loop.stages, suite=lambda seed: drawn.append(seed) or suite(seed))
        run_loop(run, replace(loop, stages=spied), Recorder())
        first, second = run.record().cycles
    assert drawn[0] == drawn[1]
    assert first.decision.promoted
    assert second.decision.alpha == pytest.approx(first.decision.alpha / 4)


class Interrupting(Recorder):
    """An observer that pulls the plug when the given stage of the given cycle begins."""

    def __init__(self, cycle: int, stage: str):
        super().__init__()
        self.at = (cycle, stage)

    def stage(self, cycle: int, name: str) -> None:
        if (cycle, name) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", [(0, "optimize"), (1, "evaluate"), (1, "select"), (2, "final")])
def test_a_resumed_run_equals_the_uninterrupted_one(clean: Path, tmp_path: Path, at: tuple[int, str]) -> None:
    with start(tmp_path / "r", "length_generalisation", **SMALL) as run, pytest.raises(KeyboardInterrupt):
        finish(run, Interrupting(*at))
    with Run.open(tmp_path / "r") as run:
        finish(run)
        resumed = run.record()
    straight = Run.open(clean, write=False).record()
    assert resumed.champion == straight.champion
    assert [cycle.decision for cycle in resumed.cycles] == [cycle.decision for cycle in straight.cycles]
    assert [cycle.candidate for cycle in resumed.cycles] == [cycle.candidate for cycle in straight.cycles]
    assert resumed.champion_accuracy == straight.champion_accuracy


class Blanked:
    """A source whose synthesised tasks have lost their gold answers; with `leak` those had become the labels before."""

    def __init__(self, source: Source, leak: bool = False):
        self.source, self.leak = source, leak

    def propose(self, view: View) -> list[Group]:
        return [self._blank(group) if group.task.provenance.depth else group for group in self.source.propose(view)]

    def _blank(self, group: Group) -> Group:
        traces = [replace(trace, text=group.task.answer) if self.leak else trace for trace in group.traces]
        return Group(replace(group.task, answer="?"), tuple(traces))


@pytest.mark.parametrize("leak", [False, True])
def test_no_gold_answer_reaches_a_self_made_row(unfiltered: Path, tmp_path: Path, leak: bool) -> None:
    """With all gold answers of the synthesised tasks destroyed, the run keeps the very same labels and makes the very
    same candidates. Where a gold answer had leaked into the labels, it would not.
    """
    settings = SMALL | UNFILTERED
    with start(tmp_path / "blank", "length_generalisation", **settings) as run:
        loop = recipe.build(recipe.Config(**settings))
        run_loop(run, replace(loop, stages=replace(loop.stages, source=Blanked(loop.stages.source, leak))), Recorder())
        blank = labels(run), [cycle.candidate for cycle in run.record().cycles]
    with Run.open(unfiltered, write=False) as run:
        straight = labels(run), [cycle.candidate for cycle in run.record().cycles]
    assert len(straight[0]) > SMALL["per_round"], "too few self-made rows were kept for this to show anything"
    assert (blank[0] == straight[0]) is not leak
    assert leak or blank[1] == straight[1]


def labels(run: Run) -> list[tuple[str, str]]:
    """Every self-made row's task and answer."""
    return [(row.task["key"], row.text) for row in lineage.rows(run)]


def test_grpo_improves_a_brief_base(tmp_path: Path) -> None:
    with start(tmp_path / "grpo", "grpo", **PRACTICE) as run:
        finish(run)
        record = run.record()
    before, after = record.base_accuracy[3][0], record.champion_accuracy[3][0]
    assert any(cycle.decision.promoted for cycle in record.cycles)
    assert after > before + 0.1, f"{before:.2f} -> {after:.2f}"


def test_adapters_improve_a_brief_base_and_leave_the_rest_of_it(tmp_path: Path) -> None:
    """Only the blocks' matrices of the champion differ from the base's; each promotion adds a change of low rank."""
    pytest.importorskip("peft")
    with start(tmp_path / "lora", "grpo", **PRACTICE, lora={"rank": 8}) as run:
        finish(run)
        record, state = run.record(), State.restore(run)
        base, champion = (state.load(policy)[0] for policy in (run.base_policy(), state.champion))
    before, after = record.base_accuracy[3][0], record.champion_accuracy[3][0]
    assert any(cycle.decision.promoted for cycle in record.cycles)
    assert after > before + 0.1, f"{before:.2f} -> {after:.2f}"
    moved = {name for name, weight in base.named_parameters() if not torch.equal(weight, champion.get_parameter(name))}
    assert moved == {name for name, weight in base.named_parameters() if weight.dim() == 2 and ".layers." in name}


def test_rft_learns_from_right_tries_alone_in_an_environment(tmp_path: Path) -> None:
    settings = {"task": "maze_walk", "level": 2, "cycles": 2, "tasks": 200, "sealed": 150, "final_sealed": 150}
    small = {"hidden": 32, "rope_theta": 1e4, "train": {"steps": 150, "rows": 500}}
    with start(tmp_path / "run", "rejection_sampling", **settings, base=small, near=0.95, confident=0.9) as run:
        finish(run)
        record = run.record()
        rows = [group for groups in State.restore(run).history() for group in groups]
    family = task_family("maze_walk")
    assert rows
    assert all(family.verify(group.task, trace.text) == 1.0 for group in rows for trace in group.traces)
    assert set(record.cycles[0].rejected) >= {"low verified", "low confidence"}
    assert set(record.refined["champion"]) == {"greedy", "vote@5", "best@5"}
    before, after = record.base_accuracy[2][0], record.champion_accuracy[2][0]
    assert any(cycle.decision.promoted for cycle in record.cycles)
    assert after > before, f"{before:.2f} -> {after:.2f}"


HALF_TAUGHT = {"rope_theta": 1e4, "train": {"steps": 215, "rows": 3000}}
"""A base that adds two digits nearly always and three in about two thirds of the cases."""


@pytest.mark.parametrize(("refiner", "picker"), [("vote", "vote"), ("best", "certainty")])
def test_distilling_refined_answers_improves_the_raw_ones_without_any_gold(
    tmp_path: Path, refiner: str, picker: str
) -> None:
    """Nothing is learnt but what is picked among the model's own samples, one generation deeper than who gave them."""
    settings = {"task": "addition", "level": 3, "cycles": 1, "tasks": 1000, "refiner": refiner, "base": HALF_TAUGHT}
    with start(tmp_path / "r", "distill", **settings, gold_per_level=0, guard={"real_floor": 0}) as run:
        finish(run)
        record = run.record()
        rows = list(lineage.rows(run))
    assert record.gap.picker == picker
    assert len(rows) == record.cycles[0].metrics["kept"] > 300
    assert {strand.depth for strand in record.cycles[0].lineage} == {row.depth for row in rows} == {1}
    assert record.cycles[0].decision.promoted
    before, after = record.base_accuracy[3][0], record.champion_accuracy[3][0]
    assert after > before, f"{before:.2f} -> {after:.2f}"


def test_a_dynamic_benchmark_in_a_run(tmp_path: Path) -> None:
    """Most sealed tasks go where the champion solves a part, and a family that is not practised stands guard."""
    settings = {"task": "addition", "level": 3, "cycles": 1, "steps": 5, "tasks": 50, "sealed": 50, "base": HALF_TAUGHT}
    with start(tmp_path / "r", "rejection_sampling", **settings, adaptive=True, held_out="addition_forward=0.9") as run:
        finish(run)
        [cycle] = run.record().cycles
        shown = html.unescape(render(run.record()))
    counts = {level: found.gained + found.lost + found.kept for level, found in cycle.decision.levels.items()}
    assert counts[2] == 15
    assert counts[3] == 50 + 35
    guard = cycle.decision.tags["addition_forward"]
    assert guard.gained + guard.lost + guard.kept > 100
    assert cycle.decision.age == 1
    assert "addition_forward: " in shown
    assert "its tasks were fresh" in shown


def test_a_run_begins_with_its_gap_and_refuses_where_there_is_none(tmp_path: Path) -> None:
    """A base that cannot copy six letters at all has nothing to pick from; resuming does not get around it."""
    hopeless = PRACTICE | {"level": 6, "cycles": 1, "base": {"hidden": 32, "train": {"steps": 1, "rows": 50}}}
    with start(tmp_path / "r", "grpo", **hopeless, require_gap=0.5) as run:
        for _ in range(2):
            with pytest.raises(AutotrophError, match=r"below --require-gap 0\.5"):
                finish(run)
        found = run.record().gap
        assert [event.kind for event in run.ledger.events()] == ["start", "base", "gap"]
    assert found is not None
    assert found.high < 0.5
    assert found.mean <= found.picked == found.best
    with (
        start(tmp_path / "s", "grpo", **PRACTICE, gap_samples=0, require_gap=0.1) as run,
        pytest.raises(AutotrophError, match="raise --gap-samples"),
    ):
        finish(run)


def test_lineage_leads_from_any_row_to_the_base(unfiltered: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Run.open(unfiltered, write=False) as run:
        record, made = run.record(), list(lineage.rows(run))
        last = made[-1]
        line = lineage.ancestry(run, last.policy)
        assert lineage.find(run, last.id).task["key"] == last.task["key"]
        with pytest.raises(AutotrophError, match="no self-made row 'zz'; "):
            lineage.find(run, "zz")
        with pytest.raises(AutotrophError, match=r"'' fits \d+ rows.*give more digits"):
            lineage.find(run, "")
    assert line[-1].policy == record.base
    assert line[-1].cycle is None
    assert [last.depth, record.cycles[0].decision.promoted] == [2, True]
    for cycle in record.cycles:
        of_cycle = [row for row in made if row.cycle == cycle.cycle]
        fresh = sum(strand.rows for strand in cycle.lineage if strand.policy == cycle.champion)
        gold = sum(strand.rows for strand in cycle.lineage if strand.policy == "gold")
        assert len(of_cycle) == fresh == cycle.metrics["kept"]
        assert gold > 0
        assert all(strand.depth == 0 for strand in cycle.lineage if strand.policy == "gold")
    assert invoke(["lineage", str(unfiltered), last.id]) == 0
    shown = capsys.readouterr().out
    assert last.task["prompt"] in shown
    assert f"policy {short(record.base)}: the base" in shown
    assert invoke(["lineage", str(unfiltered)]) == 0
    assert last.id in capsys.readouterr().out


def test_a_depth_cap_is_enforced_before_training(tmp_path: Path) -> None:
    with start(tmp_path / "r", "length_generalisation", **(SMALL | UNFILTERED), guard={"max_depth": 1}) as run:
        finish(run)
        record = run.record()
    assert record.cycles[0].decision.promoted
    assert all(strand.depth <= 1 for cycle in record.cycles for strand in cycle.lineage)
    assert record.cycles[1].rejected["too deep"] > 0
    assert record.cycles[1].metrics["depth"] <= 1


def test_a_monitor_stops_a_run_for_good_and_its_alarm_is_in_the_record(tmp_path: Path) -> None:
    monitors = {"vendi_ngram": {"low": 1e9, "response": "stop"}}
    with start(tmp_path / "r", "length_generalisation", **(SMALL | UNFILTERED), monitors=monitors) as run:
        for _ in range(2):
            with pytest.raises(AutotrophError, match="stopped by monitor vendi_ngram at"):
                finish(run)
        [cycle] = run.record().cycles
    assert [alarm.monitor for alarm in cycle.alarms if alarm.response == "stop"] == ["vendi_ngram"]
    assert not cycle.decision.promoted
    assert 1 <= cycle.metrics["vendi_ngram"] <= 64
    assert {"distinct_2", "self_bleu", "vendi_histogram", "saturation", "length_drift"} <= set(cycle.metrics)
