"""A run in one file, to be checked elsewhere: a gzipped tar of its ledger, the artifacts that events name, its report.

The same run gives the same bytes (with the same versions of zlib and SQLite). What a stranger's bundle holds is read by
its headers' own rules here, not by those of tar at large: plain files with names that a run has, nothing else.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autotroph.core.errors import AutotrophError
from autotroph.store.artifacts import Artifacts
from autotroph.store.disk import clear_disk_errors
from autotroph.store.ledger import Ledger
from autotroph.store.run import Run

ROOT = "run/"
"""Before every name in it."""
NAMES = re.compile(
    r"ledger\.sqlite|report\.html|((?:policies|rows|evidence)/[0-9a-f]{64})/(?!\.\.?$)[^/\x00-\x1f\x7f\\]+"
)
FILES, RATIO, SLACK = 100_000, 200, 1 << 20
"""A bundle holds at most so many files, and at most so many times its own bytes and a bit: a run of ours is packed by
less than 20."""
BLOCK = 512


def write(run: Run, report: bytes, target: Path, *, light: bool = False) -> None:
    """Bundle what the ledger names at this moment. `light`: without policies, which are most of it.

    Raises AutotrophError where the disk refuses.
    """
    with tempfile.TemporaryDirectory() as work, clear_disk_errors(target):
        copy = Path(work) / "ledger.sqlite"
        run.ledger.copy(copy)
        with Ledger(copy) as ledger:
            named = ledger.names()
        files = [path for store in run.stores if not (light and store is run.policies) for path in _files(store, named)]
        partial = target.with_name(f".new-{target.name}")
        try:
            with (
                partial.open("wb") as raw,
                gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=1, mtime=0) as packed,
                tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as bundle,
            ):
                _add(bundle, "ledger.sqlite", copy)
                for path in files:
                    _add(bundle, str(path.relative_to(run.folder)), path)
                bundle.addfile(_header("report.html", len(report)), io.BytesIO(report))
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def unpacked(bundle: Path) -> Iterator[Path]:
    """The folder of a bundled run, for as long as it is looked at.

    Raises AutotrophError where the file is no bundle, or holds anything that `write` would not have put there.
    """
    with tempfile.TemporaryDirectory(prefix="bundle-") as work:
        try:
            with clear_disk_errors(Path(work)), gzip.open(bundle) as stream:
                _unpack(stream, Path(work), RATIO * bundle.stat().st_size + SLACK)
        except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.HeaderError, ValueError) as error:
            raise AutotrophError(f"bundle {bundle}: {error}; give a file that `autotroph export` wrote") from None
        yield Path(work)


def _files(store: Artifacts, named: set[str]) -> list[Path]:
    """Sorted files of the artifacts that the ledger names; whether any is missing is for `verify` to say."""
    folders = [path for path in sorted(store.root.glob("*")) if path.name in named]
    return [file for folder in folders for file in sorted(folder.iterdir())]


def _add(bundle: tarfile.TarFile, name: str, path: Path) -> None:
    with path.open("rb") as file:
        bundle.addfile(_header(name, path.stat().st_size), file)


def _header(name: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(ROOT + name)
    header.size = size
    return header


def _unpack(stream: gzip.GzipFile, folder: Path, left: int) -> None:
    """Files of at most `left` bytes in all. Raises ValueError with what is wrong."""
    seen: set[str] = set()
    while any(block := _exactly(stream, BLOCK)):
        header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        name = header.name.removeprefix(ROOT)
        if header.type != tarfile.REGTYPE:
            raise ValueError(f"{header.name!r} in it is no plain file")
        if header.name == name or not (found := NAMES.fullmatch(name)):
            raise ValueError(f"no run has a file {header.name!r}")
        if name.casefold() in seen:
            raise ValueError(f"{name!r} is in it twice")
        seen.add(name.casefold())
        left -= header.size
        if header.size < 0 or left < 0 or len(seen) > FILES:
            raise ValueError(f"it holds more than {FILES} files, or is packed more than {RATIO} times")
        if found[1]:
            (folder / found[1]).mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as file:
            for size in _parts(header.size):
                file.write(_exactly(stream, size))
        _exactly(stream, -header.size % BLOCK)
    if "ledger.sqlite" not in seen:
        raise ValueError("it has no ledger")


def _parts(size: int, most: int = 1 << 20) -> Iterator[int]:
    yield from (min(most, size - start) for start in range(0, size, most))


def _exactly(stream: gzip.GzipFile, size: int) -> bytes:
    block = stream.read(size)
    if len(block) < size:
        raise ValueError("it ends in the middle")
    return block
