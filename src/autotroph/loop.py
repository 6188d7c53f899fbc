"""The lifecycle: acquire, select, optimize, evaluate, gate; at the end, what refinement adds to the raw answers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from autotroph.core.budget import Meter
from autotroph.core.decision import Decision, Report
from autotroph.core.errors import AutotrophError
from autotroph.core.estimate import Estimate
from autotroph.core.policy import Kind
from autotroph.core.protocols import Gate, Optimize, Probe, Refiner, Selector, Source, Verify, View
from autotroph.core.reject import is_live
from autotroph.core.task import Task, refuse_unless_train
from autotroph.core.trace import Group, Trace
from autotroph.evaluate import gap as gaps
from autotroph.evaluate.benchmark import SealedSuite
from autotroph.evaluate.figures import contamination, of_answers, of_reports, proxy_gap
from autotroph.evaluate.monitors import Monitors, turned
from autotroph.evaluate.refinement import EqualCost
from autotroph.oversight.overseer import LOOKED_AT, Mode, Overseer, overseen
from autotroph.oversight.proposal import Proposal
from autotroph.rewards.scoring import scored
from autotroph.rewards.verifiable import Verifiable
from autotroph.select.chain import counted
from autotroph.select.guard import Guard
from autotroph.state import State
from autotroph.store.lineage import strands
from autotroph.store.record import Alarm, CycleRecord, Gap, Sample
from autotroph.store.run import Run

SPENT = ("seconds", "tokens", "flops")
"""What a cycle's metrics say of the meter."""
PRACTICE = ("tokens", "trained_tokens", "verifier_calls", "flops")
"""What they say of it up to the candidate: without what judging it costs."""

Rows = Sequence[tuple[Task, Trace]]
Scores = Mapping[tuple[str, str], float | None]
"""(task's key, answer) -> score."""


class Observer(Protocol):
    """Somebody who watches a run."""

    def base(self, step: int, steps: int, loss: float) -> None: ...
    def gap(self, gap: Gap) -> None: ...
    def stage(self, cycle: int, name: str) -> None: ...
    def cycle(self, record: CycleRecord) -> None: ...


class Recorder:
    """An observer that shows nothing and remembers the cycles."""

    def __init__(self) -> None:
        self.records: list[CycleRecord] = []

    def base(self, step: int, steps: int, loss: float) -> None: ...
    def gap(self, gap: Gap) -> None: ...
    def stage(self, cycle: int, name: str) -> None: ...
    def cycle(self, record: CycleRecord) -> None:
        self.records.append(record)


@dataclass(frozen=True)
class Stages:
    """The five processes of one run, and the yardstick that only `evaluate` uses."""

    source: Source
    selector: Selector
    optimize: Optimize
    suite: Callable[[int], SealedSuite]
    """Fresh sealed tasks for the given seed; a set serves `gate.reuse` cycles."""
    refiner: Refiner
    gate: Gate
    verify: Verify
    """For the report's `label_accuracy` and samples alone; no stage sees what it says."""
    other_refiners: tuple[Refiner, ...] = ()
    """Better answers from the same weights, measured beside the raw ones of base and champion at the end."""
    rivals: EqualCost | None = None
    """What a promoted gain is compared with: the champion with as much inference. None: it is not."""
    probes: tuple[Probe, ...] = ()
    """Measure what monitors watch and no stage tells."""


@dataclass(frozen=True)
class Loop:
    """A recipe, built: the stages, the base that it starts from, and when it is done."""

    stages: Stages
    base: Callable[[Observer], tuple[Path, int]]
    """Trains or finds the base checkpoint; returns its folder and the highest level that it was taught."""
    cycles: int
    final_suite: Callable[[], SealedSuite]
    kind: Kind = "weights"
    """What improves."""
    target_level: int | None = None
    poison_cycle: int | None = None
    mastery: float = 0.0
    """Share of a level's tasks for which selection must keep a row before the level counts as mastered."""

    guard: Guard = field(default_factory=Guard)
    """Looks at what selection kept, before any training."""
    monitors: Monitors = field(default_factory=Monitors)
    knobs: Mapping[str, float] = field(default_factory=dict)
    """What monitors may turn, as it is configured."""
    gap: Callable[[View], Gap] | None = None
    """Measures what there is to gain before compute is spent; None: not asked for."""
    adaptive: bool = False
    """Whether most sealed tasks of a decision are of levels that the champion solves in part."""
    oversight: Mode = "automatic"
    """Which promotions wait for a person."""
    require_gap: float | None = None
    """Least upper bound of the gap with which the run may begin."""
    estimate: Callable[[], Estimate] | None = None
    """What the run is going to cost, its base aside."""
    practice: Mapping[str, float] = field(default_factory=dict)
    """What practice may cost, by counter of PRACTICE: once one is spent, no other cycle begins."""

    def finished(self, state: State) -> bool:
        reached = self.target_level is not None and state.level >= self.target_level
        spent = any(state.practised(counter) >= most for counter, most in self.practice.items())
        return reached or spent or state.cycle >= self.cycles


