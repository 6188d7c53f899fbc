"""Command-line flags made from a configuration: one flag a field, typed, with its default and range in the help."""

from __future__ import annotations

import getpass
import types
from collections.abc import Callable, Iterator
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from autotroph.core.config import Config

Path_ = tuple[str, ...]


def leaves(
    model: type[BaseModel], prefix: Path_ = (), defaults: BaseModel | None = None
) -> Iterator[tuple[Path_, FieldInfo, Any]]:
    """(path, field, default) of every field, nested configurations opened."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        default = field.get_default(call_default_factory=True) if defaults is None else getattr(defaults, name)
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from leaves(inner, (*prefix, name), default)
        else:
            yield (*prefix, name), field, default


def flag(path: Path_) -> str:
    return "--" + "-".join(path).replace("_", "-")


def options(model: type[Config]) -> list[click.Option]:
    """One option for every leaf; an option that is not given has the value None and changes nothing."""
    return [_option(path, field, default) for path, field, default in leaves(model)]


def _option(path: Path_, field: FieldInfo, default: Any) -> click.Option:
    kind = _click_type(field)
    shown = "none" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
    text = f"{field.description or ''} [default: {shown}]".strip()
    name = "__".join(path)
    if kind is click.BOOL:
        dashed = flag(path)
        return click.Option([name, f"{dashed}/--no-{dashed[2:]}"], default=None, help=text)
    return click.Option([name, flag(path)], type=kind, default=None, help=text)


def _click_type(field: FieldInfo) -> click.ParamType:
    kind = _without_none(field.annotation)
    limits = {
        name: getattr(rule, name) for rule in field.metadata for name in ("ge", "gt", "le", "lt") if hasattr(rule, name)
    }
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    opened = {"min_open": "gt" in limits, "max_open": "lt" in limits}
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    if kind is bool:
        return click.BOOL
    if kind is int:
        return click.IntRange(low, high, **opened) if limits else click.INT
    if kind is float:
        return click.FloatRange(low, high, **opened) if limits else click.FLOAT
    return click.STRING


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(inner for inner in get_args(annotation) if inner is not type(None))
    return annotation


def nested(values: dict[str, Any]) -> dict[str, Any]:
    """`{"learner__clip": 2.0}` as `{"learner": {"clip": 2.0}}`; options that were not given are left out."""
    tree: dict[str, Any] = {}
    for name, value in values.items():
        if value is not None:
            *parents, leaf = name.split("__")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[leaf] = value
    return tree


def reason(*, required: bool = False) -> Callable[[Any], Any]:
    """The option in which a person says why."""
    default = None if required else ""
    return click.option("--reason", metavar="WHY", required=required, default=default, help="stands in the ledger")


by = click.option(
    "--by", metavar="NAME", default=getpass.getuser, help="stands in the ledger [default: your name here]"
)
