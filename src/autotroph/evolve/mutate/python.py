"""Text as a Python program: parsed, compared, and refused where it is none. Nothing of it is ever run here."""

from __future__ import annotations

import ast
import random
from functools import lru_cache

import libcst as cst

from autotroph.evolve.candidate import Candidate, NoEdit

LONGEST = 200_000
"""Characters of a file beyond which it is not parsed."""

DEEPEST = 100
"""Levels of a syntax tree beyond which it is not edited."""

KEPT = 64
"""Programs whose normal form is kept: a parent is compared with each of its children."""

NONE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What CPython's parser raises at text that is no program, or one nested too deeply."""


def tree(text: str) -> ast.Module:
    """Raises NoEdit where the text is no program."""
    if len(text) > LONGEST:
        raise NoEdit(f"a file of {len(text)} characters, more than {LONGEST}", "too long")
    try:
        return ast.parse(text)
    except NONE as error:
        raise NoEdit(f"no Python: {type(error).__name__}: {error}", "no Python") from None


def concrete(text: str) -> cst.Module:
    """The same with its layout and comments. Raises NoEdit also where it is nested more deeply than `DEEPEST`, because
    libcst walks by recursion."""
    level: list[ast.AST] = [tree(text)]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise NoEdit(f"nested more than {DEEPEST} deep", "nested too deeply")
    try:
        return cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise NoEdit(f"no Python: {error}", "no Python") from None


def written(program: cst.Module) -> str:
    """A program as text that compiles. Raises NoEdit where it does not, such as a `return` that left its function."""
    try:
        text = program.code
        compile(text, "<candidate>", "exec", dont_inherit=True)
    except (*NONE, cst.CSTValidationError) as error:
        raise NoEdit(f"no Python: {type(error).__name__}: {error}", "no Python") from None
    return text


@lru_cache(KEPT)
def normal(text: str) -> str:
    """What a program is apart from its layout and comments: two that have this in common do the same."""
    try:
        return ast.dump(tree(text))
    except (RecursionError, MemoryError):
        raise NoEdit("nested too deeply") from None


def same(one: str, other: str) -> bool:
    """Whether two texts are one program. Texts that are none are compared as they are."""
    try:
        return one == other or normal(one) == normal(other)
    except NoEdit:
        return False


def programs(candidate: Candidate) -> list[str]:
    """Its Python files that may be edited."""
    return [name for name in candidate.open if name.endswith(".py") and candidate.files[name]]


def drawn(candidate: Candidate, names: list[str], rng: random.Random) -> str:
    """One of these files, by its length. Raises NoEdit where there is none."""
    if not names:
        raise NoEdit("no file to edit")
    return rng.choices(names, [len(candidate.files[name]) for name in names])[0]
