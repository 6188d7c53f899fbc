"""Whether the protected code that is loaded is still what it was: a patched function decides otherwise without any file
having changed.

Pinned is, by identity: what the globals and the class attributes of protected modules are bound to; the code, defaults
and closures of their functions; and whatever these functions look up by name in other modules and in the builtins.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from autotroph.store.sources import colour, package, protected

LAZY = ("__pydantic_", "__signature__", "__annotations__", "__abstractmethods__", "__doc__", "_abc_")
"""Beginnings of names that a class may be given after it was made."""

Namespace = Mapping[str, Any]


class Bound(NamedTuple):
    """What a name in a namespace is bound to."""

    owner: str
    names: Namespace
    name: str
    value: Any


class Part(NamedTuple):
    """Code, defaults or a closure's cell of a function."""

    name: str
    of: Any
    attribute: str
    value: Any

    @property
    def moved(self) -> bool:
        try:
            return getattr(self.of, self.attribute) is not self.value
        except ValueError:  # a closure's cell that was emptied
            return True


class Code:
    """The loaded protected modules of one colour, to be compared with later. Red ones are all loaded for that."""

    def __init__(self, of: str):
        modules = _modules(of)
        self._loaded = [(module.__name__, module) for module in modules]
        self._bound: dict[tuple[int, str], Bound] = {}
        self._parts: list[Part] = []
        self._later: list[tuple[str, set[str]]] = []
        self._sizes: list[tuple[str, Namespace, frozenset[str], bool]] = []
        self._copies: list[tuple[str, Any, Any]] = []
        for module in modules:
            self._pin_module(module)

    def changed(self) -> list[str]:
        """Names of all that is no more what it was."""
        found = [name for name, module in self._loaded if sys.modules.get(name) is not module]
        found += [f"{owner}.{name}" for owner, names, name, was in self._bound.values() if names.get(name) is not was]
        found += [part.name for part in self._parts if part.moved]
        found += [name for name, now, before in self._copies if _copy(now) != before]
        for owner, names, before, is_class in self._sizes:
            if len(names) != len(before):
                found += [f"{owner}.{name}" for name in names.keys() - before if _is_new(name, names[name], is_class)]
        self._pin_later()
        return list(dict.fromkeys(found))

    def _pin_module(self, module: types.ModuleType) -> None:
        used: set[str] = set()
        classes = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == module.__name__]
        owners: list[tuple[str, Namespace]] = [(module.__name__, vars(module))]
        owners += [(f"{module.__name__}.{one.__qualname__}", vars(one)) for one in classes]
        for number, (owner, names) in enumerate(owners):
            self._sizes.append((owner, names, frozenset(names), number > 0))
            for name, value in list(names.items()):
                if number == 0 and _is_dunder(name):
                    continue
                self._bind(owner, names, name)
                if number == 0 and isinstance(value, Mapping | list | set):
                    self._copies.append((f"{owner}.{name}", value, _copy(value)))
                for function in _functions(value):
                    if function.__module__ == module.__name__:
                        self._parts += _parts(f"{owner}.{name}", function)
                        used |= _looked_up(function.__code__)
        for other in (*(one for one in vars(module).values() if isinstance(one, types.ModuleType)), builtins):
            self._pin_used(other, used)
        self._later += [(name, used) for name in used if "." in name]
        self._pin_later()

    def _pin_used(self, module: types.ModuleType, used: set[str]) -> None:
        for name in used & vars(module).keys():
            if callable(vars(module)[name]):
                self._bind(module.__name__, vars(module), name)

    def _pin_later(self) -> None:
        """What functions import themselves, once it is there: a library that takes long to load is not waited for."""
        for name, used in [one for one in self._later if one[0] in sys.modules]:
            self._pin_used(sys.modules[name], used)
            self._later.remove((name, used))

    def _bind(self, owner: str, names: Namespace, name: str) -> None:
        self._bound.setdefault((id(names), name), Bound(owner, names, name, names[name]))


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value.copy()


def _is_new(name: str, value: Any, in_class: bool) -> bool:
    """Whether a name that came later can change what code does; a submodule that was imported cannot."""
    return not name.startswith(LAZY) if in_class else not isinstance(value, types.ModuleType)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def _modules(of: str) -> list[types.ModuleType]:
    found = []
    for path in protected():
        where = path.relative_to(package())
        if colour(where.as_posix()) == of:
            parts = where.with_suffix("").parts
            name = ".".join(("autotroph", *(parts[:-1] if parts[-1] == "__init__" else parts)))
            if of == "red" or name in sys.modules:
                found.append(importlib.import_module(name))
    return found


def _functions(value: Any) -> Iterator[types.FunctionType]:
    """The functions behind a name: methods of every kind, properties, what a decorator has wrapped."""
    if isinstance(value, property):
        for one in (value.fget, value.fset, value.fdel):
            yield from _functions(one)
        return
    while not isinstance(value, types.FunctionType):
        inner = getattr(value, "__func__", None) or getattr(value, "__wrapped__", None) or getattr(value, "func", None)
        if inner is None or inner is value:
            return
        value = inner
    yield value
    if hasattr(value, "__wrapped__"):
        yield from _functions(value.__wrapped__)


def _parts(name: str, function: types.FunctionType) -> Iterator[Part]:
    for attribute in ("__code__", "__defaults__", "__kwdefaults__"):
        yield Part(f"{name}.{attribute}", function, attribute, getattr(function, attribute))
    for number, cell in enumerate(function.__closure__ or ()):
        with contextlib.suppress(ValueError):  # an empty cell
            yield Part(f"{name}'s closure {number}", cell, "cell_contents", cell.cell_contents)


def _looked_up(code: types.CodeType) -> set[str]:
    """Names that the code, and what is nested in it, looks up."""
    inner = (one for one in code.co_consts if isinstance(one, types.CodeType))
    return set(code.co_names).union(*map(_looked_up, inner))
