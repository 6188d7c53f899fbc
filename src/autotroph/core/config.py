"""Configuration: frozen, typed, and strict about keys that nobody reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Config(BaseModel):
    """A nested configuration that is given in part changes that part of the field's default, and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _over_defaults(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        defaults = {name: field.default for name, field in cls.model_fields.items() if name in data}
        return {
            name: _over(defaults[name], value)
            if isinstance(value, dict) and isinstance(defaults.get(name), BaseModel)
            else value
            for name, value in data.items()
        }


def _over(default: BaseModel, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a default with those that are given; a setting that is a mapping itself is given whole."""
    parts = {name: getattr(default, name, None) for name in given}
    over = {
        name: _over(part, given[name]) if isinstance(part, BaseModel) and isinstance(given[name], dict) else given[name]
        for name, part in parts.items()
    }
    return {**default.model_dump(), **over}


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Two trees of settings as one; where both say something, `over` wins."""
    both = dict(under)
    for name, value in over.items():
        old = both.get(name)
        both[name] = merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both


def flat(tree: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names and their values."""
    if isinstance(tree, dict) and tree:
        for key, inner in tree.items():
            yield from flat(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, tree
