"""Code of the user's own, in a file or a package."""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from autotroph.core.errors import AutotrophError


def module_of(source: str) -> ModuleType:
    """The module of "path/to/file.py", executed once in a process, or of "package.module".

    Raises AutotrophError where there is no such file; whatever the module itself raises is let through.
    """
    if not source.endswith(".py"):
        return import_module(source)
    path = Path(source).resolve()
    if not path.is_file():
        raise AutotrophError(f"{source}: no such file; give the path of a Python file")
    name = f"{path.stem}@{path}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def named(target: str) -> Any:
    """What "package.module:name" or "path/to/file.py:name" stands for.

    Raises AutotrophError where a file is not there or has no such name.
    """
    source, _, name = target.rpartition(":")
    module = module_of(source)
    if not hasattr(module, name):
        raise AutotrophError(f"{source}: it has no '{name}'; give FILE.py:NAME")
    return getattr(module, name)
