"""`autotroph`: the command line.

Exit codes: 0 done; 2 a mistake in what was given (one line on stderr says what, where and the way out); 3 a budget cap
stopped the run at a safe point; 130 interrupted, resumable. `gate` has its own: 0 promote, 1 hold, 3 roll back; and so
has `verify`: 0 sound, 1 not, 3 sound as far as it is there, and `track`: 0 all delivered, 1 not.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autotroph.cli.diff import diff
from autotroph.cli.drill import drill
from autotroph.cli.export import export
from autotroph.cli.gate import gate
from autotroph.cli.gc import gc
from autotroph.cli.keygen import keygen
from autotroph.cli.metrics import metrics
from autotroph.cli.options import nested, options
from autotroph.cli.runs import runs
from autotroph.cli.track import track, track_option
from autotroph.cli.verify import verify
from autotroph.core.config import merged
from autotroph.core.errors import AutotrophError, BudgetExceeded

if TYPE_CHECKING:
    from autotroph.track.trackers import Trackers

SIGN = "private key that signs the ledger after each cycle; `autotroph keygen` makes one"
EXIT_MISTAKE, EXIT_BUDGET, EXIT_INTERRUPTED = 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> None:
    sys.exit(invoke(sys.argv[1:] if arguments is None else arguments))


def invoke(arguments: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    try:
        return cli.main(list(arguments), prog_name="autotroph", standalone_mode=False) or 0
    except BudgetExceeded as stop:
        click.echo(f"stopped: {stop}", err=True)
        return EXIT_BUDGET
    except AutotrophError as mistake:
        click.echo(f"error: {mistake}", err=True)
        return EXIT_MISTAKE
    except click.ClickException as mistake:
        click.echo(f"error: {' '.join(mistake.format_message().split())}", err=True)
        return EXIT_MISTAKE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what was committed is safe; `autotroph resume RUN` goes on", err=True)
        return EXIT_INTERRUPTED


class Recipes(click.Group):
    """`autotroph run NAME`: a command for each recipe, its flags made from the recipe's configuration."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        from autotroph.recipes import registry

        return registry.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        from autotroph.recipes import registry

        settings: dict[str, Any] = {}
        name = cmd_name
        if cmd_name.endswith(".toml"):
            settings = _read_toml(Path(cmd_name))
            name = settings.pop("recipe")
        recipe = registry.find(name)

        def start(
            out: str | None, sign: Path | None, trackers: Trackers, as_json: bool, estimate: bool, **flags: Any
        ) -> None:
            config = recipe.configure(merged(settings, nested(flags)))
            loop = _affordable(recipe.build(config), config.budget, aloud=estimate, as_json=as_json)
            if not estimate:
                _start(recipe, config, Path(out) if out else None, sign, trackers, as_json, loop)

        common: list[click.Parameter] = [
            click.Option(["--out"], type=click.STRING, default=None, help="run folder [default: runs/RECIPE-N]"),
            click.Option(["--sign"], type=click.Path(path_type=Path), default=None, help=SIGN),
            track_option,
            click.Option(["as_json", "--json"], is_flag=True, help="print a last line with the summary as JSON"),
            click.Option(["--estimate"], is_flag=True, help="print what the run is going to cost, and stop"),
        ]
        return click.Command(cmd_name, callback=start, params=[*common, *options(recipe.config)], help=recipe.title)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="autotroph")
def cli() -> None:
    """A closed-loop self-improvement engine for language models and agents."""


@cli.command()
@click.option("as_json", "--json", is_flag=True, help="print one JSON array")
def recipes(as_json: bool) -> None:
    """What there is, and its source."""
    from autotroph.recipes import registry

    found = [registry.find(name) for name in registry.names()]
    if as_json:
        rows = [
            {"name": r.name, "title": r.title, "source": r.source, "config": r.config().model_dump()} for r in found
        ]
        click.echo(json.dumps(rows))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("recipe", "what it does", "source", box=None)
    for recipe in found:
        table.add_row(recipe.name, recipe.title, recipe.source)
    Console().print(table)


@cli.group(cls=Recipes)
def run() -> None:
    """Run a recipe, or a TOML file that names one, in a new run folder."""


