"""The sections of a run's page, top to bottom; each is a pure function RunRecord -> Markup."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from autotroph.core.config import flat
from autotroph.report import charts
from autotroph.report.elements import chart, folded, section, small, table
from autotroph.report.levels import by_level
from autotroph.report.markup import Markup, escape, tag
from autotroph.report.sentences import (
    PAST,
    alarms_sentence,
    benchmark_age,
    cells,
    duration,
    evidence,
    gap_sentence,
    headline,
    refinement_sentence,
)
from autotroph.store.record import CycleRecord, RunRecord, Sample

SAMPLES = 8
"""Traces shown of each kind, spread evenly over the run."""
CHARACTERS = 2000
"""Longest prompt or answer shown whole."""
KINDS = {"right": "Kept and right", "wrong": "Kept though wrong", "rejected": "Rejected"}


def _pill(cycle: CycleRecord) -> Markup:
    verdict = cycle.decision.verdict
    pill = tag("span", charts.MARK[verdict][0], " ", PAST[verdict], class_=f"pill {verdict.split()[0]}")
    if not cycle.poisoned:
        return pill
    return Markup(f"{pill} {tag('span', f'{charts.POISONED[0]} poisoned', class_='pill poisoned')}")


def header(record: RunRecord) -> Markup:
    verdicts = Counter(cycle.decision.verdict for cycle in record.cycles)
    figures = {
        "cycles": len(record.cycles),
        "promoted": verdicts["promote"],
        "held": verdicts["hold"],
        "rolled back": verdicts["roll back"],
        "wall time": duration(record.seconds),
        "tokens": f"{record.tokens:,}",
    }
    facts = [tag("div", tag("dd", value), tag("dt", name)) for name, value in figures.items()]
    banner = "This run is not finished. The page shows what its ledger holds so far."
    return tag(
        "header",
        tag("p", tag("b", record.recipe), " · run ", tag("code", record.id), f" · seed {record.seed}", class_="run"),
        tag("h1", headline(record)),
        "" if record.finished else tag("p", banner, class_="banner", role="status"),
        tag("dl", *facts, class_="figures"),
    )


def accuracy(record: RunRecord) -> Markup:
    key = [
        tag("span", mark, " ", PAST[verdict], class_=verdict.split()[0]) for verdict, (mark, _) in charts.MARK.items()
    ]
    if any(cycle.poisoned for cycle in record.cycles):
        key.append(tag("span", charts.POISONED[0], " poisoned: a failure was planted", class_="poisoned"))
    note = (
        "Percent of the sealed tasks solved, which no training ever sees. The first row is the base, each other row "
        "the candidate of one cycle with the gate's verdict. Blank: not measured."
    )
    heat = charts.accuracy_by_cycle(record)
    return section(
        "Sealed accuracy",
        note,
        tag("p", *key, class_="key"),
        chart(heat, "Sealed accuracy by cycle and level", "Nothing is measured yet."),
    )


def champion(record: RunRecord) -> Markup:
    rows = [
        (f"{row.level}{' *' if row.level > record.taught else ''}", *cells(row.base), *cells(row.champion))
        for row in by_level(record)
    ]
    numbers = table(("level", "base", "95% CI", "n", "champion", "95% CI", "n"), rows, "numbers")
    key = tag("p", "* not taught to the base", class_="note")
    return section(
        "Base against champion",
        f"Sealed accuracy by level with 95% Wilson intervals; the base was taught up to level {record.taught}. "
        "The headline names the hardest level whose interval lies above 50%.",
        chart(
            charts.base_and_champion(record), "Base and champion by level", "The final measurement is still to come."
        ),
        folded("The same as a table", numbers, key) if rows else "",
    )


def flips(record: RunRecord) -> Markup:
    note = (
        "The same sealed tasks before and after: gained tasks are scored higher by the candidate than by the champion, "
        "lost tasks lower, kept tasks the same."
    )
    return section("Flips", note, chart(charts.flips(record), "Flips by cycle", "No sealed task was compared."))


def data(record: RunRecord) -> Markup:
    def sign(title: str, what: str, value: charts.Value, *, share: bool = True) -> Markup:
        return small(charts.line(record, value, share=share), title, what)

    signs = (
        sign("Self-made share", "of the training rows", charts.metric("self_made_share")),
        sign("Depth", "0: real; n + 1: made from depth n", charts.metric("depth"), share=False),
        sign("Label accuracy", "of the kept rows", charts.metric("label_accuracy")),
        sign("Kept fraction", "of what was generated", charts.kept_fraction),
        sign("Entropy", "of the policy's answers", charts.metric("entropy"), share=False),
        sign("Loss", "of the optimisation", charts.metric("loss"), share=False),
    )
    return section(
        "Training data",
        "What each cycle fed on, and the signs of collapse to watch for. Label accuracy is known to this page alone.",
        tag("p", gap_sentence(record.gap)) if record.gap else "",
        tag("div", *signs, class_="grid"),
        tag("h3", "Rejected, by reason"),
        chart(charts.rejections(record), "Rejected rows by reason", "No row was rejected."),
        tag("h3", "Refinement: same weights, more inference"),
        chart(charts.refinement(record), "Score by refinement", "No inference refinement was measured."),
        _metrics(record),
    )


def _metrics(record: RunRecord) -> Markup:
    names = sorted({name for cycle in record.cycles for name in cycle.metrics})
    if not names:
        return Markup()
    rows = (
        (cycle.cycle, *(f"{cycle.metrics[name]:,.5g}" if name in cycle.metrics else "–" for name in names))
        for cycle in record.cycles
    )
    return folded("Every metric of every cycle", table(("cycle", *names), rows, "numbers"))


def decisions(record: RunRecord) -> Markup:
    def row(cycle: CycleRecord) -> Iterator[object]:
        decision = cycle.decision
        yield cycle.cycle
        yield cycle.level
        yield _pill(cycle)
        notes = [evidence(decision)]
        notes += [refinement_sentence(decision.refinement)] if decision.refinement else []
        notes += [alarms_sentence(cycle.alarms)] if cycle.alarms else []
        yield Markup(" ".join([escape(decision.reason), *(tag("small", note) for note in notes)]))

    rulings = table(("cycle", "level", "verdict", "why"), map(row, record.cycles), "decisions stack")
    content = rulings if record.cycles else tag("p", "No decision yet.", class_="absent")
    return section("Decisions", f"What the gate ruled, and on which evidence. {benchmark_age(record)}", content)


def _cut(text: str | None) -> str:
    text = "–" if text is None else text
    rest = len(text) - CHARACTERS
    return text if rest <= 0 else f"{text[:CHARACTERS]} … ({rest:,} more characters)"


def samples(record: RunRecord) -> Markup:
    kinds: dict[str, list[tuple[int, Sample]]] = {kind: [] for kind in KINDS}
    for cycle in record.cycles:
        for sample in cycle.samples:
            kinds.setdefault(sample.status, []).append((cycle.cycle, sample))
    parts: list[Markup] = []
    for kind, found in kinds.items():
        shown = [found[i * len(found) // SAMPLES] for i in range(SAMPLES)] if len(found) > SAMPLES else found
        parts.append(tag("h3", KINDS.get(kind, kind), " ", tag("small", f"{len(shown)} of {len(found)}")))
        if not found:
            parts.append(tag("p", "None.", class_="absent"))
            continue
        rows = (
            (cycle, s.level, *(tag("pre", _cut(text)) for text in (s.prompt, s.answer, s.gold)), s.reason or "–")
            for cycle, s in shown
        )
        parts.append(table(("cycle", "level", "prompt", "answer", "gold", "reason"), rows, "samples stack"))
    return section("Traces", "As the model wrote them; invisible characters are made visible.", *parts)


def _settings(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Nested mappings as rows of dotted names."""
    for name, value in flat(tree):
        yield name, value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)


def provenance(record: RunRecord) -> Markup:
    lost = record.lost.items()
    cost = {
        "seconds": f"{record.seconds:,.1f}",
        "tokens": f"{record.tokens:,}",
        "lost in crashes": ", ".join(f"{n:,.6g} {name.replace('_', ' ')}" for name, n in lost) or "nothing",
        "seed": record.seed,
        "base": record.base,
        "champion": record.champion,
        "ledger root": f"{record.root} ({record.events} events)",
        "signed by": record.signer or "nobody",
    }
    parts = {"Configuration": record.config, "Machine": record.machine, "Versions": record.versions}
    return section(
        "Cost and configuration",
        "What the run took, and what it takes to repeat it.",
        table(("", ""), cost.items(), "facts"),
        *(folded(title, table(("name", "value"), _settings(part), "facts")) for title, part in parts.items() if part),
    )


SECTIONS = (header, accuracy, champion, flips, data, decisions, samples, provenance)
