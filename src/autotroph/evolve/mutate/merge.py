"""Three-way merge: what two parents have made of their common ancestor, together in one child.

GEPA merges prompts of a compound system so, a module at a time (arXiv:2507.19457). Here it is a file at a time, within
a program a function at a time, and within those a line at a time.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autotroph.evolve.archive import Archive
from autotroph.evolve.candidate import NoEdit
from autotroph.evolve.mutate.lines import merged, split
from autotroph.evolve.mutate.python import tree
from autotroph.evolve.protocols import Edit, Parent, Surroundings

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Merge:
    """Needs `around.ancestor`. What both parents changed, each in its own way, stays as the first has it, and the note
    says how often. Raises NoEdit where the child would be one of the parents."""

    name: str = "merge"
    parents: int = 2

    def edit(self, parents: Sequence[Parent], around: Surroundings) -> Edit:
        if len(parents) < 2 or around.ancestor is None:
            raise NoEdit("a merge needs two parents and their common ancestor")
        ours, theirs, base = parents[0].candidate, parents[1].candidate, around.ancestor
        changes: dict[str, str | None] = {}
        conflicts = 0
        for name in sorted(ours.files.keys() | theirs.files.keys()):
            one, other = ours.files.get(name), theirs.files.get(name)
            if one == other or base.files.get(name) == other or ours.is_frozen(name):
                continue
            if base.files.get(name) == one:
                changes[name] = None if other is None else theirs.text(name)
            elif one is None or other is None or name not in base.files:
                conflicts += 1
            else:
                changes[name], more = _file(name, base.text(name), ours.text(name), theirs.text(name))
                conflicts += more
        child = ours.edited(changes)
        if child == theirs:
            raise NoEdit("the merge is one of the parents")
        return Edit(child, f"merged, {conflicts} conflicts left as the first parent has them")


def common_ancestor(archive: Archive, first: int, second: int) -> int | None:
    """The nearest node that both come from, the latest where there are several; None where there is none, or where one
    of the two is itself an ancestor of the other, so that there is nothing to merge."""
    one, other = _ancestors(archive, first), _ancestors(archive, second)
    both = one & other
    return max(both) if both and not both & {first, second} else None


def _ancestors(archive: Archive, node: int) -> set[int]:
    """A node with all that it comes from, by all its parents."""
    found, waiting = set[int](), [node]
    while waiting:
        if (one := waiting.pop()) not in found:
            found.add(one)
            waiting.extend(archive.nodes[one].parents)
    return found


def _file(name: str, base: str, ours: str, theirs: str) -> tuple[str, int]:
    if not name.endswith(".py"):
        lines, conflicts = merged(split(base), split(ours), split(theirs))
        return "".join(lines), conflicts
    versions = [_taken_apart(text) for text in (base, ours, theirs)]
    (was, one, other), rests = [functions for functions, _ in versions], [rest for _, rest in versions]
    shared = was.keys() & one.keys() & other.keys()
    settled = {place: merged(was[place], one[place], other[place]) for place in sorted(shared)}
    lines, conflicts = merged(
        *(_whole(rest, functions, shared) for rest, functions in zip(rests, (was, one, other), strict=True))
    )
    text = "".join(line if line not in settled else "".join(settled[line][0]) for line in lines)
    tree(text)
    return text, conflicts + sum(more for _, more in settled.values())


def _taken_apart(text: str) -> tuple[dict[str, list[str]], list[str]]:
    """The functions and classes of a program, each by a line that stands in its place, and the program with those
    lines. One that is there twice stays where it is."""
    lines = split(text)
    found = [
        node for node in tree(text).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    times = Counter(node.name for node in found)
    functions: dict[str, list[str]] = {}
    for node in reversed([node for node in found if times[node.name] == 1]):
        start = min([node.lineno, *(one.lineno for one in node.decorator_list)]) - 1
        place = f"\0{node.name}\n"  # no line of a program has this in it
        functions[place] = lines[start : node.end_lineno]
        lines[start : node.end_lineno] = [place]
    return functions, lines


def _whole(lines: list[str], functions: Mapping[str, list[str]], shared: set[str]) -> list[str]:
    """A program with all its functions in it but those that all versions have."""
    return [
        part for line in lines for part in (functions[line] if line in functions and line not in shared else [line])
    ]


MUTATOR = Merge
