"""What a model says, read as changes of files: blocks to search and replace, or whole files.

A reply is data. It is read line by line in linear time, and whatever in it is not of the form that was asked for is
passed over or refused; nothing of it is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autotroph.evolve.candidate import Candidate, NoEdit

LONGEST = 1 << 20
"""Characters of a reply beyond which it is not read."""

FILE = re.compile(r"FILE: *[`'\"]?([^`'\"]{1,1000}?)[`'\"]? *$")
FENCE = re.compile(r"(`{3,}|~{3,})[^`]{0,50}$")
SEARCH, MIDDLE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"

Changes = Mapping[str, str | None]


@dataclass(frozen=True)
class Block:
    """In a file, these lines in the place of those."""

    file: str
    old: str
    new: str


def diff(reply: str, candidate: Candidate) -> Changes:
    """The files that a reply's blocks change. Raises NoEdit where there is no block, and where one does not apply: its
    old lines must be there exactly once, but for space at the end of lines. Blocks are applied in their order."""
    texts: dict[str, str] = {}
    for block in blocks(reply, candidate):
        if not block.old.strip():
            if block.file in candidate.files or block.file in texts:
                raise NoEdit(f"a block without old lines for '{block.file}', which is there", "diff does not apply")
            texts[block.file] = block.new
            continue
        if block.file not in texts and block.file not in candidate.files:
            raise NoEdit(f"no file '{block.file}'", "diff does not apply")
        before = texts[block.file] if block.file in texts else candidate.text(block.file)
        texts[block.file] = _applied(block, before)
    return texts


def blocks(reply: str, candidate: Candidate) -> list[Block]:
    """Raises NoEdit where there is none."""
    found: list[Block] = []
    file, old, new = _only(candidate), None, None
    for line in _lines(reply):
        mark = line.strip()
        if mark == SEARCH:
            old, new = list[str](), None
        elif old is None:
            file = match.group(1) if (match := FILE.match(mark)) else file
        elif mark == MIDDLE and new is None:
            new = list[str]()
        elif mark == REPLACE and new is not None:
            if file is None:
                raise NoEdit("a block that names no file", "reply without a file name")
            found.append(Block(file, "".join(old), "".join(new)))
            old = new = None
        else:
            (old if new is None else new).append(line)
    if not found:
        raise NoEdit("no search and replace block in the reply", "no edit in the reply")
    return found


def rewrite(reply: str, candidate: Candidate) -> Changes:
    """The files that a reply gives whole, each in a fenced block under its name. Raises NoEdit where there is none."""
    found: dict[str, str | None] = {}
    file, fence, text = _only(candidate), "", list[str]()
    for line in _lines(reply):
        mark = line.strip()
        if fence:
            if mark.startswith(fence) and not mark.strip(fence[0]):
                if file is not None:
                    found[file] = "".join(text)
                fence, file, text = "", None, []
            else:
                text.append(line)
        elif match := FILE.match(mark):
            file = match.group(1)
        elif match := FENCE.match(mark):
            fence = match.group(1)
    if not found:
        raise NoEdit("no whole file in the reply", "no edit in the reply")
    return found


def _lines(reply: str) -> Iterator[str]:
    """Lines with an end each, "\\n" whatever it was."""
    if len(reply) > LONGEST:
        raise NoEdit(f"a reply of {len(reply)} characters, more than {LONGEST}", "reply too long")
    return (f"{line}\n" for line in reply.replace("\r\n", "\n").split("\n"))


def _only(candidate: Candidate) -> str | None:
    """The file that is meant where none is named."""
    return candidate.open[0] if len(candidate.open) == 1 else None


def _applied(block: Block, text: str) -> str:
    """Raises NoEdit unless the old lines are there exactly once."""
    lines, old = text.splitlines(keepends=True), _bare(block.old)
    bare = _bare(text)
    place = bare.find(old)
    if place < 0 or bare.find(old, place + 1) >= 0:
        times = "not" if place < 0 else "more than once"
        raise NoEdit(f"old lines that are {times} in '{block.file}'", "diff does not apply")
    first = bare.count("\n", 0, place)
    return "".join([*lines[:first], block.new, *lines[first + old.count("\n") - 1 :]])


def _bare(text: str) -> str:
    """Lines without space at their ends, each between two "\n"."""
    return "".join(["\n", *(f"{line.rstrip()}\n" for line in text.splitlines())])
