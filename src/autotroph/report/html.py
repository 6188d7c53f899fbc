"""One self-contained HTML page of a run: it makes no network request and needs no other file."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from autotroph.report.elements import embed
from autotroph.report.markup import escape
from autotroph.report.sections import SECTIONS
from autotroph.report.theme import DARK
from autotroph.store.disk import write_whole
from autotroph.store.record import RunRecord


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def render(record: RunRecord) -> str:
    """The page. Its content security policy admits the two scripts below by hash and no request at all."""
    here = files(__package__)
    plotly, script = get_plotlyjs(), (here / "page.js").read_text("utf-8")
    return Template((here / "page.html").read_text("utf-8")).substitute(
        title=escape(f"{record.recipe} · {record.id}"),
        hashes=f"{_hash(plotly)} {_hash(script)}",
        style=(here / "style.css").read_text("utf-8"),
        body="\n".join(section(record) for section in SECTIONS),
        dark=embed(DARK),
        plotly=plotly,
        script=script,
    )


def write(record: RunRecord, path: str | Path) -> None:
    """Writes the page; a reader sees the old file or the new one, never a part."""
    write_whole(Path(path), render(record))