Commit = Callable[[State, Proposal, Observer], State]


def committed(state: State, proposal: Proposal, watch: Observer) -> State:
    """Commit a cycle without anybody's leave."""
    watch.cycle(proposal.record)
    return state.commit(proposal.candidate, proposal.record, proposal.knobs, proposal.ruling)


def cycle(state: State, loop: Loop, watch: Observer, commit: Commit = committed) -> State:
    """One turn of the lifecycle: the only way in which a champion changes."""
    stages, before, clock = loop.stages, state.meter.snapshot(), Clock(watch, state.cycle)
    clock.enter("acquire")
    acquired = stages.source.propose(state)
    refuse_unless_train((group.task for group in acquired), "acquire")
    clock.enter("select")
    selected = loop.guard.select(stages.selector.select(acquired, state), state)
    clock.enter("optimize")
    refuse_unless_train((group.task for group in selected), "optimize")
    nothing = None if any(map(is_live, selected)) else f"nothing was selected: {counted(stages.selector, selected)}"
    candidate, metrics = state.optimized(stages.optimize, selected) if nothing is None else (state.unchanged(), {})
    metrics |= getattr(stages.selector, "metrics", {})
    spent = state.meter.snapshot()
    metrics |= {f"practice_{name}": spent[name] - before[name] for name in PRACTICE}
    clock.enter("evaluate")
    opened = opened_at(state.cycle, stages.gate.reuse)
    suite, seed = stages.suite(state.seed_at(opened, "sealed")), state.seed("evaluate")
    champion_sampler, candidate_sampler = state.sampler(state.champion), state.sampler(candidate)
    if loop.adaptive:
        suite = suite.adapted(champion_sampler, stages.refiner, state.seed("adapt"))
    suite.refuse_leaks(selected, "evaluate")
    champion_report = suite.run(champion_sampler, stages.refiner, seed=seed)
    candidate_report = suite.run(candidate_sampler, stages.refiner, seed=seed)
    for probe in stages.probes:
        metrics |= probe(state, candidate, selected)
    clock.enter("gate")
    answered = answers(state.verdicts()[opened:])
    decision = stages.gate.decide(champion_report, candidate_report, state.cycle + 1, answered)
    rows = rows_of(state.champion.id, selected)
    scores = scores_of(rows, stages.verify, state.meter)
    metrics |= row_metrics(rows, candidate_report, scores) | {"contamination": contamination(selected)}
    metrics |= of_answers(own(state.champion.id, selected)) | of_reports(champion_report, candidate_report)
    alarms = loop.monitors.alarms(metrics, {**loop.knobs, **state.knobs})
    decision, fed = held(decision, alarms, nothing), strands(selected, state.trainee.id)
    if decision.promoted and stages.rivals:
        clock.enter("refine")
        found = stages.rivals.measure(decision, suite, champion_sampler, candidate_sampler, state.seed("refine"))
        decision = replace(decision, refinement=found)
    clock.leave()
    after, tried, kept = state.meter.snapshot(), by_level(rows), by_level(rows, kept=True)
    record = CycleRecord(
        cycle=state.cycle,
        level=max(tried, default=state.level),
        mastered=mastered(tried, kept, state.level, loop.mastery),
        champion=state.champion.id,
        candidate=candidate.id,
        decision=decision,
        champion_accuracy=champion_report.accuracy(),
        candidate_accuracy=candidate_report.accuracy(),
        metrics=metrics | {name: after[name] - before[name] for name in SPENT} | clock.seconds,
        rejected=dict(Counter(trace.rejected for _, trace in rows if trace.rejected)),
        samples=samples(rows, scores),
        poisoned=state.cycle == loop.poison_cycle,
        lineage=fed,
        alarms=alarms,
        nothing=nothing,
    )
    ruling = {
        "gate": stages.gate.model_dump(mode="json"),
        "answered": answered,
        "evidence": state.keep(champion_report, candidate_report),
        "tried": tried,
    }
    return commit(state, Proposal(candidate, record, turned(state.knobs, alarms), ruling), watch)


