"""The mutators that there are: every module of this package that has `MUTATOR`, under its own name."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Mapping
from typing import Any

from autotroph.core.errors import AutotrophError
from autotroph.core.modules import named
from autotroph.evolve import mutate
from autotroph.evolve.mutate.mixed import Mixed
from autotroph.evolve.protocols import Mutator

PARTS = frozenset(
    {
        "chain", "lines", "mixed", "novelty", "numerals", "polish", "prompts", "python", "registry", "replies",
        "sites", "taught",
    }
)  # fmt: skip
"""Modules of the package that are none."""


def names() -> list[str]:
    return sorted(one.name for one in pkgutil.iter_modules(mutate.__path__) if one.name not in PARTS)


def mutator(name: str, /, **settings: Any) -> Mutator:
    """By its name, or by `package.module:Class` or `file.py:Class` for one of the user's own; only then is its module
    imported. Raises AutotrophError for a name that nothing has and for settings that it does not take."""
    if ":" not in name and name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(names())}"
        raise AutotrophError(f"no mutator '{name}'; {hint}")
    try:
        made: Mutator = named(name if ":" in name else f"{mutate.__name__}.{name}:MUTATOR")(**settings)
    except (ImportError, TypeError) as error:
        raise AutotrophError(f"mutator '{name}': {error}") from None
    return made


def mixture(weights: Mapping[str, float], settings: Mapping[str, Mapping[str, Any]] | None = None) -> Mixed:
    """Mutators by their names, drawn with these weights. `settings`: of some of them."""
    return Mixed(tuple((mutator(name, **(settings or {}).get(name, {})), one) for name, one in weights.items()))
