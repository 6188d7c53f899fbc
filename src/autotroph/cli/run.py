"""`autotroph run` and `autotroph resume`: a loop, driven to its end."""

from __future__ import annotations

import gc
import json
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autotroph.cli.options import nested, options
from autotroph.cli.track import track_option
from autotroph.core.config import merged
from autotroph.core.errors import AutotrophError

if TYPE_CHECKING:
    from autotroph.track.trackers import Trackers

SIGN = "private key that signs the ledger after each cycle; `autotroph keygen` makes one"


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
            from autotroph.oversight.processes import marked

            config = recipe.configure(merged(settings, nested(flags)))
            folder = Path(out) if out else _fresh_folder(Path(recipe.name).stem)
            with marked(folder):  # from the first child on
                loop = _affordable(recipe.build(config), config.budget, aloud=estimate, as_json=as_json)
                if not estimate:
                    _start(recipe, config, folder, sign, trackers, as_json, loop)

        common: list[click.Parameter] = [
            click.Option(["--out"], type=click.STRING, default=None, help="run folder [default: runs/RECIPE-N]"),
            click.Option(["--sign"], type=click.Path(path_type=Path), default=None, help=SIGN),
            track_option,
            click.Option(["as_json", "--json"], is_flag=True, help="print a last line with the summary as JSON"),
            click.Option(["--estimate"], is_flag=True, help="print what the run is going to cost, and stop"),
        ]
        return click.Command(cmd_name, callback=start, params=[*common, *options(recipe.config)], help=recipe.title)


@click.group(cls=Recipes)
def run() -> None:
    """Run a recipe, or a TOML file that names one, in a new run folder."""


@click.command(params=[track_option])
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--sign", type=click.Path(path_type=Path), default=None, help=SIGN)
@click.option("as_json", "--json", is_flag=True, help="print a last line with the summary as JSON")
def resume(folder: Path, sign: Path | None, trackers: Trackers, as_json: bool) -> None:
    """Go on with a run after anything: Ctrl-C, a crash, a full disk, a budget cap."""
    with _importing():
        from autotroph.oversight.processes import marked
        from autotroph.recipes import registry
        from autotroph.store.run import Run

    with marked(folder), trackers, Run.open(folder, signer=_signer(sign)) as opened:
        opened.check_signer()
        trackers.start(folder)
        recipe = registry.find(opened.start["recipe"])
        _drive(recipe, recipe.configure(opened.start["config"]), opened, as_json)


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
    recipe: Any, config: Any, folder: Path, sign: Path | None, trackers: Trackers, as_json: bool, loop: Any
) -> None:
    from autotroph.store.run import Run

    start = {"recipe": recipe.name, "config": config.model_dump(mode="json")}
    with trackers, Run.create(folder, start, _signer(sign)) as created:
        trackers.start(folder)
        _drive(recipe, config, created, as_json, loop)


@contextmanager
def _importing() -> Iterator[None]:
    """The garbage collector rests while modules are imported: it would find nothing, and a resumed run would wait."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


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
