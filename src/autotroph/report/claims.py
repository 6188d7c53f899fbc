"""What claims came to: a table for the terminal, a page for the docs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import fmean
from typing import Any

from rich.table import Table
from rich.text import Text

SIDES = ("ours", "baseline", "control")
Found = Mapping[str, Any]
"""`claims.Findings.as_dict()`, or the same from JSON."""


def claim_table(found: Found) -> Table:
    """Every side beside the others, seed below seed, and the verdict at the end."""
    table = Table(title=Text(f"{found['recipe']}: {found['says']}"), caption=Text(verdict_sentence(found)))
    sides = zip(claim_columns(found), *claim_rows(found), strict=True)
    _, *descriptions = next(sides)
    table.add_column("")
    for described in descriptions:
        table.add_column(Text(described), justify="right")
    for cells in sides:
        table.add_row(*cells)
    return table


def claim_columns(found: Found) -> tuple[str, ...]:
    """Heads of `claim_rows`."""
    first, seeds = found.get("first", 0), len(found["trials"]["ours"])
    return ("side", *(f"seed {seed}" for seed in range(first, first + seeds)), "mean", found["counter"])


def claim_rows(found: Found) -> Iterator[list[str]]:
    """Each side: what it is, its value with each seed, their mean, and its mean compute."""
    described = {"ours": found["recipe"], "baseline": found["against"], "control": f"without {found['without']}"}
    for side in SIDES:
        own = found["trials"][side]
        values = [trial["value"] for trial in own]
        spent = fmean(trial["compute"].get(found["counter"], 0.0) for trial in own)
        yield [described[side], *map(figure, values), figure(fmean(values)), f"{spent:.3g}" if spent else "–"]


def verdict_sentence(found: Found) -> str:
    """The verdict with effect and interval, and whether the control stays behind, as it should."""
    control = "the control does not hold" if refuted(found) else "THE CONTROL HOLDS TOO"
    return (
        f"{found['verdict']}: {effect(found['comparison'])} {found['measure']}; {control}: {effect(found['control'])}"
    )


def refuted(found: Found) -> bool:
    return bool(found["control"]["verdict"] != "holds")


def effect(comparison: Mapping[str, Any]) -> str:
    """Mean difference with its 95% interval."""
    return f"{comparison['effect']:+.3g} ({comparison['low']:.3g} to {comparison['high']:.3g})"


def figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def claims_page(all_found: Iterable[Found]) -> str:
    """docs/claims.md: every claim that was tried, from its committed result."""
    found = sorted(all_found, key=lambda one: one["recipe"])
    held = sum(one["verdict"] == "holds" for one in found)
    refused = sum(refuted(one) for one in found)
    columns = "system", "source", "claim", "the source's figure", "ours", "control", "verdict", "n", "seconds"
    rows = [
        (
            f"[{one['recipe']}](recipes/{one['recipe']}.md)",
            one["source"],
            one["says"],
            one["reported"],
            f"{effect(one['comparison'])} {one['measure']}",
            effect(one["control"]),
            f"**{one['verdict']}**",
            seeds_of(one),
            f"{one['seconds']:.0f}",
        )
        for one in found
    ]
    return (
        f"""# Claims

    autotroph claim NAME

What the published systems claim, tried again on a small scale: our recipe against its own baseline, at equal compute,
paired by seed; `ours` is the mean difference with its 95% interval over n seeds. `control` is the recipe without its
mechanism against the same baseline: of it the claim must not hold. Of {len(found)} claims {held} hold; {refused} of
{len(found)} controls do not. This page is made by `autotroph claims --page`, from bench/results/claims.

{row(columns)}
{row("---" for _ in columns)}
"""
        + "".join(f"{row(one)}\n" for one in rows)
        + "".join(map(told, found))
    )


def recipe_page(name: str, text: str, found: Found | None) -> str:
    """docs/recipes/NAME.md: what the recipe says of itself, and what its claim came to, where that was tried."""
    title, _, body = text.strip().partition("\n")
    page = f"# {name}: {title.rstrip('.')}\n\n    autotroph run {name}\n{body.rstrip()}\n"
    if found is None:
        return page
    measure, columns = found["measure"], claim_columns(found)
    lines = [row(columns), row("---" for _ in columns), *map(row, claim_rows(found))]
    return f"""{page}
## Its claim

    autotroph claim {name}

{found["says"][0].upper()}{found["says"][1:]}. The source's figure: {found["reported"]}.

{chr(10).join(lines)}

In {measure}. {verdict_sentence(found)[0].upper()}{verdict_sentence(found)[1:]}.
""" + (f"{found['note']}\n" if found["note"] else "")


def seeds_of(found: Found) -> str:
    """How many, and the first one where earlier ones were looked at before."""
    first = found.get("first", 0)
    return str(len(found["trials"]["ours"])) + (f", from {first}" if first else "")


def told(found: Found) -> str:
    """A claim's own paragraph."""
    note = f" {found['note']}" if found["note"] else ""
    return (
        f"\n**{found['recipe']}**, against {found['against']}; the control lacks {found['without']}. "
        f"{found['verdict'].capitalize()}.{note}\n"
    )


def row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
