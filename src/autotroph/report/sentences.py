"""Numbers and verdicts in words."""

from __future__ import annotations

from collections.abc import Sequence

from autotroph.core import estimate as costs
from autotroph.core.decision import Comparison, Decision, Refinement
from autotroph.report.levels import Estimate, by_level
from autotroph.store.record import Alarm, Gap, RunRecord

PAST = {"promote": "promoted", "hold": "held", "roll back": "rolled back"}


def percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def interval(estimate: Estimate) -> str:
    return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"


def cells(estimate: Estimate | None) -> tuple[str, str, str]:
    """Mean, interval and n for a table; dashes where nothing was measured."""
    if estimate is None:
        return "–", "–", "–"
    return percent(estimate.mean), interval(estimate), f"{estimate.n:,}"


def duration(seconds: float) -> str:
    """7.5 -> '7.5 s', 754 -> '12 min 34 s', 7384 -> '2 h 3 min'."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def estimate_sentence(expected: costs.Estimate) -> str:
    """What a run is going to take, before it begins."""
    found = {
        name: f"{quantity(one.low)} to {quantity(one.high)} {name.replace('_', ' ')}"
        for name, one in expected.ranges().items()
        if name != "seconds"
    }
    time = expected.seconds
    lasting = f", {duration(time.low)} to {duration(time.high)}" if time else ""
    return f"expected, the base aside: {', '.join(found.values())}{lasting}"


def quantity(n: float) -> str:
    """7300 -> '7.3k', 5.24e6 -> '5.2M', 1.2e13 -> '12T'."""
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= size:
            return f"{n / size:.3g}{letter}"
    return f"{n:.3g}"


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def headline(record: RunRecord) -> str:
    """The one sentence to remember. Its level is the hardest one, above what was taught, that is solved more often
    than not (lower end of the interval at least 50%); failing that, the first level above what was taught."""
    cycles = count(len(record.cycles), "cycle")
    measured = [(row.level, row.base, row.champion) for row in by_level(record) if row.champion]
    if not record.cycles:
        return "No cycle is complete: the champion is the base."
    if record.champion == record.base:
        return f"No candidate was promoted in {cycles}: the champion is still the base."
    if not measured:
        promoted = sum(cycle.decision.promoted for cycle in record.cycles)
        return f"{promoted} of {cycles} brought a new champion; its final sealed measurement is still to come."
    above = [row for row in measured if row[0] > record.taught]
    solved = [row for row in above if row[2].low >= 0.5]
    level, base, champion = solved[-1] if solved else (above or measured[-1:])[0]
    now = f"{percent(champion.mean)} (n = {champion.n}, 95% CI {interval(champion)})"
    before = f"the base solved {percent(base.mean)}" if base else "the base was not measured there"
    if not above:
        return f"At level {level}, the hardest one measured, the model solves {now}; {before}."
    if not solved:
        return f"No level above {record.taught} is solved more often than not. Level {level}: {now}; {before}."
    taught = f"Taught up to level {record.taught}, the" if len(above) < len(measured) else "The"
    return f"{taught} model now solves level {level} at {now}; {before}."


def alarms_sentence(alarms: Sequence[Alarm]) -> str:
    """'alarm: saturation .99 (limit .98, warn)', and what it has turned; empty where all is quiet."""
    shown = [f"{a.monitor} {a.value:.3g} (limit {a.limit:g}, {a.response}{_turned(a)})" for a in alarms]
    return f"alarm: {', '.join(shown)}" if shown else ""


def _turned(alarm: Alarm) -> str:
    change = alarm.change
    return "" if change is None else f": {change.knob} {change.old:g} to {change.new:g}"


def gap_sentence(gap: Gap) -> str:
    """What there is to gain, and the forecast that follows from it."""
    return (
        f"Before the first cycle the {gap.picker} picks {percent(gap.picked)} right among {gap.samples} samples of the "
        f"base, where a blind pick gets {percent(gap.mean)}: a gap of {100 * gap.gap:+.1f} points "
        f"({100 * gap.low:+.1f} to {100 * gap.high:+.1f}, {count(gap.tasks, 'train task')}). Forecast: learning what "
        f"it picks leads towards {percent(gap.picked)}; no pick among such samples can pass {percent(gap.best)}."
    )


def benchmark_age(record: RunRecord) -> str:
    """How many decisions the newest sealed set has served; empty before there is one."""
    if not record.cycles:
        return ""
    age = record.cycles[-1].decision.age
    return f"The newest sealed set has served {count(age, 'decision')}{'' if age > 1 else ': its tasks were fresh'}."


def evidence(decision: Decision) -> str:
    """'p = 0.0012 ≤ α = 0.025; 41 gained, 2 lost, 310 kept'."""
    parts = []
    if decision.p_value is not None:
        parts.append(f"p = {decision.p_value:.2g}")
        if decision.alpha is not None:
            parts[0] += f" {'≤' if decision.p_value <= decision.alpha else '>'} α = {decision.alpha:.2g}"
    flips = f"{decision.gained} gained, {decision.lost} lost, {decision.kept} kept"
    parts.append(flips + (f", {decision.unscored} unscored" if decision.unscored else ""))
    parts += [f"{tag}: {found.gained} gained, {found.lost} lost" for tag, found in decision.tags.items()]
    if decision.age > 1:
        parts.append(f"look {decision.age} at these sealed tasks")
    return "; ".join(parts)


OUTCOMES = {
    "matched": "Matched: at equal cost, sampling the champion does as well.",
    "not matched": "Not matched: at equal cost, sampling the champion does not reach it.",
    "open": "Open: too few tasks to tell whether sampling the champion reaches it at equal cost.",
}


def refinement_sentence(found: Refinement) -> str:
    """What sampling the champion makes of the same gain, and what follows."""
    raw, *rivals = found.comparisons
    levels = f"level {', '.join(map(str, found.levels))}" if found.levels else "all levels"
    shown = "; ".join(_compared(rival) for rival in rivals)
    return (
        f"Refinement, {count(len(raw.scores), 'task')} of {levels}: gain of raw answers {_points(raw)}; "
        f"{shown}. {OUTCOMES[found.outcome]}"
    )


def _compared(one: Comparison) -> str:
    """'greedy against vote@5 of the champion (5.0 times the tokens) +3.1 points (-2.0 to +8.2)'."""
    ratio = one.champion_cost / one.candidate_cost if one.champion_cost and one.candidate_cost else None
    cost = "" if ratio is None else f" ({ratio:.1f} times the tokens)"
    return f"{one.candidate} against {one.champion} of the champion{cost} {_points(one)}"


def _points(one: Comparison) -> str:
    if one.difference is None or one.interval is None:
        return "not scored"
    low, high = one.interval
    return f"{100 * one.difference:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