def opened_at(cycle: int, reuse: int) -> int:
    """The cycle in which the sealed set of this one was fresh."""
    return cycle - cycle % reuse


def answers(verdicts: Sequence[str]) -> int:
    """How often a sealed set has told something: holding says nothing of it."""
    return sum(verdict != "hold" for verdict in verdicts)


class Clock:
    """Tells the observer which stage begins, and how long each one took: `acquire_seconds` and so on.

    `gate` is all bookkeeping of the evaluation: the decision, the metrics and alarms, the lineage.
    """

    def __init__(self, watch: Observer, cycle: int):
        self._watch, self._cycle, self._stage = watch, cycle, ""
        self.seconds: dict[str, float] = {}

    def enter(self, stage: str) -> None:
        self.leave()
        self._watch.stage(self._cycle, stage)
        self._stage, self._since = stage, time.monotonic()

    def leave(self) -> None:
        if self._stage:
            self.seconds[f"{self._stage}_seconds"] = time.monotonic() - self._since


def run_loop(run: Run, loop: Loop, watch: Observer) -> State:
    """Start a run or go on with it, to its end.

    Raises BudgetExceeded before what goes beyond a cap, Interrupted where a person has asked for the end,
    ApprovalNeeded where one has to decide, RedLine where something touched what it may not, Locked after that.
    """
    with overseen(run, loop) as overseer:
        return _run(run, loop, Watched(watch, overseer), overseer)


class Watched:
    """An observer that has the overseer look before a decision is made, and the end is written."""

    def __init__(self, watch: Observer, overseer: Overseer):
        self._watch, self._overseer = watch, overseer
        self.base, self.gap, self.cycle = watch.base, watch.gap, watch.cycle

    def stage(self, cycle: int, name: str) -> None:
        if name in LOOKED_AT:
            self._overseer.look()
        self._watch.stage(cycle, name)


def _run(run: Run, loop: Loop, watch: Observer, overseer: Overseer) -> State:
    if run.ledger.last("base") is None:
        folder, taught = loop.base(watch)
        State.begin(run, folder, taught, loop.kind)
    state = State.restore(run)
    with state.meter.ticking():
        return _turned(run, loop, state, watch, overseer)


def _turned(run: Run, loop: Loop, state: State, watch: Observer, overseer: Overseer) -> State:
    if state.cycle == 0:
        _measure_gap(run, loop, state, watch)
    state = overseer.settle(state, watch)
    while not loop.finished(state):
        state.meter.check()
        refuse_after_stop(run)
        overseer.safe_point()
        state = cycle(state, loop, watch, overseer.commit)
        run.sign()
    refuse_after_stop(run)
    if run.ledger.last("end") is None:
        watch.stage(state.cycle, "final")
        _finish(run, loop, state)
    run.sign()
    return state


def _measure_gap(run: Run, loop: Loop, state: State, watch: Observer) -> None:
    """Before the first cycle: what the run's pick can gain. Raises AutotrophError where that is less than required."""
    if loop.gap is None:
        return
    found = run.gap()
    if found is None:
        watch.stage(0, "gap")
        found = loop.gap(state)
        state.log("gap", {"gap": found.model_dump()})
    watch.gap(found)
    if loop.require_gap is not None:
        gaps.require(found, loop.require_gap)


def _finish(run: Run, loop: Loop, state: State) -> None:
    """Measure base and champion on sealed tasks that no gate has looked at, and close the run."""
    stages, suite = loop.stages, loop.final_suite()
    refined_on = stages.suite(state.seed("refine"))
    reports: dict[str, Report] = {}
    refined: dict[str, Mapping[str, float]] = {}
    for role, policy in (("base", run.base_policy()), ("champion", state.champion)):
        sampler = state.sampler(policy)
        reports[role] = suite.run(sampler, stages.refiner)
        refined[role] = refined_on.run(sampler, stages.refiner, stages.other_refiners).refined
    accuracy = {f"{role}_accuracy": report.accuracy() for role, report in reports.items()}
    kept = {"evidence": state.keep(reports["base"], reports["champion"])}
    state.log("end", {**accuracy, **kept, "refined": refined})


