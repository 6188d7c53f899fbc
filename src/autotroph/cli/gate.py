"""`autotroph gate`: the gate alone, on anybody's per-task results.

Exit codes: 0 promote, 1 hold, 3 roll back, 2 bad input.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autotroph.cli.options import flag, nested, options

if TYPE_CHECKING:
    from rich.table import Table

    from autotroph.core.decision import Decision, Report

EXIT_CODES = {"promote": 0, "hold": 1, "roll back": 3}


class Gate(click.Command):
    """The command; its flags are made from the gate's configuration when they are first asked for."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        from autotroph.evaluate.gate import PairedGate

        fields = [option for option in options(PairedGate) if option.name != "off"]
        return [*self.params, *fields, self.get_help_option(ctx)]


def _gate(
    champion: Path, candidate: Path, refined: Path | None, look: int, answered: int, as_json: bool, **flags: Any
) -> int:
    """Judge a candidate by per-task results: promote (exit 0), hold (1), roll back (3); bad input is 2.

    Both files hold one JSON object a line: key, score in [0, 1] or null, and optionally level, tag, cluster,
    protected, cost.
    """
    from pydantic import ValidationError

    from autotroph.core.errors import AutotrophError
    from autotroph.evaluate.gate import PairedGate
    from autotroph.evaluate.refinement import beside
    from autotroph.evaluate.results import check_same_tasks, read_report
    from autotroph.report.sentences import refinement_sentence

    try:
        gate = PairedGate.model_validate(nested(flags))
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        option = flag(tuple(map(str, first["loc"][:1])))
        raise AutotrophError(f"gate: {option}: {first['msg']}; `autotroph gate --help` says what it takes") from None
    before, after = read_report(champion), read_report(candidate)
    check_same_tasks(before, after)
    rival = None if refined is None else read_report(refined)
    if rival is not None:
        check_same_tasks(before, rival, "refined champion")
    decision = gate.decide(before, after, look, answered)
    if rival is not None and decision.promoted:
        decision = replace(decision, refinement=beside(before, after, rival))
    if as_json:
        click.echo(json.dumps({**asdict(decision), **_flipped(before, after)}))
    else:
        from rich.console import Console

        console = Console()
        console.print(_table(decision))
        console.print(f"{decision.verdict}: {decision.reason}", markup=False, highlight=False)
        if decision.refinement is not None:
            console.print(refinement_sentence(decision.refinement), markup=False, highlight=False)
    return EXIT_CODES[decision.verdict]


gate = Gate(
    "gate",
    callback=_gate,
    help=_gate.__doc__,
    params=[
        click.Argument(["champion"], type=click.Path(path_type=Path)),
        click.Argument(["candidate"], type=click.Path(path_type=Path)),
        click.Option(
            ["--refined"],
            type=click.Path(path_type=Path),
            default=None,
            help="the champion's results with a vote or best of n, at the candidate's cost: is the gain more?",
        ),
        click.Option(
            ["--look"], type=click.IntRange(1), default=1, show_default=True, help="number of this comparison"
        ),
        click.Option(
            ["--answered"],
            type=click.IntRange(0),
            default=0,
            show_default=True,
            help="earlier verdicts on this same set of tasks that were not hold",
        ),
        click.Option(["as_json", "--json"], is_flag=True, help="print one JSON object"),
    ],
)


def _flipped(before: Report, after: Report) -> dict[str, list[str]]:
    """Keys of the tasks that were gained, lost, or not scored."""
    from autotroph.evaluate.statistics import difference, paired

    changes = {pair[0].key: difference(pair) for pair in paired(before, after)}
    return {
        "gained_tasks": [key for key, change in changes.items() if change is not None and change > 0],
        "lost_tasks": [key for key, change in changes.items() if change is not None and change < 0],
        "unscored_tasks": [key for key, change in changes.items() if change is None],
    }


def _table(decision: Decision) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("tasks", "gained", "lost", "kept", "unscored", box=None)
    groups = [
        *((f"level {level}", flips) for level, flips in decision.levels.items()),
        *((f"tag {tag}", flips) for tag, flips in decision.tags.items()),
    ]
    for name, flips in groups:
        table.add_row(Text(name), *map(str, (flips.gained, flips.lost, flips.kept, flips.unscored)))
    table.add_row("all", *map(str, (decision.gained, decision.lost, decision.kept, decision.unscored)))
    if decision.difference is not None and decision.interval is not None:
        low, high = decision.interval
        table.caption = f"mean difference {decision.difference:+.4f}, 95% interval {low:+.4f} to {high:+.4f}"
    return table
