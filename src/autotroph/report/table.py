"""Tables for the terminal: the last one of a run, and an audit's, a lineage's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from autotroph.core.policy import short
from autotroph.evaluate.audit import Audit, Rate
from autotroph.report.levels import by_level
from autotroph.report.markup import visible
from autotroph.report.sentences import cells, percent
from autotroph.store.lineage import Generation, Row
from autotroph.store.record import RunRecord


def final_table(record: RunRecord) -> Table:
    """Sealed accuracy of base and champion by level with 95% Wilson intervals; a star: not taught to the base."""
    table = Table(
        title=Text(f"{visible(record.recipe)} · {visible(record.id)}"),
        caption="sealed tasks, 95% Wilson intervals; * not taught to the base",
    )
    for name in ("level", "base", "95% CI", "n", "champion", "95% CI", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in by_level(record):
        new = row.level > record.taught
        level = f"{row.level} *" if new else f"{row.level}  "
        table.add_row(level, *cells(row.base), *cells(row.champion), style="bold" if new else "dim")
    return table


def audit_table(audit: Audit) -> Table:
    """Every kind of probe, and what the verifier made of it. `form` probes have the right value in another form."""
    table = Table(
        title=Text(f"{visible(audit.task)} · level {audit.level} · {audit.tasks} tasks"),
        caption=Text(
            f"wrong accepted: {share(audit.false_positives)}; right refused: {share(audit.false_negatives)}; "
            f"unscored: {audit.unscored}; agrees with the second verifier: "
            + (share(audit.agreement) if audit.agreement else "it has none")
        ),
    )
    for name, justify in (("answer is", "left"), ("kind", "left"), ("accepted", "right"), ("unscored", "right")):
        table.add_column(name, justify=justify, no_wrap=True)
    table.add_column("for example")
    for tally in audit.kinds:
        example = "".join(f"{visible(answer)} for {visible(gold)}" for _, gold, answer in tally.examples[:1])
        style = "bold red" if tally.examples else None
        unscored = str(tally.unscored or "")
        table.add_row(tally.truth, tally.kind, share(tally.rate), unscored, Text(example), style=style)
    return table


def lineage_table(record: RunRecord) -> Table:
    """What every cycle was fed: a line for each source, answering policy and depth."""
    table = Table(title=Text(f"{visible(record.recipe)} · {visible(record.id)}"))
    for name in ("cycle", "rows", "share", "depth", "answered by", "source of the tasks"):
        table.add_column(name, justify="right" if name in ("cycle", "rows", "share", "depth") else "left")
    for cycle in record.cycles:
        fed = sum(strand.rows for strand in cycle.lineage)
        for i, strand in enumerate(sorted(cycle.lineage, key=lambda strand: (strand.depth, strand.source))):
            table.add_row(
                "" if i else str(cycle.cycle),
                f"{strand.rows:,}",
                percent(strand.rows / fed),
                str(strand.depth),
                visible(short(strand.policy)),
                Text(visible(strand.source)),
            )
    return table


def ancestry_lines(row: Row, line: Sequence[Generation]) -> Iterator[str]:
    """A row and the policies behind it, the youngest first."""
    task = row.task
    yield f"row {row.id}, kept in cycle {row.cycle}: depth {row.depth}, answered by {visible(short(row.policy))}"
    source = visible(task["provenance"]["source"])
    yield f"  task {task['key']}: {visible(task['family'])}, level {task['level']}, {source}"
    yield f"  {visible(task['prompt'])} -> {visible(row.text)}"
    for generation in line:
        if generation.cycle is None:
            yield f"policy {short(generation.policy)}: the base"
            continue
        yield f"policy {short(generation.policy)}: made in cycle {generation.cycle} from"
        for strand in generation.strands:
            origin = f"by {visible(short(strand.policy))}, {visible(strand.source)}"
            yield f"  {strand.rows:,} rows of depth {strand.depth} {origin}"


def share(rate: Rate) -> str:
    """'3 of 400, 0.8% (0.3–2.2)', the interval being Wilson's of 95%."""
    if not rate.n:
        return "–"
    low, high = rate.interval
    return f"{rate.hits} of {rate.n}, {100 * rate.hits / rate.n:.1f}% ({100 * low:.1f}–{100 * high:.1f})"
