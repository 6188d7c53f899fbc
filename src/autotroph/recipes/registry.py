"""The recipes that there are: every module of this package that has `Config`, `build` and `SOURCE`."""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from autotroph import recipes
from autotroph.core.budget import Budget
from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.modules import module_of
from autotroph.loop import Loop
from autotroph.oversight.overseer import Mode

PARTS = ("registry", "bases", "agents", "evolved", "seeds", "habits", "label_free", "onpolicy", "sides")
"""Modules of the package that are none."""


class RunConfig(Config):
    """What every run has."""

    seed: int = Field(0, ge=0, description="everything random follows from it")
    memory: float = Field(1.0, gt=0, description="GB that the caches of a sampler may take")
    device: Literal["cpu", "cuda"] = Field("cpu", description="where models are sampled from and trained")
    budget: Budget = Budget()
    oversight: Mode = Field(
        "automatic", description="which promotions wait for a person: none, each, those of cycles with a yellow signal"
    )

    @field_validator("device")
    @classmethod
    def _is_there(cls, device: str) -> str:
        if device == "cuda":
            import torch

            if not torch.cuda.is_available():
                raise ValueError("torch sees no CUDA device here; use --device cpu")
        return device


@dataclass(frozen=True)
class Recipe:
    """One published system."""

    name: str
    text: str
    """Its docstring, whose first line is the title."""
    source: str
    config: type[RunConfig]
    build: Callable[[Any], Loop]

    @property
    def title(self) -> str:
        return self.text.splitlines()[0].rstrip(".")

    def configure(self, settings: dict[str, Any]) -> RunConfig:
        """The resolved configuration. Raises AutotrophError, one line, for unknown keys and values out of range."""
        try:
            return self.config.model_validate(settings)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "configuration"
            if first["type"] == "extra_forbidden":
                near = difflib.get_close_matches(str(first["loc"][-1]), self.config.model_fields, n=3, cutoff=0.5)
                hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "remove it"
                raise AutotrophError(f"recipe '{self.name}': unknown key '{where}'; {hint}") from None
            raise AutotrophError(
                f"recipe '{self.name}': {where} = {first['input']!r}: {first['msg']}; "
                f"see `autotroph run {self.name} --help`"
            ) from None


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(recipes.__path__) if m.name not in PARTS)


def load(name: str) -> ModuleType:
    """The module of a recipe, by its name or by the path of the user's own file, "path/to/file.py".

    Raises AutotrophError with near matches when there is none of the name, and for a file that is none.
    """
    if not name.endswith(".py"):
        if name in names():
            return import_module(f"autotroph.recipes.{name}")
        near = difflib.get_close_matches(name, names(), n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "`autotroph recipes` lists them"
        raise AutotrophError(f"unknown recipe '{name}'; {hint}")
    module = module_of(name)
    if lacking := [part for part in ("__doc__", "SOURCE", "Config", "build") if not getattr(module, part, None)]:
        raise AutotrophError(f"recipe {name}: it lacks {', '.join(lacking)}; docs/extending.md shows a whole one")
    return module


def find(name: str) -> Recipe:
    """The recipe in a module that `load` finds; one of the user's own is called by its file's full path."""
    module = load(name)
    known = str(Path(name).resolve()) if name.endswith(".py") else name
    return Recipe(known, (module.__doc__ or "").strip(), module.SOURCE, module.Config, module.build)