for command in (gate, drill, verify, runs, export, diff, gc, keygen, track, metrics):
    cli.add_command(command)


@cli.command(params=[track_option])
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--sign", type=click.Path(path_type=Path), default=None, help=SIGN)
@click.option("as_json", "--json", is_flag=True, help="print a last line with the summary as JSON")
def resume(folder: Path, sign: Path | None, trackers: Trackers, as_json: bool) -> None:
    """Go on with a run after anything: Ctrl-C, a crash, a full disk, a budget cap."""
    from autotroph.recipes import registry
    from autotroph.store.run import Run

    with trackers, Run.open(folder, signer=_signer(sign)) as opened:
        opened.check_signer()
        trackers.start(folder)
        recipe = registry.find(opened.start["recipe"])
        _drive(recipe, recipe.configure(opened.start["config"]), opened, as_json)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="HTML file [default: RUN/report.html]")
def report(folder: Path, out: Path | None) -> None:
    """Write a run's report: one self-contained HTML file."""
    from autotroph.report import html
    from autotroph.store.run import Run

    with Run.open(folder, write=False) as opened:
        target = out or folder / "report.html"
        html.write(opened.record(), target)
    click.echo(target)


@cli.command()
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("row", required=False)
@click.option("as_json", "--json", is_flag=True, help="print one line of JSON")
def lineage(folder: Path, row: str | None, as_json: bool) -> None:
    """What each cycle of a run was fed; with ROW (the start of its id or of its task's key), that row's ancestry."""
    from collections import deque

    from autotroph.report.table import ancestry_lines, lineage_table
    from autotroph.store import lineage as store
    from autotroph.store.run import Run

    with Run.open(folder, write=False) as opened:
        if row is not None:
            found = store.find(opened, row)
            line = store.ancestry(opened, found.policy)
            lines = [json.dumps({"row": asdict(found), "ancestry": [generation.as_dict() for generation in line]})]
            click.echo("\n".join(lines if as_json else ancestry_lines(found, line)))
            return
        record, newest = opened.record(), deque(store.rows(opened), maxlen=5)
    if as_json:
        cycles = [[strand.model_dump() for strand in cycle.lineage] for cycle in record.cycles]
        click.echo(json.dumps({"cycles": cycles, "newest": [row.id for row in newest]}))
        return
    from rich.console import Console

    Console().print(lineage_table(record))
    click.echo(f"newest rows: {', '.join(row.id for row in newest) or 'none'}")


@cli.command()
@click.argument("task")
@click.option("--verifier", default=None, help="of a jsonl task: module:function or file.py:function")
@click.option("--level", type=int, default=None, help="level of the tasks [default: the lowest]")
@click.option("--n", type=click.IntRange(1), default=100, show_default=True, help="train tasks to probe with")
@click.option("as_json", "--json", is_flag=True, help="print the findings as one line of JSON")
def audit(task: str, verifier: str | None, level: int | None, n: int, as_json: bool) -> None:
    """What a task's verifier accepts and refuses: right, wrong, adversarial and empty answers, with error rates."""
    from autotroph.evaluate.audit import audit as examine
    from autotroph.tasks.registry import task_family

    family = task_family(task, **({"verifier": verifier} if verifier else {}))
    found = examine(family, family.levels[0] if level is None else level, n)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        from rich.console import Console

        from autotroph.report.table import audit_table

        Console().print(audit_table(found))


