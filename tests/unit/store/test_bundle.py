"""Bundles: what a run has goes in and comes out; what a stranger puts into one stays out."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autotroph.core.errors import AutotrophError
from autotroph.store import bundle
from autotroph.store.artifacts import digest
from autotroph.store.run import Run
from autotroph.verify import verify

NAME = "run/policies/" + "a" * 64 + "/model"


def run_with_artifacts(folder: Path) -> Run:
    """One artifact in each store that an event names, one policy that none does."""
    run = Run.create(folder, {"recipe": "grpo", "config": {}})
    names = [
        store.put(lambda work: (work / "content").write_text("x" * 1000)).name
        for store in (run.policies, run.rows, run.evidence)
    ]
    run.policies.put(lambda work: (work / "content").write_text("unnamed"))
    run.ledger.append("note", {"names": names})
    return run


def test_what_the_ledger_names_goes_in_and_comes_out(tmp_path: Path) -> None:
    with run_with_artifacts(tmp_path / "r") as run:
        root, event = run.ledger.root(), run.ledger.last("note")
        bundle.write(run, b"report", tmp_path / "b.tar.gz")
    assert event is not None
    with bundle.unpacked(tmp_path / "b.tar.gz") as folder:
        with Run.open(folder, write=False) as copy:
            assert copy.ledger.root() == root
            for store, name in zip(copy.stores, event.data["names"], strict=True):
                assert [path.name for path in store.root.iterdir()] == [name]
                assert digest(store.path(name)) == name
        assert (folder / "report.html").read_bytes() == b"report"
    assert not folder.exists()
    assert verify(tmp_path / "b.tar.gz", root).faults == []


def test_the_same_run_gives_the_same_bytes_wherever_it_lies(tmp_path: Path) -> None:
    with run_with_artifacts(tmp_path / "r") as run:
        bundle.write(run, b"report", tmp_path / "1")
    (tmp_path / "r").rename(tmp_path / "s")
    with Run.open(tmp_path / "s", write=False) as run:
        bundle.write(run, b"report", tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_a_light_one_has_no_policies(tmp_path: Path) -> None:
    with run_with_artifacts(tmp_path / "r") as run:
        bundle.write(run, b"report", tmp_path / "b", light=True)
    with tarfile.open(tmp_path / "b") as packed:
        stores = {name.split("/")[1] for name in packed.getnames()}
    assert stores == {"ledger.sqlite", "rows", "evidence", "report.html"}


def member(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0, link: str = "") -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.size, header.linkname = kind, size, link
    return header


def packed(path: Path, *members: tarfile.TarInfo, form: int = tarfile.USTAR_FORMAT) -> Path:
    with tarfile.open(path, "w:gz", format=form) as tar:
        for header in (member("run/ledger.sqlite"), *members):
            tar.addfile(header, io.BytesIO(bytes(header.size)))
    return path


@pytest.mark.parametrize(
    "header",
    [
        member(NAME, tarfile.SYMTYPE, link="/etc/passwd"),
        member(NAME, tarfile.LNKTYPE, link="run/ledger.sqlite"),
        member(NAME, tarfile.CHRTYPE),
        member(NAME, tarfile.BLKTYPE),
        member(NAME, tarfile.FIFOTYPE),
        member(NAME, tarfile.DIRTYPE),
        member(NAME, tarfile.GNUTYPE_SPARSE),
        member(NAME, tarfile.CONTTYPE),
        member("/etc/cron.d/x"),
        member("../x"),
        member("run/../x"),
        member("run/policies/../../x"),
        member("run/policies/" + "a" * 64 + "/.."),
        member("run/policies/" + "a" * 64 + "/deep/x"),
        member("run/policies/" + "a" * 63 + "/x"),
        member("run/policies/" + "a" * 64 + "/a\\b"),
        member("run/ledger.lock"),
        member("run/ledger.sqlite-wal"),
        member("ledger.sqlite"),
        member("run/ledger.sqlite"),
        member("run/LEDGER.SQLITE"),
    ],
    ids=lambda header: f"{header.name[-20:]} {header.type!r}",
)
def test_what_no_run_has_is_refused_and_written_nowhere(tmp_path: Path, header: tarfile.TarInfo) -> None:
    path = packed(tmp_path / "b", header)
    with pytest.raises(AutotrophError, match="give a file that `autotroph export` wrote"), bundle.unpacked(path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def long_name(path: Path) -> None:
    packed(path, member(NAME + "x" * 300), form=tarfile.GNU_FORMAT)


def extended_header(path: Path) -> None:
    header = member(NAME)
    header.pax_headers = {"GNU.sparse.realsize": str(1 << 50)}
    packed(path, header, form=tarfile.PAX_FORMAT)


def bomb(path: Path) -> None:
    packed(path, member(NAME, size=50 << 20))


def cut(path: Path) -> None:
    content = packed(path, member(NAME, size=5000)).read_bytes()
    path.write_bytes(content[:-30])


def ends_early(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(packed(path, member(NAME, size=5000)).read_bytes())[:2000]))


def damaged(path: Path) -> None:
    content = bytearray(packed(path, member(NAME, size=5000)).read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def plain(path: Path) -> None:
    path.write_text("no bundle at all")


def without_ledger(path: Path) -> None:
    with tarfile.open(path, "w:gz", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(member("run/report.html"))


@pytest.mark.parametrize("make", [long_name, extended_header, bomb, cut, ends_early, damaged, plain, without_ledger])
def test_what_is_not_as_export_writes_it_is_refused(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "b")
    with (
        pytest.raises(AutotrophError, match="give a file that `autotroph export` wrote"),
        bundle.unpacked(tmp_path / "b"),
    ):
        pass


def test_every_bit_of_a_bundle_may_be_wrong(tmp_path: Path) -> None:
    """It is refused, or found out, or nothing that is checked has changed: never another error.

    Those of the hashes and of the schema are among them, where a bit makes text that is no longer UTF-8.
    """
    with run_with_artifacts(tmp_path / "r") as run:
        root = run.ledger.root()
        bundle.write(run, b"report", tmp_path / "b")
    honest = gzip.decompress((tmp_path / "b").read_bytes())
    places = [
        *range(0, len(honest), 197),
        *(match.start() for match in re.finditer(rb"(?<=T NULL, )data|0{8}", honest)),
    ]
    refused = 0
    for at in places:
        content = bytearray(honest)
        content[at] ^= 128
        (tmp_path / "b").write_bytes(gzip.compress(content, 1))
        try:
            verify(tmp_path / "b", root)
        except AutotrophError:
            refused += 1
    assert refused > 5