def scores_of(rows: Rows, verify: Verify, meter: Meter) -> Scores:
    """What the verifier says of every row that was kept."""
    kept = {(task.key, trace.text): Group(task, (trace,)) for task, trace in rows if trace.rejected is None}
    verified = Verifiable(verify)
    found = scored(list(kept.values()), [verified], meter)
    return {name: group.traces[0].rewards[verified.name] for name, group in zip(kept, found, strict=True)}


def row_metrics(rows: Rows, report: Report, judged: Scores) -> dict[str, float]:
    """Counts of a cycle's self-made rows, and how many of the kept labels are right."""
    kept = [(task, trace) for task, trace in rows if trace.rejected is None]
    metrics = {"generated": float(len(rows)), "kept": float(len(kept))}
    scores = [score for task, trace in kept if (score := judged[task.key, trace.text]) is not None]
    if scores:
        right = sum(score == 1.0 for score in judged.values())
        metrics["unique_correct"] = right / len({task.key for task, _ in rows})
        metrics["label_accuracy"] = sum(scores) / len(scores)
        metrics["proxy_gap"] = proxy_gap([1.0] * len(scores), scores)
    if report.entropy is not None:
        metrics["entropy"] = report.entropy
    return metrics


def samples(rows: Rows, judged: Scores, each: int = 3) -> tuple[Sample, ...]:
    """A few rows of each status, for people to look at; kept ones that cannot be scored are left out."""
    found: dict[str, list[Sample]] = {"right": [], "wrong": [], "rejected": []}
    for task, trace in rows:
        score = judged.get((task.key, trace.text))
        status = "rejected" if trace.rejected else "right" if score == 1.0 else "wrong"
        if len(found[status]) < each and (trace.rejected or score is not None):
            found[status].append(
                Sample(
                    level=task.level,
                    prompt=task.prompt,
                    answer=trace.text,
                    gold=task.answer,
                    status=status,
                    reason=trace.rejected,
                )
            )
    return tuple(sample for same in found.values() for sample in same)


def held(decision: Decision, alarms: Sequence[Alarm], nothing: str | None = None) -> Decision:
    """The gate's decision, or a hold: where nothing was trained on, for the reason given, and where a monitor that may
    ask for one keeps a candidate from promotion."""
    if nothing is not None:
        return replace(decision, verdict="hold", reason=f"{nothing}; else: {decision.reason}")
    names = [alarm.monitor for alarm in alarms if alarm.response in ("hold", "stop")]
    if not names or not decision.promoted:
        return decision
    return replace(decision, verdict="hold", reason=f"held by monitor {', '.join(names)}; else: {decision.reason}")


def refuse_after_stop(run: Run) -> None:
    """Raises AutotrophError where a monitor of the last cycle asked for the end of the run."""
    last = run.ledger.last("cycle")
    for alarm in CycleRecord.model_validate(last.data["record"]).alarms if last else ():
        if alarm.response == "stop":
            raise AutotrophError(
                f"stopped by monitor {alarm.monitor} at {alarm.value:.4g}, limit {alarm.limit:g}; look at the report, "
                "then run again with other settings or limits"
            )


def own(policy: str, groups: Sequence[Group]) -> list[Group]:
    """Groups with the traces of one policy alone, those without any left out."""
    mine = [Group(group.task, tuple(t for t in group.traces if t.policy == policy)) for group in groups]
    return [group for group in mine if group.traces]


def rows_of(policy: str, groups: Sequence[Group]) -> Rows:
    """Every trace of one policy, with its task: what is gold or replayed is left out."""
    return [(group.task, trace) for group in own(policy, groups) for trace in group.traces]


def by_level(rows: Rows, kept: bool = False) -> dict[int, int]:
    """Level -> tasks in the rows; with `kept`, those of which a row was kept."""
    tasks = {task.key: task.level for task, trace in rows if not kept or trace.rejected is None}
    return dict(Counter(tasks.values()))


def mastered(tried: Mapping[int, int], kept: Mapping[int, int], level: int, share: float) -> int:
    """The highest level that can be climbed to from `level` over levels of whose tasks at least `share` kept a row."""
    while level + 1 in tried and kept.get(level + 1, 0) >= share * tried[level + 1]:
        level += 1
    return level