@cli.command()
@click.argument("name", type=click.Choice(["rollouts", "train", "grpo", "scale", "limits", "verify", "cost"]))
@click.option("--repeats", type=click.IntRange(1), default=5, show_default=True, help="measured runs of each side")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="JSON file to write the figures to")
@click.option("as_json", "--json", is_flag=True, help="print a last line with the figures as JSON")
def bench(name: str, repeats: int, out: Path | None, as_json: bool) -> None:
    """Measure this machine.

    rollouts, train and grpo: beside what you would use instead, where it is installed (`make bench` installs it).
    scale: how sampling grows with prompts, and the memory that it takes under a bound. limits: what the machine can do,
    and the share of it that is reached. verify: verifiers. cost: a round's seconds.
    """
    import importlib

    from autotroph.bench.case import as_table
    from autotroph.store.disk import clear_disk_errors
    from autotroph.store.run import machine

    cases = importlib.import_module(f"autotroph.bench.{name}").run(repeats)
    figures = json.dumps({"bench": name, "machine": machine(), "cases": [asdict(case) for case in cases]})
    if out is not None:
        with clear_disk_errors(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(figures + "\n")
    if as_json:
        click.echo(figures)
    else:
        from rich.console import Console

        Console().print(as_table(cases))


def _affordable(loop: Any, budget: Any, aloud: bool, as_json: bool) -> Any:
    """The loop, once it is said what it is going to cost. Raises AutotrophError where that is surely beyond a cap."""
    from autotroph.report.sentences import estimate_sentence

    if loop.estimate is not None:
        expected = loop.estimate()
        if aloud and as_json:
            click.echo(json.dumps({name: asdict(found) for name, found in expected.ranges().items()}))
        else:
            click.echo(estimate_sentence(expected), err=not aloud)
        expected.refuse(budget)
    return loop


def _signer(key: Path | None) -> Any:
    from autotroph.store.signing import Signer

    return None if key is None else Signer(key)


def _start(
    recipe: Any, config: Any, out: Path | None, sign: Path | None, trackers: Trackers, as_json: bool, loop: Any
) -> None:
    from autotroph.store.run import Run

    folder, signer = out or _fresh_folder(recipe.name), _signer(sign)
    start = {"recipe": recipe.name, "config": config.model_dump(mode="json")}
    with trackers, Run.create(folder, start, signer) as created:
        trackers.start(folder)
        _drive(recipe, config, created, as_json, loop)


def _drive(recipe: Any, config: Any, opened: Any, as_json: bool, loop: Any = None) -> None:
    """Run to the end, show it live, write the report; a run that is stopped shows its root, too."""
    from autotroph.cli.live import Live
    from autotroph.loop import run_loop

    loop = loop or recipe.build(config)
    try:
        with Live(loop, opened.folder) as watch:
            run_loop(opened, loop, watch)
    except (AutotrophError, KeyboardInterrupt):
        opened.sign()
        click.echo(root_line(opened.ledger), err=True)
        raise
    from autotroph.report import html, table  # a resumed run need not wait for what draws its report

    record = opened.record()
    html.write(record, opened.folder / "report.html")
    watch.console.print(table.final_table(record))
    watch.console.print(f"report: {opened.folder / 'report.html'}", soft_wrap=True)
    watch.console.print(root_line(opened.ledger), soft_wrap=True)
    if as_json:
        click.echo(json.dumps(summary(record, opened.folder)))


def root_line(ledger: Any) -> str:
    return f"ledger root: {ledger.root()} ({len(ledger)} events)"


def summary(record: Any, folder: Path) -> dict[str, Any]:
    """The last line of `run --json`."""

    def accuracy(levels: dict[int, tuple[float, int]]) -> dict[str, dict[str, float]]:
        return {str(level): {"accuracy": mean, "n": n} for level, (mean, n) in levels.items()}

    return {
        "recipe": record.recipe,
        "run": str(folder),
        "seed": record.seed,
        "taught": record.taught,
        "base": accuracy(record.base_accuracy),
        "champion": accuracy(record.champion_accuracy),
        "refined": record.refined,
        "gap": record.gap.model_dump() if record.gap else None,
        "decisions": [
            {"cycle": c.cycle, "level": c.level, "poisoned": c.poisoned, **asdict(c.decision)}
            | {name: c.metrics.get(name) for name in ("generated", "kept", "label_accuracy")}
            for c in record.cycles
        ],
        "seconds": record.seconds,
        "tokens": record.tokens,
        "lost": record.lost,
        "ledger_root": record.root,
    }


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        settings = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise AutotrophError(f"configuration {path}: no such file; give a TOML file or a recipe's name") from None
    except tomllib.TOMLDecodeError as error:
        raise AutotrophError(f"configuration {path}: {error}; fix the TOML") from None
    if not isinstance(settings.get("recipe"), str):
        raise AutotrophError(f'configuration {path}: no recipe; add a line like recipe = "grpo"')
    return settings


def _fresh_folder(name: str) -> Path:
    number = 1
    while (folder := Path("runs") / f"{name}-{number}").exists():
        number += 1
    return folder
